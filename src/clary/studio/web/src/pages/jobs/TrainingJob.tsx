import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import FormField from "@cloudscape-design/components/form-field";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Slider from "@cloudscape-design/components/slider";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Steps, { type StepsProps } from "@cloudscape-design/components/steps";
import Table from "@cloudscape-design/components/table";
import Tabs from "@cloudscape-design/components/tabs";
import Toggle from "@cloudscape-design/components/toggle";
import { useMemo, useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call, type Members } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Chart, shown } from "../../kit/Chart";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { CopyAs } from "../../kit/CopyAs";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { LogView } from "../../kit/LogView";
import { S3Link } from "../../kit/S3Link";
import { Status, words } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { duration, exactly, Time } from "../../kit/Time";
import { useLogs } from "../../kit/useLogs";
import { usePolling } from "../../kit/usePolling";
import { grouped, type MetricDefinition, metricSeries } from "./metrics";

const LIVE_MILLISECONDS = 1500;
const ENDED = ["Completed", "Failed", "Stopped"];

interface Job extends Members {
  TrainingJobName: string;
  TrainingJobArn: string;
  TrainingJobStatus: string;
  SecondaryStatus: string;
  CreationTime: number;
  AlgorithmSpecification: { TrainingImage?: string; AlgorithmName?: string; MetricDefinitions?: MetricDefinition[] };
  InputDataConfig?: Channel[];
  HyperParameters?: Record<string, string>;
  SecondaryStatusTransitions?: Transition[];
  FinalMetricDataList?: { MetricName: string; Value: number; Timestamp: number }[];
}

interface Channel {
  ChannelName: string;
  ContentType?: string;
  InputMode?: string;
  DataSource: { S3DataSource?: { S3Uri: string; S3DataType: string } };
}

interface Transition {
  Status: string;
  StartTime: number;
  EndTime?: number;
  StatusMessage?: string;
}

/** One training job: how it goes, what it measures, what it writes. */
export default function TrainingJob() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [stopping, setStopping] = useState(false);
  const [ended, setEnded] = useState(false);
  useTrail({ text: "Training jobs", to: "/training-jobs" }, { text: name });

  const described = usePolling(
    async (signal) => {
      const job = await call<Job>("sagemaker", "DescribeTrainingJob", { TrainingJobName: name }, signal);
      setEnded(ENDED.includes(job.TrainingJobStatus));
      return job;
    },
    [name],
    ended ? 0 : LIVE_MILLISECONDS,
  );
  const logs = useLogs("/aws/sagemaker/TrainingJobs", `${name}/`, !ended);
  const definitions = described.value?.AlgorithmSpecification.MetricDefinitions;
  const series = useMemo(() => metricSeries(definitions ?? [], logs.events), [definitions, logs.events]);

  if (described.error && !described.value) return <Failure what={`The job ${name} cannot be shown`} error={described.error} again={described.again} />;
  const job = described.value;
  if (!job) return <Spinner size="large" />;
  const resources = job["ResourceConfig"] as Members | undefined;
  const began = job["TrainingStartTime"] as number | undefined;
  const end = (job["TrainingEndTime"] as number | undefined) ?? Date.now() / 1000;

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={described.again} />
              <CopyAs service="sagemaker" operation="DescribeTrainingJob" members={{ TrainingJobName: name }} />
              <Button disabled={ended || job.TrainingJobStatus === "Stopping"} onClick={() => setStopping(true)}>
                Stop
              </Button>
              <Button
                variant="primary"
                disabled={job.TrainingJobStatus !== "Completed"}
                disabledReason="Only the model of a completed job can be used"
                onClick={() => navigate("/explorer/sagemaker/Model/create", { state: { fill: modelOf(job) } })}
              >
                Create model
              </Button>
            </SpaceBetween>
          }
        >
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {typeof job["FailureReason"] === "string" && (
          <Alert type="error" header="The job failed">
            <span style={{ whiteSpace: "pre-wrap" }}>{job["FailureReason"]}</span>
          </Alert>
        )}
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            items={[
              { label: "Status", value: <Status value={job.TrainingJobStatus} /> },
              { label: "Stage", value: words(job.SecondaryStatus ?? "") || "-" },
              { label: "Created", value: <Time at={job.CreationTime} /> },
              { label: "Training time", value: began === undefined ? "-" : duration(end - began) },
              { label: "Image", value: <Copy text={job.AlgorithmSpecification.TrainingImage ?? job.AlgorithmSpecification.AlgorithmName} /> },
              { label: "Instances", value: `${String(resources?.["InstanceCount"] ?? 1)} × ${String(resources?.["InstanceType"] ?? "-")}` },
              { label: "Role", value: <Copy text={job["RoleArn"]} /> },
              { label: "ARN", value: <Copy text={job.TrainingJobArn} /> },
            ]}
          />
        </Container>
        <Tabs
          tabs={[
            { id: "metrics", label: "Metrics", content: <Metrics job={job} series={series} /> },
            { id: "logs", label: "Logs", content: <LogView logs={logs} name={name} /> },
            { id: "artifacts", label: "Inputs and outputs", content: <Artifacts job={job} /> },
            { id: "history", label: "History", content: <History job={job} /> },
            { id: "configuration", label: "Configuration", content: <Configuration job={job} /> },
            { id: "tags", label: "Tags", content: <Tags arn={job.TrainingJobArn} /> },
          ]}
        />
      </SpaceBetween>
      {stopping && (
        <Confirm
          verb="Stop"
          title="Stop this job?"
          names={[name]}
          onDismiss={() => setStopping(false)}
          onConfirm={async () => {
            await call("sagemaker", "StopTrainingJob", { TrainingJobName: name });
            notices.succeeded("Stopping");
            described.again();
          }}
        >
          The job gets 120 seconds to save its work. What it has written is kept.
        </Confirm>
      )}
    </ContentLayout>
  );
}

