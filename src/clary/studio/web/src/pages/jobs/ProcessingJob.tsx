import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useParams } from "react-router-dom";

import type { Members } from "../../api/client";
import { LogView } from "../../kit/LogView";
import { S3Folder, S3Link } from "../../kit/S3Link";
import { Time } from "../../kit/Time";
import { imageItem, JobPage } from "./JobPage";
import { PROCESSING } from "./kinds";
import { Usage } from "./Usage";
import { useJob } from "./useJob";

interface Job extends Members {
  ProcessingJobStatus: string;
  ProcessingStartTime?: number;
  ProcessingEndTime?: number;
  ExitMessage?: string;
  AppSpecification: { ImageUri: string; ContainerEntrypoint?: string[]; ContainerArguments?: string[] };
  ProcessingInputs?: { InputName: string; S3Input?: { S3Uri: string; LocalPath?: string; S3InputMode?: string } }[];
  ProcessingOutputConfig?: { Outputs: { OutputName: string; S3Output?: { S3Uri: string; LocalPath?: string; S3UploadMode?: string } }[] };
  ProcessingResources: { ClusterConfig: { InstanceCount: number; InstanceType: string; VolumeSizeInGB: number } };
}

/** One processing job: how it goes, what it reads and writes, what it says. */
export default function ProcessingJob() {
  const { name = "" } = useParams();
  const watched = useJob<Job>(PROCESSING, name);
  return (
    <JobPage
      kind={PROCESSING}
      watched={watched}
      parts={(job) => {
        const cluster = job.ProcessingResources.ClusterConfig;
        return {
          stage: { label: "Started", value: <Time at={job.ProcessingStartTime} /> },
          runs: imageItem(job.AppSpecification.ImageUri),
          instances: `${cluster.InstanceCount} × ${cluster.InstanceType}, ${cluster.VolumeSizeInGB} GB`,
          alerts: job.ExitMessage && (
            <Alert type={job.ProcessingJobStatus === "Failed" ? "error" : "info"} header="What the container left as its message">
              <span className="clary-reason">{job.ExitMessage}</span>
            </Alert>
          ),
          tabs: [
            { id: "logs", label: "Logs", content: <LogView logs={watched.logs} name={name} /> },
            { id: "data", label: "Inputs and outputs", content: <Data job={job} /> },
            {
              id: "usage",
              label: "Usage",
              content: <Usage kind={PROCESSING} name={name} instances={cluster.InstanceCount} began={job.ProcessingStartTime} end={job.ProcessingEndTime} />,
            },
          ],
          configuration: <Command {...job.AppSpecification} />,
        };
      }}
    />
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
          { id: "uri", header: "Data", cell: (row) => <S3Folder uri={row.S3Output?.S3Uri} /> },
          { id: "path", header: "In the container", cell: (row) => <span className="clary-mono">{row.S3Output?.LocalPath ?? "-"}</span> },
          { id: "mode", header: "Uploaded", cell: (row) => (row.S3Output?.S3UploadMode === "Continuous" ? "As it is written" : "At the end") },
        ]}
        empty="No outputs"
        ariaLabels={{ tableLabel: "Outputs" }}
      />
    </SpaceBetween>
  );
}

function Command({ ContainerEntrypoint: program = [], ContainerArguments: words = [] }: Job["AppSpecification"]) {
  return (
    <Container header={<Header>Command</Header>}>
      {program.length + words.length > 0 ? (
        <pre className="clary-json" tabIndex={0} aria-label="Command">
          {[...program, ...words].map(quoted).join(" ")}
        </pre>
      ) : (
        <Box>What the image runs by itself</Box>
      )}
    </Container>
  );
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
