import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMemo, useState } from "react";

import { told } from "../../api/errors";
import { Chart, type Series } from "../../kit/Chart";
import { metricData, type MetricQuery } from "../../kit/metricData";
import { TimeRange, useTimeRange } from "../../kit/TimeRange";
import { usePolling } from "../../kit/usePolling";
import { UTILIZATION } from "../../kit/utilization";

const LIVE_MILLISECONDS = 10_000;
const MILLISECONDS_OF_MICROSECONDS = 0.001;
const PERCENTILES = ["p50", "p90", "p99"];
const COUNTS = [
  { metric: "Invocations", label: "Requests", chart: "traffic" },
  { metric: "InvocationsPerInstance", label: "Requests an instance", chart: "share" },
  { metric: "Invocation4XXErrors", label: "4xx", chart: "errors" },
  { metric: "Invocation5XXErrors", label: "5xx", chart: "errors" },
] as const;
const LATENCIES = [
  { metric: "ModelLatency", chart: "model" },
  { metric: "OverheadLatency", chart: "overhead" },
] as const;

type Plot = "traffic" | "share" | "errors" | "model" | "overhead" | (typeof UTILIZATION)[number]["metric"];

/** The traffic of an endpoint, its errors and its latency, as CloudWatch keeps them. */
export function Monitoring({ endpoint, variants }: { endpoint: string; variants: string[] }) {
  const time = useTimeRange();
  const [variant, setVariant] = useState("");
  const looked = useMemo(() => (variant && variants.includes(variant) ? [variant] : variants), [variant, variants.join()]);
  const asked = useMemo(() => queries(endpoint, looked), [endpoint, looked]);
  const found = usePolling(
    async (signal) => {
      const now = Date.now() / 1000;
      const series = asked.length ? await metricData(asked.map((each) => each.query), now - time.range, now, time.period, signal) : [];
      return { series, between: [(now - time.range) * 1000, now * 1000] as [number, number] };
    },
    [endpoint, looked, time.range, time.period],
    time.live ? LIVE_MILLISECONDS : 0,
  );
  const charts = useMemo(() => {
    const of = (plot: Plot) => (found.value?.series ?? []).filter((each, index) => asked[index]?.plot === plot && each.points.length > 0);
    // Variants without errors would only fill the legend.
    const isUneventful = (each: Series) => each.points.every(([, value]) => value === 0);
    const instances = UTILIZATION.map(({ metric, title }) => ({ title, series: of(metric) })).filter(({ series }) => series.length > 0);
    return { instances, traffic: of("traffic"), share: of("share"), errors: of("errors").filter((each) => !isUneventful(each)), model: of("model"), overhead: of("overhead") };
  }, [found.value, asked]);
  const between = found.value?.between;
  const options = [{ value: "", label: "All variants" }, ...variants.map((each) => ({ value: each, label: each }))];
  const nothing = found.loading && !found.value ? "Loading …" : "No requests in this time";

  return (
    <Container
      header={
        <Header
          actions={
            <SpaceBetween direction="horizontal" size="xs" alignItems="center">
              {variants.length > 1 && (
                <Select
                  selectedOption={options.find((each) => each.value === variant) ?? options[0] ?? null}
                  options={options}
                  onChange={({ detail }) => setVariant(detail.selectedOption.value ?? "")}
                  ariaLabel="Variant"
                />
              )}
              <TimeRange state={time} again={found.again} busy={found.loading && found.value !== undefined && !time.live} />
            </SpaceBetween>
          }
        >
          Monitoring
        </Header>
      }
    >
      <SpaceBetween size="l">
        {Boolean(found.error) && (
          <Alert type="warning" header="The metrics cannot be read">
            {told(found.error).message} ({told(found.error).code})
          </Alert>
        )}
        <Totals traffic={charts.traffic} errors={charts.errors} model={charts.model} overhead={charts.overhead} range={time.range} />
        <Grid gridDefinition={[THIRD, THIRD, THIRD, HALF, HALF]}>
          <Chart title="Requests" series={charts.traffic} kind="bar" stacked fromZero empty={nothing} {...(between ? { between } : {})} />
          <Chart title="Requests an instance" series={charts.share} fromZero empty={nothing} {...(between ? { between } : {})} />
          <Chart title="Errors" series={charts.errors} kind="bar" stacked fromZero empty={charts.traffic.length ? "No errors in this time" : nothing} {...(between ? { between } : {})} />
          <Chart title="Model latency (ms)" series={charts.model} unit="ms" fromZero empty={nothing} {...(between ? { between } : {})} />
          <Chart title="Overhead latency (ms)" series={charts.overhead} unit="ms" fromZero empty={nothing} {...(between ? { between } : {})} />
        </Grid>
        <Grid gridDefinition={charts.instances.map(() => THIRD)}>
          {charts.instances.map(({ title, series }) => (
            <Chart key={title} title={title} series={series} unit="%" fromZero {...(between ? { between } : {})} />
          ))}
        </Grid>
        <Box color="text-body-secondary" fontSize="body-s">
          Model latency is the time in the model's container; overhead is all that Clary adds to it. What the instances use is their mean, a value a minute.
        </Box>
      </SpaceBetween>
    </Container>
  );
}