function Metrics({ job, series }: { job: Job; series: ReturnType<typeof metricSeries> }) {
  const [log, setLog] = useState(false);
  const [smoothing, setSmoothing] = useState(0);
  const charts = grouped(series);
  const last = job.FinalMetricDataList ?? [];
  return (
    <SpaceBetween size="m">
      <SpaceBetween direction="horizontal" size="l" alignItems="end">
        <Toggle checked={log} onChange={({ detail }) => setLog(detail.checked)}>
          Logarithmic
        </Toggle>
        <div style={{ width: 220 }}>
          <FormField label={`Smoothing ${smoothing.toFixed(2)}`}>
            <Slider value={smoothing} min={0} max={0.99} step={0.01} onChange={({ detail }) => setSmoothing(detail.value)} ariaLabel="Smoothing" hideFillLine />
          </FormField>
        </div>
      </SpaceBetween>
      {charts.length === 0 && (
        <Box color="text-body-secondary" padding="l" textAlign="center">
          {ENDED.includes(job.TrainingJobStatus) ? "The job wrote no metrics that its definitions find in the log" : "No metrics yet"}
        </Box>
      )}
      <Grid gridDefinition={charts.map(() => ({ colspan: { default: 12, m: charts.length === 1 ? 12 : 6 } }))}>
        {charts.map((chart) => (
          <Container key={chart.title}>
            <Chart title={chart.title} series={chart.series} log={log} smoothing={smoothing} />
          </Container>
        ))}
      </Grid>
      {last.length > 0 && (
        <Table
          header={<Header counter={`(${last.length})`}>Final values</Header>}
          items={last}
          columnDefinitions={[
            { id: "name", header: "Metric", cell: (row) => row.MetricName, isRowHeader: true },
            { id: "value", header: "Value", cell: (row) => shown(row.Value) },
            { id: "time", header: "Time", cell: (row) => exactly(row.Timestamp) },
          ]}
          ariaLabels={{ tableLabel: "Final values" }}
        />
      )}
    </SpaceBetween>
  );
}

function Artifacts({ job }: { job: Job }) {
  const output = (job["ModelArtifacts"] as Members | undefined)?.["S3ModelArtifacts"] ?? (job["OutputDataConfig"] as Members | undefined)?.["S3OutputPath"];
  const checkpoints = (job["CheckpointConfig"] as Members | undefined)?.["S3Uri"];
  return (
    <SpaceBetween size="l">
      <Table
        header={<Header counter={`(${job.InputDataConfig?.length ?? 0})`}>Inputs</Header>}
        items={job.InputDataConfig ?? []}
        columnDefinitions={[
          { id: "name", header: "Channel", cell: (row) => row.ChannelName, isRowHeader: true },
          { id: "uri", header: "Data", cell: (row) => <S3Link uri={row.DataSource.S3DataSource?.S3Uri} /> },
          { id: "type", header: "Content type", cell: (row) => row.ContentType ?? "-" },
          { id: "mode", header: "Mode", cell: (row) => row.InputMode ?? "-" },
        ]}
        empty="No inputs"
        ariaLabels={{ tableLabel: "Inputs" }}
      />
      <Container header={<Header>Outputs</Header>}>
        <KeyValuePairs
          columns={2}
          items={[
            { label: job["ModelArtifacts"] ? "Model" : "Output path", value: <S3Link uri={output} /> },
            { label: "Checkpoints", value: <S3Link uri={checkpoints} /> },
          ]}
        />
      </Container>
    </SpaceBetween>
  );
}

const STEPS: Record<string, StepsProps.Status> = { Completed: "success", Failed: "error", Stopped: "stopped", MaxRuntimeExceeded: "stopped", Interrupted: "warning" };

function History({ job }: { job: Job }) {
  const transitions = job.SecondaryStatusTransitions ?? [];
  return (
    <Container header={<Header>History</Header>}>
      <Steps
        ariaLabel="History"
        steps={transitions.map((step, index) => ({
          status: STEPS[step.Status] ?? (step.EndTime !== undefined || index < transitions.length - 1 ? "success" : "in-progress"),
          header: words(step.Status),
          details: (
            <Box color="text-body-secondary">
              {exactly(step.StartTime)}
              {step.EndTime !== undefined && ` · ${duration(step.EndTime - step.StartTime)}`}
              {step.StatusMessage && ` · ${step.StatusMessage}`}
            </Box>
          ),
        }))}
      />
    </Container>
  );
}

function Configuration({ job }: { job: Job }) {
  const parameters = Object.entries(job.HyperParameters ?? {});
  return (
    <SpaceBetween size="l">
      <Container header={<Header counter={`(${parameters.length})`}>Hyperparameters</Header>}>
        {parameters.length ? <KeyValuePairs columns={4} items={parameters.map(([label, value]) => ({ label, value }))} /> : "None"}
      </Container>
      <Container header={<Header>All of it</Header>}>
        <JsonView value={job} />
      </Container>
    </SpaceBetween>
  );
}

/** What CreateModel wants to serve what a job has trained. */
function modelOf(job: Job): Members {
  return {
    ModelName: job.TrainingJobName,
    ExecutionRoleArn: job["RoleArn"],
    PrimaryContainer: {
      Image: job.AlgorithmSpecification.TrainingImage,
      ModelDataUrl: (job["ModelArtifacts"] as Members | undefined)?.["S3ModelArtifacts"],
    },
  };
}
