import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import FormField from "@cloudscape-design/components/form-field";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import Toggle from "@cloudscape-design/components/toggle";
import { useMemo, useState } from "react";
import { useParams, useSearchParams } from "react-router-dom";

import { call } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { Chart, colour, shown } from "../../kit/Chart";
import { ChartControls, useChartView } from "../../kit/ChartControls";
import { Failure } from "../../kit/Failure";
import { PageTabs } from "../../kit/PageTabs";
import { Scatter } from "../../kit/Scatter";
import { duration } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { useTab } from "../../kit/useTab";
import type { Metrics } from "../jobs/metrics";
import { lastOf, metricsOf, namesIn, OWN, parametersOf, type Run, seriesOf, titleOf, valueOf } from "./run";

interface Compared {
  run: Run;
  /** A title that no other has. */
  title: string;
  series: Metrics;
}

/** Some runs of an experiment side by side: what differs, how they learned, and what a parameter did to a metric. */
export default function Compare() {
  const { name = "" } = useParams();
  const [search] = useSearchParams();
  const asked = (search.get("runs") ?? "").split(",").filter(Boolean);
  useTrail({ text: "Experiments", to: "/experiments" }, { text: name, to: below("experiments", name) }, { text: "Compare" });
  const found = usePolling(
    (signal) =>
      Promise.all(
        asked.map(async (component) => {
          const run = await call<Run>("sagemaker", "DescribeTrialComponent", { TrialComponentName: component }, signal);
          return { run, series: await seriesOf(run, signal) };
        }),
      ),
    [name, asked],
  );
  const compared = useMemo<Compared[]>(() => {
    const titles = (found.value ?? []).map(({ run }) => titleOf(run));
    return (found.value ?? []).map(({ run, series }) => {
      const title = titleOf(run);
      return { run, series, title: titles.filter((other) => other === title).length > 1 ? run.TrialComponentName : title };
    });
  }, [found.value]);

  if (found.error && !found.value) return <Failure what="The runs cannot be compared" error={found.error} again={found.again} />;
  if (!found.value) return <Spinner size="large" />;
  return (
    <ContentLayout header={<Header variant="h1" description={`Runs of ${name}`} counter={`(${compared.length})`}>Compare runs</Header>}>
      <PageTabs
        label="How runs are compared"
        tabs={[
          { id: "charts", label: "Charts", content: <Charts compared={compared} /> },
          { id: "table", label: "Differences", content: <Differences experiment={name} compared={compared} /> },
          { id: "scatter", label: "Parameter and metric", content: <Against compared={compared} /> },
        ]}
      />
    </ContentLayout>
  );
}

function Charts({ compared }: { compared: Compared[] }) {
  const [view, setView] = useChartView();
  const charts = useMemo(() => {
    const names = namesIn(compared.map(({ run }) => run), metricsOf);
    return names
      .map((metric) => ({
        metric,
        series: compared.map(({ title, series }) => ({ name: title, points: (series.get(metric) ?? []).map(({ step, value }): [number, number] => [step, value]) })),
      }))
      .filter(({ series }) => series.some((each) => each.points.length > 1));
  }, [compared]);
  if (charts.length === 0) {
    return (
      <Box textAlign="center" padding="l" color="text-body-secondary">
        None of these runs has a metric with more than one value; see Differences for their last values
      </Box>
    );
  }
  return (
    <SpaceBetween size="m">
      <ChartControls view={view} onChange={setView} times={false} />
      <Grid gridDefinition={charts.map(() => ({ colspan: { default: 12, m: charts.length === 1 ? 12 : 6 } }))}>
        {charts.map((chart) => (
          <Container key={chart.metric}>
            <Chart title={chart.metric} series={chart.series} x="number" xName="Step" log={view.log} smoothing={view.smoothing} />
          </Container>
        ))}
      </Grid>
    </SpaceBetween>
  );
}

interface Line {
  kind: "Metric" | "Parameter" | "Run";
  name: string;
  values: (string | number | undefined)[];
  differs: boolean;
}

