import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useMemo } from "react";

import type { Metric } from "../../api/algorithms";
import { Better } from "../../kit/Better";
import { Chart, shown } from "../../kit/Chart";
import { ChartControls, useChartView } from "../../kit/ChartControls";
import { exactly } from "../../kit/Time";
import { usePolling } from "../../kit/usePolling";
import { grouped, keptMetrics, type Metrics, type Point } from "./metrics";

interface Props {
  arn: string;
  ended: boolean;
  /** What its log tells while the job runs, and as long as the log is kept. */
  logged: Metrics;
  last: Last[];
  /** What the built-in algorithm that trains says of its metrics. */
  declared: Metric[];
}

interface Last {
  MetricName: string;
  Value: number;
  Timestamp: number;
}

/** The curves of a training job as they grow, and where they ended. */
export function TrainingMetrics({ arn, ended, logged, last, declared }: Props) {
  const [view, setView] = useChartView();
  const names = last.map((metric) => metric.MetricName);
  const kept = usePolling((signal) => (ended && names.length > 0 ? keptMetrics(arn, names, signal) : Promise.resolve(undefined)), [arn, ended, names]);
  const metrics = logged.size > 0 ? logged : kept.value;
  const times = logged.size > 0;
  const over = times ? view.x : "step";
  const charts = useMemo(
    () =>
      grouped([...(metrics?.keys() ?? [])]).map((chart) => ({
        title: chart.title,
        series: chart.names.map((name) => ({ name, points: (metrics?.get(name) ?? []).map((point) => pair(point, over)) })),
      })),
    [metrics, over],
  );
  const directions = new Map(declared.map((metric) => [metric.name, metric.direction]));
  // What was measured once is a number, not a curve.
  const curves = charts.filter((chart) => chart.series.some((each) => each.points.length > 1));
  return (
    <SpaceBetween size="m">
      {curves.length > 0 && <ChartControls view={view} onChange={setView} times={times} />}
      {charts.length === 0 && (
        <Box color="text-body-secondary" padding="l" textAlign="center">
          {!ended ? "No metrics yet: they appear here as the job writes them" : "The job wrote no metrics that its definitions find in the log"}
        </Box>
      )}
      <Grid gridDefinition={curves.map(() => ({ colspan: { default: 12, m: curves.length === 1 ? 12 : 6 } }))}>
        {curves.map((chart) => (
          <Container key={chart.title}>
            <Chart title={chart.title} series={chart.series} x={over === "time" ? "time" : "number"} xName={over === "time" ? "" : "Step"} log={view.log} smoothing={view.smoothing} />
          </Container>
        ))}
      </Grid>
      {last.length > 0 && (
        <Table
          header={<Header counter={`(${last.length})`}>{ended ? "Final values" : "Last values"}</Header>}
          items={last}
          columnDefinitions={[
            { id: "name", header: "Metric", cell: (row) => row.MetricName, isRowHeader: true },
            { id: "value", header: "Value", cell: (row) => shown(row.Value) },
            ...(declared.length > 0 ? [{ id: "better", header: "Better", cell: (row: Last) => <Better direction={directions.get(row.MetricName)} /> }] : []),
            { id: "best", header: "Least and most", cell: (row) => range(metrics?.get(row.MetricName)) },
            { id: "count", header: "Values", cell: (row) => metrics?.get(row.MetricName)?.length.toLocaleString() ?? "-" },
            { id: "time", header: "Time", cell: (row) => exactly(row.Timestamp) },
          ]}
          ariaLabels={{ tableLabel: "Final values" }}
        />
      )}
    </SpaceBetween>
  );
}

function pair({ step, at, value }: Point, over: "step" | "time"): [number, number] {
  return [over === "time" ? (at ?? step) : step, value];
}

function range(points: Point[] | undefined): string {
  if (!points?.length) return "-";
  const values = points.map((point) => point.value);
  return `${shown(values.reduce((a, b) => Math.min(a, b)))} to ${shown(values.reduce((a, b) => Math.max(a, b)))}`;
}
