import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";

import { prices } from "../../api/prices";
import { metricData } from "../../kit/metricData";
import { duration } from "../../kit/Time";
import { usePolling } from "../../kit/usePolling";
import { instancesOf, shownInstances, type TrainingJobDescription } from "./training";

const HOUR = 3600;

/** What a training job used, and what its instances would have cost on AWS on demand; the figures of `clary cost`. */
export function Cost({ job, ended }: { job: TrainingJobDescription; ended: boolean }) {
  const table = usePolling(prices, []);
  const used = usePolling((signal) => utilization(job, signal), [job.TrainingJobName, job.TrainingEndTime ?? 0]);
  const instances = instancesOf(job);
  const count = instances.reduce((sum, each) => sum + each.count, 0);
  const seconds = billable(job);
  const known = table.value?.hour ?? {};
  const hour = instances.every(({ type }) => type in known) ? instances.reduce((sum, { type, count }) => sum + count * (known[type] ?? 0), 0) : undefined;
  const percent = (value: number | undefined) => (value === undefined ? (ended ? "Not known" : "Known when the job has ended") : `${Math.round(value)} %`);
  return (
    <Container
      header={
        <Header
          description={
            table.value && (
              <>
                Prices on demand in {table.value.region}, {table.value.as_of} (
                <Link external href={table.value.source} externalIconAriaLabel="Opens in a new tab" variant="primary" fontSize="inherit">
                  AWS
                </Link>
                ). The discount of spot instances changes by the hour and is not guessed.
              </>
            )
          }
        >
          Cost
        </Header>
      }
    >
      <KeyValuePairs
        columns={4}
        items={[
          { label: ended ? "Would have cost on AWS" : "Would have cost on AWS so far", value: <Box fontSize="heading-l" fontWeight="bold">{hour === undefined ? "Not known" : dollars((hour * seconds) / HOUR)}</Box> },
          { label: "Billable time", value: `${duration(seconds)}${count > 1 ? ` on each of ${count} instances` : ""}` },
          { label: "Instances", value: shownInstances(job) },
          { label: count > 1 ? "Price of all instances" : "Price of an instance", value: hour === undefined ? "Not in the table" : `$${Number(hour.toFixed(4))} an hour` },
          { label: "Here", value: "Nothing but your machine" },
          { label: "CPU (100 % a core)", value: percent(used.value?.cpu) },
          { label: "Most memory", value: percent(used.value?.memory) },
        ]}
      />
    </Container>
  );
}

/** Billable seconds of each instance: so far, where the job runs. */
export function billable(job: TrainingJobDescription): number {
  if (job.BillableTimeInSeconds !== undefined) return job.BillableTimeInSeconds;
  return job.TrainingStartTime === undefined ? 0 : Math.max(0, (job.TrainingEndTime ?? Date.now() / 1000) - job.TrainingStartTime);
}

/** Cents and their parts, since a job on a small machine costs no more. */
export function dollars(amount: number): string {
  if (amount > 0 && amount < 0.0001) return "Less than $0.0001";
  return `$${amount.toFixed(amount >= 1 ? 2 : 4)}`;
}

async function utilization(job: TrainingJobDescription, signal: AbortSignal): Promise<{ cpu: number | undefined; memory: number | undefined }> {
  const end = job.TrainingEndTime;
  if (end === undefined) return { cpu: undefined, memory: undefined };
  const count = instancesOf(job).reduce((sum, each) => sum + each.count, 0);
  const queries = ["CPUUtilization", "MemoryUtilization"].flatMap((metric) =>
    Array.from({ length: count }, (_, index) => ({ label: metric, namespace: "/aws/sagemaker/TrainingJobs", metric, stat: "Maximum", dimensions: { Host: `${job.TrainingJobName}/algo-${index + 1}` } })),
  );
  const found = await metricData(queries, end - HOUR, end + HOUR, HOUR, signal);
  const [cpu, memory] = ["CPUUtilization", "MemoryUtilization"].map((metric) =>
    found.filter(({ name, points }) => name === metric && points.length > 0).map(({ points }) => Math.max(...points.map(([, value]) => value))),
  ) as [number[], number[]];
  const mean = cpu.length > 0 ? cpu.reduce((sum, value) => sum + value, 0) / cpu.length : undefined;
  return { cpu: mean, memory: memory.length > 0 ? Math.max(...memory) : undefined };
}
