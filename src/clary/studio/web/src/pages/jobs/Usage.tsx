import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";

import { Chart } from "../../kit/Chart";
import { metricData } from "../../kit/metricData";
import { usePolling } from "../../kit/usePolling";
import { UTILIZATION } from "../../kit/utilization";
import type { JobKind } from "./kinds";

const POLL_MILLISECONDS = 10_000;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** For how long minutes and five minutes are kept apart; a day less, so that none is missed. */
const FINEST = [
  { days: 14, period: MINUTE },
  { days: 62, period: 5 * MINUTE },
];
const MOST_POINTS = 240;

interface Props {
  kind: JobKind;
  name: string;
  instances: number;
  /** Seconds since the epoch; nothing before the job runs. */
  began: number | undefined;
  end: number | undefined;
}

/** What each of the job's instances uses of its processors, its memory and its disk. */
export function Usage({ kind, name, instances, began, end }: Props) {
  const found = usePolling((signal) => used({ kind, name, instances, began, end }, signal), [kind.noun, name, instances, began ?? 0, end ?? 0], end === undefined ? POLL_MILLISECONDS : 0);
  const charts = (found.value ?? []).filter(({ series }) => series.some(({ points }) => points.length > 0));
  return (
    <Container header={<Header description="A value a minute of each instance, as in CloudWatch">Usage</Header>}>
      {charts.length === 0 && (
        <Box color="text-body-secondary" padding="l" textAlign="center">
          {end !== undefined ? (found.loading ? "Loading …" : "Nothing is known of this job") : "The first values come with the first full minute"}
        </Box>
      )}
      <Grid gridDefinition={charts.map(() => ({ colspan: { default: 12, s: 4 } }))}>
        {charts.map(({ title, series }) => (
          <Chart key={title} title={title} series={series} unit="%" fromZero />
        ))}
      </Grid>
    </Container>
  );
}

async function used({ kind, name, instances, began, end }: Props, signal: AbortSignal) {
  const to = (end ?? Date.now() / 1000) + MINUTE;
  // What a job uses before it is shown as running belongs to a minute before that.
  const from = (began ?? to) - 2 * MINUTE;
  const finest = FINEST.find(({ days }) => Date.now() / 1000 - from < days * DAY)?.period ?? HOUR;
  const period = finest * Math.ceil((to - from) / finest / MOST_POINTS);
  const hosts = Array.from({ length: instances }, (_, index) => `algo-${index + 1}`);
  const queries = UTILIZATION.flatMap(({ metric }) =>
    hosts.map((host) => ({ label: host, namespace: kind.logs, metric, stat: "Average", dimensions: { Host: `${name}/${host}` } })),
  );
  const series = await metricData(queries, from, to, period, signal);
  return UTILIZATION.map(({ title }, index) => ({ title, series: series.slice(index * hosts.length, (index + 1) * hosts.length).filter(({ points }) => points.length > 0) }));
}
