import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
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
import { Status } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { duration, Time } from "../../kit/Time";
import { useLogs } from "../../kit/useLogs";
import { usePolling } from "../../kit/usePolling";
import { requestOf } from "../../kit/forms/fill";
import { hasEnded, LIVE_MILLISECONDS } from "./ending";

interface Job extends Members {
  ProcessingJobName: string;
  ProcessingJobArn: string;
  ProcessingJobStatus: string;
  CreationTime: number;
  ProcessingStartTime?: number;
  ProcessingEndTime?: number;
  FailureReason?: string;
  ExitMessage?: string;
  RoleArn?: string;
  Environment?: Record<string, string>;
  AppSpecification: { ImageUri: string; ContainerEntrypoint?: string[]; ContainerArguments?: string[] };
  ProcessingInputs?: { InputName: string; S3Input?: { S3Uri: string; LocalPath?: string; S3InputMode?: string } }[];
  ProcessingOutputConfig?: { Outputs: { OutputName: string; S3Output?: { S3Uri: string; LocalPath?: string; S3UploadMode?: string } }[] };
  ProcessingResources: { ClusterConfig: { InstanceCount: number; InstanceType: string; VolumeSizeInGB: number } };
}

/** One processing job: how it goes, what it reads and writes, what it says. */
export default function ProcessingJob() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [stopping, setStopping] = useState(false);
  const [ended, setEnded] = useState(false);
  useTrail({ text: "Processing jobs", to: "/processing-jobs" }, { text: name });

  const described = usePolling(
    async (signal) => {
      const job = await call<Job>("sagemaker", "DescribeProcessingJob", { ProcessingJobName: name }, signal);
      setEnded(hasEnded(job.ProcessingJobStatus));
      return job;
    },
    [name],
    ended ? 0 : LIVE_MILLISECONDS,
  );
  const logs = useLogs("/aws/sagemaker/ProcessingJobs", `${name}/`, !ended);

  if (described.error && !described.value) return <Failure what={`The job ${name} cannot be shown`} error={described.error} again={described.again} />;
  const job = described.value;
  if (!job) return <Spinner size="large" />;
  const cluster = job.ProcessingResources.ClusterConfig;
  const ran = job.ProcessingStartTime === undefined ? undefined : (job.ProcessingEndTime ?? Date.now() / 1000) - job.ProcessingStartTime;

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={described.again} />
              <CopyAs service="sagemaker" operation="CreateProcessingJob" members={() => requestOf("sagemaker", "CreateProcessingJob", job)} />
              <Button disabled={ended || job.ProcessingJobStatus === "Stopping"} onClick={() => setStopping(true)}>
                Stop
              </Button>
              <Button
                variant="primary"
                onClick={() =>
                  void requestOf("sagemaker", "CreateProcessingJob", job).then(
                    (fill) => navigate("/explorer/sagemaker/ProcessingJob/create", { state: { fill: { ...fill, ProcessingJobName: newName(name) } } }),
                    (error: unknown) => notices.failed("The form cannot be shown", error),
                  )
                }
              >
                Run again with changes
              </Button>
            </SpaceBetween>
          }
        >
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {job.FailureReason && (
          <Alert type="error" header="The job failed">
            <span className="clary-reason">{job.FailureReason}</span>
          </Alert>
        )}
        {job.ExitMessage && (
          <Alert type={job.ProcessingJobStatus === "Failed" ? "error" : "info"} header="What the container left as its message">
            <span className="clary-reason">{job.ExitMessage}</span>
          </Alert>
        )}
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            items={[
              { label: "Status", value: <Status value={job.ProcessingJobStatus} /> },
              { label: "Created", value: <Time at={job.CreationTime} /> },
              { label: "Started", value: <Time at={job.ProcessingStartTime} /> },
              { label: "Took", value: duration(ran) },
              { label: "Image", value: <Copy text={job.AppSpecification.ImageUri} /> },
              { label: "Instances", value: `${cluster.InstanceCount} × ${cluster.InstanceType}, ${cluster.VolumeSizeInGB} GB` },
              { label: "Role", value: <Copy text={job.RoleArn} /> },
              { label: "ARN", value: <Copy text={job.ProcessingJobArn} /> },
            ]}
          />
        </Container>
        <PageTabs
          label="About this job"
          tabs={[
            { id: "logs", label: "Logs", content: <LogView logs={logs} name={name} /> },
            { id: "data", label: "Inputs and outputs", content: <Data job={job} /> },
            { id: "configuration", label: "Configuration", content: <Configuration job={job} /> },
            { id: "tags", label: "Tags", content: <Tags arn={job.ProcessingJobArn} /> },
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
            await call("sagemaker", "StopProcessingJob", { ProcessingJobName: name });
            notices.succeeded("Stopping");
            described.again();
          }}
        >
          The job gets 120 seconds to save its work.
        </Confirm>
      )}
    </ContentLayout>
  );
}

