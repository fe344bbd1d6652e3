import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";

import { duration, exactly } from "../../kit/Time";
import { billable } from "./Cost";
import { timesIn, type TrainingJobDescription } from "./training";

/** A managed spot job: how often it was interrupted, and what of its time is not paid for. */
export function Spot({ job }: { job: TrainingJobDescription }) {
  if (!job.EnableManagedSpotTraining) return null;
  const interruptions = (job.SecondaryStatusTransitions ?? []).filter((step) => step.Status === "Interrupted");
  const { MaxRuntimeInSeconds: run, MaxWaitTimeInSeconds: wait } = job.StoppingCondition ?? {};
  const training = job.TrainingTimeInSeconds;
  const saved = training ? `${Math.round((1 - billable(job) / training) * 100)} %` : "Known when the job has ended";
  return (
    <Container header={<Header description="Time without capacity is not paid for; a job goes on from its checkpoints.">Managed spot training</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "Saved", value: <Box fontSize="heading-l" fontWeight="bold">{saved}</Box> },
          { label: "Training time", value: duration(training) },
          { label: "Billable time", value: duration(job.BillableTimeInSeconds) },
          { label: "Interruptions", value: timesIn("Interrupted", job) },
          { label: "Most training time", value: duration(run) },
          { label: "Most time with waiting", value: duration(wait) },
          { label: "Goes on from checkpoints", value: job.CheckpointConfig?.S3Uri ? "Yes" : "No: it begins anew" },
          ...(interruptions.length > 0
            ? [
                {
                  label: "Interrupted at",
                  value: interruptions.map((step) => (
                    <div key={step.StartTime}>
                      {exactly(step.StartTime)}
                      {step.EndTime !== undefined && `, for ${duration(step.EndTime - step.StartTime)}`}
                    </div>
                  )),
                },
              ]
            : []),
        ]}
      />
    </Container>
  );
}
