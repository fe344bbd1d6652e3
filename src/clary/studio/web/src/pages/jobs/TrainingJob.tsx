import Box from "@cloudscape-design/components/box";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Steps, { type StepsProps } from "@cloudscape-design/components/steps";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import type { Members } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { LogView } from "../../kit/LogView";
import { S3Link } from "../../kit/S3Link";
import { words } from "../../kit/Status";
import { duration, exactly } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { JobPage } from "./JobPage";
import { TRAINING } from "./kinds";
import { type MetricDefinition, useLoggedMetrics } from "./metrics";
import { deployTrained, modelOf, plain } from "./trained";
import { TrainingMetrics } from "./TrainingMetrics";
import { useJob } from "./useJob";

interface Job extends Members {
  TrainingJobName: string;
  TrainingJobArn: string;
  TrainingJobStatus: string;
  SecondaryStatus: string;
  ResourceConfig?: { InstanceCount?: number; InstanceType?: string };
  ExperimentConfig?: { ExperimentName?: string };
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
  const [deploying, setDeploying] = useState(false);
  const watched = useJob<Job>(TRAINING, name);
  const { ended, logs } = watched;
  const logged = useLoggedMetrics(watched.described.value?.AlgorithmSpecification.MetricDefinitions, logs.events);

  async function deployIt(trained: Job) {
    setDeploying(true);
    try {
      const endpoint = await deployTrained(trained);
      notices.succeeded(`The endpoint ${endpoint} is being made`);
      navigate(below("endpoints", endpoint));
    } catch (error) {
      notices.failed("The model was not deployed", error);
      setDeploying(false);
    }
  }

  return (
    <JobPage
      kind={TRAINING}
      watched={watched}
      parts={(job) => {
        const experiment = job.ExperimentConfig?.ExperimentName;
        const isUsable = job.TrainingJobStatus === "Completed";
        return {
          stage: { label: "Stage", value: words(job.SecondaryStatus ?? "") || "-" },
          image: job.AlgorithmSpecification.TrainingImage ?? job.AlgorithmSpecification.AlgorithmName,
          instances: `${job.ResourceConfig?.InstanceCount ?? 1} × ${job.ResourceConfig?.InstanceType ?? "-"}`,
          ...(experiment ? { more: [{ label: "Experiment", value: <To path={below("experiments", experiment)}>{experiment}</To> }] } : {}),
          tabs: [
            { id: "metrics", label: "Metrics", content: <TrainingMetrics arn={job.TrainingJobArn} ended={ended} logged={logged} last={job.FinalMetricDataList ?? []} /> },
            { id: "logs", label: "Logs", content: <LogView logs={logs} name={name} /> },
            { id: "artifacts", label: "Inputs and outputs", content: <Artifacts job={job} /> },
            { id: "history", label: "History", content: <History job={job} /> },
          ],
          configuration: <Parameters given={job.HyperParameters ?? {}} />,
          main: (
            <ButtonDropdown
              variant="primary"
              loading={deploying}
              disabled={!isUsable}
              disabledReason="Only the model of a completed job can be used"
              mainAction={{
                text: "Deploy",
                loading: deploying,
                disabled: !isUsable,
                disabledReason: "Only the model of a completed job can be deployed",
                onClick: () => void deployIt(job),
              }}
              items={[{ id: "model", text: "Create model …" }]}
              onItemClick={() => navigate("/explorer/sagemaker/Model/create", { state: { fill: modelOf(job) } })}
              ariaLabel="More to do with the model"
            />
          ),
        };
      }}
    />
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

function Parameters({ given }: { given: Record<string, string> }) {
  const parameters = Object.entries(given).filter(([name]) => !(name in SCRIPT));
  const script = Object.entries(SCRIPT).filter(([name]) => name in given);
  return (
    <>
      <Container header={<Header counter={`(${parameters.length})`}>Hyperparameters</Header>}>
        {parameters.length ? <KeyValuePairs columns={4} items={parameters.map(([label, value]) => ({ label, value }))} /> : "None"}
      </Container>
      {script.length > 0 && (
        <Container header={<Header>Script</Header>}>
          <KeyValuePairs columns={4} items={script.map(([name, label]) => ({ label, value: <S3Link uri={plain(given[name])} /> }))} />
        </Container>
      )}
    </>
  );
}