function Data({ job }: { job: Job }) {
  const inputs = job.ProcessingInputs ?? [];
  const outputs = job.ProcessingOutputConfig?.Outputs ?? [];
  return (
    <SpaceBetween size="l">
      <Table
        header={<Header counter={`(${inputs.length})`}>Inputs</Header>}
        items={inputs}
        wrapLines
        columnDefinitions={[
          { id: "name", header: "Name", isRowHeader: true, cell: (row) => row.InputName },
          { id: "uri", header: "Data", cell: (row) => <S3Link uri={row.S3Input?.S3Uri} /> },
          { id: "path", header: "In the container", cell: (row) => <span className="clary-mono">{row.S3Input?.LocalPath ?? "-"}</span> },
          { id: "mode", header: "Mode", cell: (row) => row.S3Input?.S3InputMode ?? "-" },
        ]}
        empty="No inputs"
        ariaLabels={{ tableLabel: "Inputs" }}
      />
      <Table
        header={<Header counter={`(${outputs.length})`}>Outputs</Header>}
        items={outputs}
        wrapLines
        columnDefinitions={[
          { id: "name", header: "Name", isRowHeader: true, cell: (row) => row.OutputName },
          { id: "uri", header: "Data", cell: (row) => <S3Link uri={folder(row.S3Output?.S3Uri)} /> },
          { id: "path", header: "In the container", cell: (row) => <span className="clary-mono">{row.S3Output?.LocalPath ?? "-"}</span> },
          { id: "mode", header: "Uploaded", cell: (row) => (row.S3Output?.S3UploadMode === "Continuous" ? "As it is written" : "At the end") },
        ]}
        empty="No outputs"
        ariaLabels={{ tableLabel: "Outputs" }}
      />
    </SpaceBetween>
  );
}

/** Outputs are folders, though their addresses need not end as such. */
function folder(uri: string | undefined): string | undefined {
  return uri && !uri.endsWith("/") ? `${uri}/` : uri;
}

function Configuration({ job }: { job: Job }) {
  const { ContainerEntrypoint: program = [], ContainerArguments: words = [] } = job.AppSpecification;
  const variables = Object.entries(job.Environment ?? {});
  return (
    <SpaceBetween size="l">
      <Container header={<Header>Command</Header>}>
        {program.length + words.length > 0 ? (
          <pre className="clary-json" tabIndex={0} aria-label="Command">
            {[...program, ...words].map(quoted).join(" ")}
          </pre>
        ) : (
          <Box>What the image runs by itself</Box>
        )}
      </Container>
      <Container header={<Header counter={`(${variables.length})`}>Environment</Header>}>
        {variables.length ? <KeyValuePairs columns={4} items={variables.map(([label, value]) => ({ label, value }))} /> : "No variables"}
      </Container>
      <Container header={<Header>All of it</Header>}>
        <JsonView value={job} />
      </Container>
    </SpaceBetween>
  );
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
