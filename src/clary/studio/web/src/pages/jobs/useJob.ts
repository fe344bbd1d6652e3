import { useState } from "react";

import { call, type Members } from "../../api/client";
import { type Logs, useLogs } from "../../kit/useLogs";
import { type Polled, usePolling } from "../../kit/usePolling";
import type { JobKind } from "./kinds";

/** How often a running job is asked how it goes. */
const LIVE_MILLISECONDS = 1500;

/** A job as it is known now. */
export interface Watched<T> {
  name: string;
  described: Polled<T>;
  /** Whether it will not change any more. */
  ended: boolean;
  logs: Logs;
}

/** A job and its log, asked again until it has ended. */
export function useJob<T extends Members>(kind: JobKind, name: string): Watched<T> {
  const [ended, setEnded] = useState(false);
  const described = usePolling(
    async (signal) => {
      const job = await call<T>("sagemaker", `Describe${kind.noun}`, { [`${kind.noun}Name`]: name }, signal);
      setEnded(hasEnded(String(job[`${kind.noun}Status`])));
      return job;
    },
    [kind.noun, name],
    ended ? 0 : LIVE_MILLISECONDS,
  );
  const logs = useLogs(kind.logs, `${name}/`, !ended);
  return { name, described, ended, logs };
}

/** Whether a job with this status will not change any more. */
export function hasEnded(status: string): boolean {
  return ["Completed", "Failed", "Stopped"].includes(status);
}