function Differences({ experiment, compared }: { experiment: string; compared: Compared[] }) {
  const [only, setOnly] = useState(false);
  const runs = compared.map(({ run }) => run);
  const names = compared.map(({ title }) => ({ name: title }));
  const line = (kind: Line["kind"], name: string, values: Line["values"]): Line => ({ kind, name, values, differs: new Set(values).size > 1 });
  const lines = [
    ...namesIn(runs, metricsOf).map((name) => line("Metric", name, runs.map((run) => lastOf(run, name)))),
    ...namesIn(runs, parametersOf).map((name) => line("Parameter", name, runs.map((run) => valueOf(run.Parameters?.[name])))),
    line("Run", "Status", runs.map((run) => run.Status?.PrimaryStatus)),
    line("Run", "Took", runs.map((run) => duration(run.StartTime && run.EndTime ? run.EndTime - run.StartTime : undefined))),
  ].sort((a, b) => Number(OWN.test(a.name)) - Number(OWN.test(b.name)));
  return (
    <Table
      header={
        <Header
          variant="h2"
          counter={`(${lines.filter((each) => each.differs).length} of ${lines.length} differ)`}
          actions={
            <Toggle checked={only} onChange={({ detail }) => setOnly(detail.checked)}>
              Only differences
            </Toggle>
          }
        >
          Parameters and metrics
        </Header>
      }
      items={only ? lines.filter((each) => each.differs) : lines}
      trackBy={(each) => `${each.kind} ${each.name}`}
      stickyColumns={{ first: 2 }}
      wrapLines
      columnDefinitions={[
        { id: "kind", header: "Kind", cell: (each) => each.kind, width: 110 },
        { id: "name", header: "Name", isRowHeader: true, cell: (each) => each.name, width: 220 },
        ...compared.map(({ run, title }, index) => ({
          id: run.TrialComponentName,
          minWidth: 140,
          header: (
            <>
              <span className="clary-swatch" style={{ background: colour(title, names) }} aria-hidden="true" />
              <To path={`${below("experiments", experiment)}${below("runs", run.TrialComponentName)}`}>{title}</To>
            </>
          ),
          cell: (each: Line) => {
            const value = each.values[index];
            const text = typeof value === "number" ? shown(value) : (value ?? "-");
            return each.differs ? <mark className="clary-differing">{text}{extreme(each, index)}</mark> : text;
          },
        })),
      ]}
      ariaLabels={{ tableLabel: "Parameters and metrics" }}
    />
  );
}

/** Marks the least and the greatest value of a metric, since which of them is the better one only a person knows. */
function extreme(line: Line, index: number): string {
  if (line.kind !== "Metric") return "";
  const numbers = line.values.filter((value): value is number => typeof value === "number");
  const value = line.values[index];
  if (numbers.length < 2 || typeof value !== "number") return "";
  if (value === Math.max(...numbers)) return " ▲";
  return value === Math.min(...numbers) ? " ▼" : "";
}

function Against({ compared }: { compared: Compared[] }) {
  const runs = compared.map(({ run }) => run);
  const parameters = namesIn(runs, parametersOf).filter((name) => runs.some((run) => run.Parameters?.[name]?.NumberValue !== undefined));
  const metrics = namesIn(runs, metricsOf);
  const differing = parameters.find((name) => !OWN.test(name) && new Set(runs.map((run) => valueOf(run.Parameters?.[name]))).size > 1);
  const [x, setX] = useTab(differing ?? parameters[0] ?? "", "x");
  const [y, setY] = useTab(metrics[0] ?? "", "y");
  const [log, setLog] = useState(false);
  if (parameters.length === 0 || metrics.length === 0) {
    return (
      <Box textAlign="center" padding="l" color="text-body-secondary">
        This needs a parameter that is a number, and a metric
      </Box>
    );
  }
  const points = compared.flatMap(({ run, title }) => {
    const given = run.Parameters?.[x]?.NumberValue;
    const reached = lastOf(run, y);
    return given === undefined || reached === undefined ? [] : [{ name: title, x: given, y: reached }];
  });
  return (
    <Container>
      <SpaceBetween size="m">
        <SpaceBetween direction="horizontal" size="l" alignItems="end">
          <FormField label="Parameter">
            <Choice value={x} options={parameters} onChange={setX} label="Parameter" />
          </FormField>
          <FormField label="Metric">
            <Choice value={y} options={metrics} onChange={setY} label="Metric" />
          </FormField>
          <Toggle checked={log} onChange={({ detail }) => setLog(detail.checked)}>
            Logarithmic
          </Toggle>
        </SpaceBetween>
        <Scatter label={`${x} against ${y}`} points={points} names={compared.map(({ title }) => title)} xName={x} yName={y} log={log} />
      </SpaceBetween>
    </Container>
  );
}

function Choice({ value, options, onChange, label }: { value: string; options: string[]; onChange: (value: string) => void; label: string }) {
  return (
    <Select
      selectedOption={{ value, label: value }}
      options={options.map((option) => ({ value: option, label: option }))}
      onChange={({ detail }) => onChange(detail.selectedOption.value ?? "")}
      ariaLabel={label}
      filteringType={options.length > 8 ? "auto" : "none"}
      expandToViewport
    />
  );
}
