import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { S3Folder, S3Link } from "../../kit/S3Link";
import { Saved } from "./Saved";
import type { TransformJobDescription } from "./transform";

const HALF = { colspan: { default: 12, m: 6 } };
const SPLITS: Record<string, string> = { None: "An object is one record", Line: "By line", RecordIO: "By RecordIO record", TFRecord: "By TFRecord" };
const SOURCES: Record<string, string> = { S3Prefix: "Objects whose keys begin so", ManifestFile: "Objects that a manifest names" };

/** What a transform job reads and writes, and what becomes of the records on their way. */
export function TransformData({ job, ended }: { job: TransformJobDescription; ended: boolean }) {
  const { TransformInput: input, TransformOutput: output, DataProcessing: processing = {} } = job;
  const source = input.DataSource?.S3DataSource;
  const path = output.S3OutputPath;
  // Objects have whole seconds; others may have written to the same folder before.
  const since = Math.floor(job.CreationTime);
  const whole = (filter: string | undefined) => !filter || filter === "$";
  return (
    <SpaceBetween size="l">
      <Grid gridDefinition={[HALF, HALF]}>
        <Container fitHeight header={<Header>Input</Header>}>
          <KeyValuePairs
            columns={2}
            items={[
              {
                label: "Data",
                value: (
                  <>
                    <S3Link uri={source?.S3Uri} />
                    <Box variant="small" color="text-body-secondary" display="block">
                      {SOURCES[source?.S3DataType ?? ""] ?? source?.S3DataType}
                    </Box>
                  </>
                ),
              },
              { label: "Content type", value: input.ContentType || "-" },
              { label: "Records", value: SPLITS[input.SplitType ?? "None"] ?? input.SplitType },
              { label: "Compression", value: input.CompressionType ?? "None" },
            ]}
          />
        </Container>
        <Container fitHeight header={<Header>Output</Header>}>
          <KeyValuePairs
            columns={2}
            items={[
              { label: "Data", value: <S3Folder uri={path} /> },
              { label: "Accept", value: output.Accept || "As the model answers" },
              { label: "Assembled", value: output.AssembleWith === "Line" ? "A line for each answer" : "Answers as they are" },
            ]}
          />
        </Container>
      </Grid>
      <Container header={<Header description="What the model gets of a record, and what is kept of its answer">Data processing</Header>}>
        <KeyValuePairs
          columns={3}
          items={[
            { label: "Input filter", value: whole(processing.InputFilter) ? "The whole record" : <span className="clary-mono">{processing.InputFilter}</span> },
            { label: "Join", value: processing.JoinSource === "Input" ? "The answer beside its record" : "No" },
            { label: "Output filter", value: whole(processing.OutputFilter) ? "All of it" : <span className="clary-mono">{processing.OutputFilter}</span> },
          ]}
        />
      </Container>
      {path && <Saved title="Outputs" uri={path} only={({ key, modified }) => key.endsWith(".out") && modified >= since} ended={ended} />}
    </SpaceBetween>
  );
}
