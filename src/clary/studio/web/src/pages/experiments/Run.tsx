import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useMemo, useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Chart, shown } from "../../kit/Chart";
import { ChartControls, useChartView } from "../../kit/ChartControls";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { CopyAs } from "../../kit/CopyAs";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { PageTabs } from "../../kit/PageTabs";
import { S3Link } from "../../kit/S3Link";
import { Status } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { duration, Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { hasEnded } from "../jobs/useJob";
import { grouped } from "../jobs/metrics";
import { type Artifact, OWN, type Run as Component, seriesOf, sourcePath, titleOf, valueOf } from "./run";

const LIVE_MILLISECONDS = 3000;

interface Association {
  SourceArn: string;
  DestinationArn: string;
  SourceName?: string;
  DestinationName?: string;
  SourceType?: string;
  DestinationType?: string;
  AssociationType?: string;
}

/** One run of an experiment: what it was given, what it reached, what it read and wrote. */
export default function Run() {
  const { name = "", run: component = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [deleting, setDeleting] = useState(false);
  const [ended, setEnded] = useState(false);
  const described = usePolling(
    async (signal) => {
      const run = await call<Component>("sagemaker", "DescribeTrialComponent", { TrialComponentName: component }, signal);
      setEnded(hasEnded(run.Status?.PrimaryStatus ?? "Completed"));
      return { run, series: await seriesOf(run, signal) };
    },
    [component],
    ended ? 0 : LIVE_MILLISECONDS,
  );
  const title = described.value ? titleOf(described.value.run) : component;
  useTrail({ text: "Experiments", to: "/experiments" }, { text: name, to: below("experiments", name) }, { text: title });

  if (described.error && !described.value) return <Failure what={`The run ${component} cannot be shown`} error={described.error} again={described.again} />;
  if (!described.value) return <Spinner size="large" />;
  const { run, series } = described.value;
  const source = sourcePath(run.Source?.SourceArn);

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <div className="clary-actions">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={described.again} />
              <CopyAs service="sagemaker" operation="DescribeTrialComponent" members={{ TrialComponentName: component }} />
              <Button onClick={() => setDeleting(true)}>Delete</Button>
            </div>
          }
        >
          {title}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {run.Status?.PrimaryStatus === "Failed" && run.Status.Message && (
          <Alert type="error" header="The run failed">
            <span className="clary-reason">{run.Status.Message}</span>
          </Alert>
        )}
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            items={[
              { label: "Status", value: <Status value={run.Status?.PrimaryStatus} /> },
              { label: "Started", value: <Time at={run.StartTime ?? run.CreationTime} /> },
              { label: "Took", value: duration(run.StartTime && run.EndTime ? run.EndTime - run.StartTime : undefined) },
              { label: "Made by", value: source ? <To path={source}>{decodeURIComponent(source.split("/").pop() ?? "")}</To> : "A script" },
              { label: "Name", value: <Copy text={run.TrialComponentName} /> },
              { label: "ARN", value: <Copy text={run.TrialComponentArn} /> },
            ]}
          />
        </Container>
        <PageTabs
          label="About this run"
          tabs={[
            { id: "metrics", label: "Metrics", content: <MetricsOf run={run} series={series} /> },
            { id: "parameters", label: "Parameters", content: <Parameters run={run} /> },
            { id: "artifacts", label: "Inputs and outputs", content: <Artifacts run={run} /> },
            { id: "related", label: "Related", content: <Related arn={run.TrialComponentArn} /> },
            { id: "tags", label: "Tags", content: <Tags arn={run.TrialComponentArn} /> },
            { id: "json", label: "JSON", content: <JsonView value={run} /> },
          ]}
        />
      </SpaceBetween>
      {deleting && (
        <Confirm
          verb="Delete"
          title="Delete this run?"
          names={[title]}
          onDismiss={() => setDeleting(false)}
          onConfirm={async () => {
            const trials = await call<{ TrialSummaries: { TrialName: string }[] }>("sagemaker", "ListTrials", { TrialComponentName: component });
            for (const { TrialName } of trials.TrialSummaries) await call("sagemaker", "DisassociateTrialComponent", { TrialComponentName: component, TrialName });
            await call("sagemaker", "DeleteTrialComponent", { TrialComponentName: component });
            notices.succeeded("Deleted");
            navigate(below("experiments", name));
          }}
        >
          Its parameters and metrics are lost; what it wrote to S3 is kept.
        </Confirm>
      )}
    </ContentLayout>
  );
}

