import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Steps, { type StepsProps } from "@cloudscape-design/components/steps";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call, type Members } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { CopyAs } from "../../kit/CopyAs";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { LogView } from "../../kit/LogView";
import { newName } from "../../kit/names";
import { PageTabs } from "../../kit/PageTabs";
import { S3Link } from "../../kit/S3Link";
import { Status, words } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { duration, exactly, Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { useLogs } from "../../kit/useLogs";
import { usePolling } from "../../kit/usePolling";
import { deploy, modelOf, plain } from "./deploy";
import { requestOf } from "../../kit/forms/fill";
import { hasEnded, LIVE_MILLISECONDS } from "./ending";
import { type MetricDefinition, useLoggedMetrics } from "./metrics";
import { TrainingMetrics } from "./TrainingMetrics";


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
  const [deploying, setDeploying] = useState(false);
  useTrail({ text: "Training jobs", to: "/training-jobs" }, { text: name });

  const described = usePolling(
    async (signal) => {
      const job = await call<Job>("sagemaker", "DescribeTrainingJob", { TrainingJobName: name }, signal);
      setEnded(hasEnded(job.TrainingJobStatus));
      return job;
    },
    [name],
    ended ? 0 : LIVE_MILLISECONDS,
  );
  const logs = useLogs("/aws/sagemaker/TrainingJobs", `${name}/`, !ended);
  const logged = useLoggedMetrics(described.value?.AlgorithmSpecification.MetricDefinitions, logs.events);

  if (described.error && !described.value) return <Failure what={`The job ${name} cannot be shown`} error={described.error} again={described.again} />;
  const job = described.value;
  if (!job) return <Spinner size="large" />;
  const resources = job["ResourceConfig"] as Members | undefined;
  const experiment = (job["ExperimentConfig"] as { ExperimentName?: string } | undefined)?.ExperimentName;
  const began = job["TrainingStartTime"] as number | undefined;
  const end = (job["TrainingEndTime"] as number | undefined) ?? Date.now() / 1000;

  async function trainAgain(before: Job) {
    try {
      const fill = await requestOf("sagemaker", "CreateTrainingJob", before);
      navigate("/explorer/sagemaker/TrainingJob/create", { state: { fill: { ...fill, TrainingJobName: newName(name) } } });
    } catch (error) {
      notices.failed("The form cannot be shown", error);
    }
  }

  async function deployIt(trained: Job) {
    setDeploying(true);
    try {
      const endpoint = await deploy(trained);
      notices.succeeded(`The endpoint ${endpoint} is being made`);
      navigate(below("endpoints", endpoint));
    } catch (error) {
      notices.failed("The model was not deployed", error);
      setDeploying(false);
    }
  }

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={described.again} />
              <CopyAs service="sagemaker" operation="CreateTrainingJob" members={() => requestOf("sagemaker", "CreateTrainingJob", job)} />
              <Button disabled={ended || job.TrainingJobStatus === "Stopping"} onClick={() => setStopping(true)}>
                Stop
              </Button>
              <Button onClick={() => void trainAgain(job)}>Train again with changes</Button>
              <ButtonDropdown
                variant="primary"
                loading={deploying}
                disabled={job.TrainingJobStatus !== "Completed"}
                disabledReason="Only the model of a completed job can be used"
                mainAction={{
                  text: "Deploy",
                  loading: deploying,
                  disabled: job.TrainingJobStatus !== "Completed",
                  disabledReason: "Only the model of a completed job can be deployed",
                  onClick: () => void deployIt(job),
                }}
                items={[{ id: "model", text: "Create model …" }]}
                onItemClick={() => navigate("/explorer/sagemaker/Model/create", { state: { fill: modelOf(job) } })}
                ariaLabel="More to do with the model"
              />
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
            <span className="clary-reason">{job["FailureReason"]}</span>
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
              ...(experiment ? [{ label: "Experiment", value: <To path={below("experiments", experiment)}>{experiment}</To> }] : []),
            ]}
          />
        </Container>
        <PageTabs
          label="About this job"
          tabs={[
            {
              id: "metrics",
              label: "Metrics",
              content: <TrainingMetrics arn={job.TrainingJobArn} ended={ended} logged={logged} last={job.FinalMetricDataList ?? []} />,
            },
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

function Artifacts({ job }: { job: Job }) {
  const output = (job["ModelArtifacts"] as Members | undefined)?.["S3ModelArtifacts"] ?? (job["OutputDataConfig"] as Members | undefined)?.["S3OutputPath"];
  const checkpoints = (job["CheckpointConfig"] as Members | undefined)?.["S3Uri"];
  return (
    <SpaceBetween size="l">
      <Table
        header={<Header counter={`(${job.InputDataConfig?.length ?? 0})`}>Inputs</Header>}
        items={job.InputDataConfig ?? []}
        wrapLines
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

/** Hyperparameters of script mode that the SDK sets, by what they mean. */
const SCRIPT = { sagemaker_program: "Program", sagemaker_submit_directory: "Source", sagemaker_region: "Region", sagemaker_job_name: "Job", sagemaker_container_log_level: "Log level" };

function Configuration({ job }: { job: Job }) {
  const given = job.HyperParameters ?? {};
  const parameters = Object.entries(given).filter(([name]) => !(name in SCRIPT));
  const script = Object.entries(SCRIPT).filter(([name]) => name in given);
  const variables = Object.entries((job["Environment"] ?? {}) as Record<string, string>);
  return (
    <SpaceBetween size="l">
      <Container header={<Header counter={`(${parameters.length})`}>Hyperparameters</Header>}>
        {parameters.length ? <KeyValuePairs columns={4} items={parameters.map(([label, value]) => ({ label, value }))} /> : "None"}
      </Container>
      {script.length > 0 && (
        <Container header={<Header>Script</Header>}>
          <KeyValuePairs columns={4} items={script.map(([name, label]) => ({ label, value: <S3Link uri={plain(given[name])} /> }))} />
        </Container>
      )}
      {variables.length > 0 && (
        <Container header={<Header counter={`(${variables.length})`}>Environment</Header>}>
          <KeyValuePairs columns={4} items={variables.map(([label, value]) => ({ label, value }))} />
        </Container>
      )}
      <Container header={<Header>All of it</Header>}>
        <JsonView value={job} />
      </Container>
    </SpaceBetween>
  );
}
