import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";

import { prices } from "../../api/prices";
import { metricData } from "../../kit/metricData";
import { duration } from "../../kit/Time";
import { usePolling } from "../../kit/usePolling";
import { TRAINING } from "./kinds";
import { instanceCount, instancesOf, shownInstances, type TrainingJobDescription } from "./training";

const HOUR = 3600;
const POLL_MILLISECONDS = 30_000;
const ASKED = [
  { metric: "CPUUtilization", stat: "Sum" },
  { metric: "CPUUtilization", stat: "SampleCount" },
  { metric: "MemoryUtilization", stat: "Maximum" },
];

/** What a training job used, and what its instances would have cost on AWS on demand; the figures of `clary cost`. */
export function Cost({ job, ended }: { job: TrainingJobDescription; ended: boolean }) {
  const table = usePolling(prices, []);
  const used = usePolling((signal) => utilization(job, signal), [job.TrainingJobName, job.TrainingEndTime ?? 0], ended ? 0 : POLL_MILLISECONDS);
  const instances = instancesOf(job);
  const count = instanceCount(job);
  const seconds = billable(job);
  const known = table.value?.hour ?? {};
  const hour = instances.every(({ type }) => type in known) ? instances.reduce((sum, { type, count }) => sum + count * (known[type] ?? 0), 0) : undefined;
  const percent = (value: number | undefined) => (value === undefined ? (ended ? "Not known" : "Known after a minute") : `${Math.round(value)} %`);
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
  const end = job.TrainingEndTime ?? Date.now() / 1000;
  const hosts = Array.from({ length: instanceCount(job) }, (_, index) => `${job.TrainingJobName}/algo-${index + 1}`);
  const queries = ASKED.flatMap(({ metric, stat }) => hosts.map((host) => ({ label: `${metric} ${stat}`, namespace: TRAINING.logs, metric, stat, dimensions: { Host: host } })));
  const found = await metricData(queries, (job.TrainingStartTime ?? end) - HOUR, end + HOUR, HOUR, signal);
  const [sum, count, most] = ASKED.map(({ metric, stat }) => found.filter(({ name }) => name === `${metric} ${stat}`).flatMap(({ points }) => points.map(([, value]) => value)));
  const values = total(count ?? []);
  return { cpu: values > 0 ? total(sum ?? []) / values : undefined, memory: most?.length ? Math.max(...most) : undefined };
}

function total(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
