import { useState } from "react";

import { call, type Members } from "../../api/client";
import { type Logs, useLogs } from "../../kit/useLogs";
import { type Polled, usePolling } from "../../kit/usePolling";
import type { JobKind } from "./kinds";

/** How often a running job is asked how it goes. */
const LIVE_MILLISECONDS = 1500;
/** How often one that has ended is, where something of it can still change. */
const SLOW_MILLISECONDS = 5000;

/** A job as it is known now. */
export interface Watched<T> {
  name: string;
  described: Polled<T>;
  /** Whether it will not change any more. */
  ended: boolean;
  logs: Logs;
}

/** A job and its log, asked again until it has ended and `open` says that nothing of it can change any more. */
export function useJob<T extends Members>(kind: JobKind, name: string, open: (job: T) => boolean = () => false): Watched<T> {
  const [ended, setEnded] = useState(false);
  const [closed, setClosed] = useState(false);
  const described = usePolling(
    async (signal) => {
      const job = await call<T>("sagemaker", `Describe${kind.noun}`, { [`${kind.noun}Name`]: name }, signal);
      setEnded(hasEnded(String(job[`${kind.noun}Status`])));
      setClosed(!open(job));
      return job;
    },
    [kind.noun, name],
    !ended ? LIVE_MILLISECONDS : closed ? 0 : SLOW_MILLISECONDS,
  );
  const logs = useLogs(kind.logs, `${name}/`, !ended);
  return { name, described, ended, logs };
}

/** Whether a job with this status will not change any more. */
export function hasEnded(status: string): boolean {
  return ["Completed", "Failed", "Stopped"].includes(status);
}