const HALF = { colspan: { default: 12, s: 6 } };
const THIRD = { colspan: { default: 12, s: 4 } };

interface TotalsProps {
  traffic: Series[];
  errors: Series[];
  model: Series[];
  overhead: Series[];
  range: number;
}

/** What the charts add up to. */
function Totals({ traffic, errors, model, overhead, range }: TotalsProps) {
  const requests = sum(traffic);
  const failed = sum(errors);
  const big = (text: string) => <Box fontSize="heading-xl" fontWeight="bold">{text}</Box>;
  return (
    <KeyValuePairs
      columns={4}
      minColumnWidth={200}
      items={[
        { label: "Requests", value: big(traffic.length ? requests.toLocaleString() : "-") },
        { label: "Requests a second", value: big(traffic.length ? (requests / range).toLocaleString(undefined, { maximumSignificantDigits: 2 }) : "-") },
        { label: "Errors", value: big(requests > 0 ? `${failed.toLocaleString()} (${((100 * failed) / requests).toLocaleString(undefined, { maximumFractionDigits: 1 })} %)` : "-") },
        { label: "Latest p99, model + overhead", value: big(model.length ? `${latest(model)} + ${latest(overhead)}` : "-") },
      ]}
    />
  );
}

function sum(series: Series[]): number {
  return series.reduce((all, each) => all + each.points.reduce((total, [, value]) => total + value, 0), 0);
}

/** The slowest variant's last p99. */
function latest(series: Series[]): string {
  const values = series.filter((each) => each.name.endsWith("p99")).map((each) => each.points.at(-1)?.[1] ?? 0);
  if (!values.length) return "-";
  const slowest = Math.max(...values);
  const [value, unit] = slowest >= 1000 ? [slowest / 1000, "s"] : [slowest, "ms"];
  return `${value.toLocaleString(undefined, { maximumFractionDigits: 1 })} ${unit}`;
}

function queries(endpoint: string, variants: string[]): { plot: Plot; query: MetricQuery }[] {
  return variants.flatMap((variant) => {
    const shared = { namespace: "AWS/SageMaker", dimensions: { EndpointName: endpoint, VariantName: variant } };
    const named = (what: string) => (variants.length > 1 ? `${variant} ${what}`.trim() : what);
    return [
      ...COUNTS.map(({ metric, label, chart }) => ({
        plot: chart,
        query: { ...shared, metric, stat: "Sum", zero: true, label: variants.length > 1 && chart !== "errors" ? variant : named(label) },
      })),
      ...UTILIZATION.map(({ metric }) => ({ plot: metric, query: { ...shared, namespace: "/aws/sagemaker/Endpoints", metric, stat: "Average", label: variant } })),
      ...LATENCIES.flatMap(({ metric, chart }) =>
        PERCENTILES.map((stat) => ({ plot: chart, query: { ...shared, metric, stat, scale: MILLISECONDS_OF_MICROSECONDS, label: named(stat) } })),
      ),
    ];
  });
}
