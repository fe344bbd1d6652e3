import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";

import { words } from "../../kit/Status";
import { duration } from "../../kit/Time";
import { below, To } from "../../kit/To";
import type { TrainingJobDescription } from "./training";

const POOL: Record<string, StatusIndicatorProps.Type> = { Available: "success", InUse: "in-progress", Reused: "success", Terminated: "stopped" };

/** What stays of a training job for the next one: its warm pool. */
export function WarmPool({ job }: { job: TrainingJobDescription }) {
  const keep = job.ResourceConfig?.KeepAlivePeriodInSeconds;
  const pool = job.WarmPoolStatus;
  if (!keep && !pool) return null;
  return (
    <Container header={<Header description="The next job like it finds a process that is ready.">Warm pool</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "Status", value: pool ? <StatusIndicator type={POOL[pool.Status] ?? "info"}>{words(pool.Status)}</StatusIndicator> : "Begins when the job has ended" },
          { label: "Kept for", value: duration(keep) },
          { label: "Reused by", value: pool?.ReusedByJob ? <To path={below("training-jobs", pool.ReusedByJob)}>{pool.ReusedByJob}</To> : "-" },
          { label: "Billable while kept", value: duration(pool?.ResourceRetainedBillableTimeInSeconds) },
        ]}
      />
    </Container>
  );
}