function MetricsOf({ run, series }: { run: Component; series: Awaited<ReturnType<typeof seriesOf>> }) {
  const [view, setView] = useChartView();
  const charts = useMemo(
    () =>
      grouped([...series.keys()])
        .map(({ title, names }) => ({ title, series: names.map((metric) => ({ name: metric, points: (series.get(metric) ?? []).map(({ step, value }): [number, number] => [step, value]) })) }))
        .filter((chart) => chart.series.some((each) => each.points.length > 1)),
    [series],
  );
  return (
    <SpaceBetween size="m">
      {charts.length > 0 && <ChartControls view={view} onChange={setView} times={false} />}
      <Grid gridDefinition={charts.map(() => ({ colspan: { default: 12, m: charts.length === 1 ? 12 : 6 } }))}>
        {charts.map((chart) => (
          <Container key={chart.title}>
            <Chart title={chart.title} series={chart.series} x="number" xName="Step" log={view.log} smoothing={view.smoothing} />
          </Container>
        ))}
      </Grid>
      <Table
        header={<Header counter={`(${run.Metrics?.length ?? 0})`}>Values</Header>}
        items={run.Metrics ?? []}
        columnDefinitions={[
          { id: "name", header: "Metric", isRowHeader: true, cell: (metric) => metric.MetricName },
          { id: "last", header: "Last", cell: (metric) => shown(metric.Last) },
          { id: "min", header: "Least", cell: (metric) => shown(metric.Min) },
          { id: "max", header: "Most", cell: (metric) => shown(metric.Max) },
          { id: "mean", header: "Mean", cell: (metric) => shown(metric.Avg) },
          { id: "count", header: "Values", cell: (metric) => metric.Count?.toLocaleString() ?? "-" },
        ]}
        empty="No metrics"
        ariaLabels={{ tableLabel: "Values" }}
      />
    </SpaceBetween>
  );
}

function Parameters({ run }: { run: Component }) {
  const all = Object.entries(run.Parameters ?? {}).sort(([a], [b]) => Number(OWN.test(a)) - Number(OWN.test(b)));
  return (
    <Container header={<Header counter={`(${all.length})`}>Parameters</Header>}>
      {all.length ? <KeyValuePairs columns={4} items={all.map(([label, value]) => ({ label, value: String(valueOf(value) ?? "-") }))} /> : "No parameters"}
    </Container>
  );
}

function Artifacts({ run }: { run: Component }) {
  return (
    <SpaceBetween size="l">
      <ArtifactTable title="Inputs" artifacts={run.InputArtifacts} />
      <ArtifactTable title="Outputs" artifacts={run.OutputArtifacts} />
    </SpaceBetween>
  );
}

function ArtifactTable({ title, artifacts }: { title: string; artifacts: Record<string, Artifact> | undefined }) {
  const rows = Object.entries(artifacts ?? {});
  return (
    <Table
      header={<Header counter={`(${rows.length})`}>{title}</Header>}
      items={rows}
      wrapLines
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, cell: ([label]) => label },
        { id: "value", header: "Where", cell: ([, artifact]) => <S3Link uri={artifact.Value} /> },
        { id: "type", header: "Type", cell: ([, artifact]) => artifact.MediaType ?? "-" },
      ]}
      empty={`No ${title.toLowerCase()}`}
      ariaLabels={{ tableLabel: title }}
    />
  );
}

function Related({ arn }: { arn: string }) {
  const found = usePolling(
    async (signal) => {
      const [after, before] = await Promise.all(
        [{ SourceArn: arn }, { DestinationArn: arn }].map((members) => call<{ AssociationSummaries: Association[] }>("sagemaker", "ListAssociations", members, signal)),
      );
      return [...(before?.AssociationSummaries ?? []), ...(after?.AssociationSummaries ?? [])];
    },
    [arn],
  );
  if (found.error) return <Failure what="What belongs to the run cannot be shown" error={found.error} again={found.again} />;
  return (
    <Table
      header={<Header counter={`(${found.value?.length ?? 0})`}>Artifacts, actions and contexts</Header>}
      items={found.value ?? []}
      loading={!found.value}
      loadingText="Loading"
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, cell: (each) => <Other association={each} of={arn} /> },
        { id: "type", header: "Type", cell: (each) => (each.SourceArn === arn ? each.DestinationType : each.SourceType) ?? "-" },
        { id: "how", header: "How", cell: (each) => each.AssociationType ?? "-" },
        { id: "way", header: "Direction", cell: (each) => (each.SourceArn === arn ? "From this run" : "To this run") },
      ]}
      empty={<Box color="text-body-secondary">Lineage knows of nothing that belongs to this run</Box>}
      ariaLabels={{ tableLabel: "Artifacts, actions and contexts" }}
    />
  );
}

const NOUNS: Record<string, string> = { artifact: "Artifact", action: "Action", context: "Context" };

function Other({ association, of }: { association: Association; of: string }) {
  const arn = association.SourceArn === of ? association.DestinationArn : association.SourceArn;
  const name = (association.SourceArn === of ? association.DestinationName : association.SourceName) ?? arn.split("/").pop() ?? arn;
  const noun = NOUNS[arn.split(":")[5]?.split("/")[0] ?? ""];
  return noun ? <To path={`/explorer/sagemaker/${noun}/of/${encodeURIComponent(noun === "Artifact" ? arn : name)}`}>{name}</To> : <Copy text={arn} />;
}
