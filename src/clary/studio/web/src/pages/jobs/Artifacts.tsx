import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { S3Link } from "../../kit/S3Link";
import { Channels } from "./Channels";
import { Checkpoints } from "./Checkpoints";
import type { TrainingJobDescription } from "./training";

/** What a training job reads and what it writes. */
export function Artifacts({ job, ended }: { job: TrainingJobDescription; ended: boolean }) {
  const model = job.ModelArtifacts?.S3ModelArtifacts;
  const { S3Uri: checkpoints, LocalPath: path } = job.CheckpointConfig ?? {};
  return (
    <SpaceBetween size="l">
      <Channels channels={job.InputDataConfig ?? []} mode={job.AlgorithmSpecification.TrainingInputMode} />
      <Container header={<Header>Outputs</Header>}>
        <KeyValuePairs
          columns={3}
          items={[
            { label: model ? "Model" : "Output path", value: <S3Link uri={model ?? job.OutputDataConfig?.S3OutputPath} /> },
            { label: "Packed", value: job.OutputDataConfig?.CompressionType === "NONE" ? "No, as single files" : "As .tar.gz" },
            { label: "Checkpoints", value: checkpoints ? <S3Link uri={checkpoints.replace(/\/?$/, "/")} /> : "None are kept" },
          ]}
        />
      </Container>
      {checkpoints && <Checkpoints uri={checkpoints} path={path} ended={ended} />}
    </SpaceBetween>
  );
}
