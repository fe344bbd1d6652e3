import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";

import { algorithmOf, algorithms } from "../../api/algorithms";
import { Better } from "../../kit/Better";
import { Copy } from "../../kit/Copy";
import { withoutSecrets } from "../../kit/Environment";
import { JsonView } from "../../kit/JsonView";
import { shortImage } from "../../kit/names";
import { RoleLink } from "../../kit/RoleLink";
import { S3Folder } from "../../kit/S3Link";
import { usePolling } from "../../kit/usePolling";
import { Channels } from "../jobs/Channels";
import { Parameters } from "../jobs/Parameters";
import type { Channel } from "../jobs/training";
import { type Dimension, dimensionsOf } from "./dimensions";
import type { Definition, NumberRange, TrainingDefinition, TuningJobDescription } from "./tuning";

const SCALES = { linear: "Linear", log: "Logarithmic", reverse: "Reverse logarithmic" };

/** What a tuning job was told: each definition with its ranges and what stays the same, and all of it as JSON. */
export function Configuration({ job, definitions }: { job: TuningJobDescription; definitions: Definition[] }) {
  const builtIn = usePolling(algorithms, []);
  return (
    <SpaceBetween size="l">
      {definitions.map((definition) => {
        const { name, training } = definition;
        const fixed = training.StaticHyperParameters ?? {};
        const image = training.AlgorithmSpecification.TrainingImage;
        return (
          <SpaceBetween key={name} size="l">
            <Container header={<Header>{name ? `Definition ${name}` : "Training jobs"}</Header>}>
              <KeyValuePairs
                columns={4}
                items={[
                  {
                    label: "Objective",
                    value: (
                      <>
                        {definition.objective.MetricName} <Better direction={definition.objective.Type} />
                      </>
                    ),
                  },
                  { label: "Image", value: <Copy text={image ?? training.AlgorithmSpecification.AlgorithmName} shown={shortImage(image)} /> },
                  { label: "Instances", value: `${instances(training)}${training.EnableManagedSpotTraining ? ", spot" : ""}` },
                  { label: "Role", value: <RoleLink arn={training.RoleArn} /> },
                  { label: "Output", value: <S3Folder uri={training.OutputDataConfig.S3OutputPath} /> },
                ]}
              />
            </Container>
            <Ranges definition={definition} />
            <Parameters given={fixed} algorithm={algorithmOf(builtIn.value ?? [], image, fixed)} title="Static hyperparameters" />
            <Channels channels={(training["InputDataConfig"] as Channel[] | undefined) ?? []} mode={training.AlgorithmSpecification.TrainingInputMode} />
          </SpaceBetween>
        );
      })}
      <Container header={<Header>All of it</Header>}>
        <JsonView value={withoutSecrets(job)} />
      </Container>
    </SpaceBetween>
  );
}

function Ranges({ definition }: { definition: Definition }) {
  const dimensions = dimensionsOf(definition.ranges);
  const given = new Map([...(definition.ranges.IntegerParameterRanges ?? []), ...(definition.ranges.ContinuousParameterRanges ?? [])].map((range) => [range.Name, range]));
  const title = definition.name ? `Ranges of ${definition.name}` : "Ranges";
  return (
    <Table
      header={<Header counter={`(${dimensions.length})`}>{title}</Header>}
      items={dimensions}
      trackBy="name"
      wrapLines
      columnDefinitions={[
        { id: "name", header: "Hyperparameter", isRowHeader: true, minWidth: 180, cell: (row) => <span className="clary-mono">{row.name}</span> },
        { id: "type", header: "Type", minWidth: 120, cell: (row) => (row.kind === "category" ? "Categorical" : row.whole ? "Integer" : "Continuous") },
        { id: "range", header: "Searched", minWidth: 200, cell: (row) => (row.kind === "category" ? row.values.join(", ") : `${given.get(row.name)?.MinValue ?? ""} to ${given.get(row.name)?.MaxValue ?? ""}`) },
        { id: "scale", header: "Scale", minWidth: 160, cell: (row) => scale(row, given.get(row.name)) },
      ]}
      empty="None"
      ariaLabels={{ tableLabel: title }}
    />
  );
}

function scale(dimension: Dimension, given: NumberRange | undefined): string {
  if (dimension.kind === "category") return "-";
  return `${SCALES[dimension.scale]}${given?.ScalingType === "Auto" ? " (auto)" : ""}`;
}

function instances({ ResourceConfig: own, HyperParameterTuningResourceConfig: flexible }: TrainingDefinition): string {
  const several = flexible?.InstanceConfigs;
  if (several) return several.map((each) => `${each.InstanceCount} × ${each.InstanceType}`).join(", or ");
  const { InstanceCount: count = 1, InstanceType: type = "-" } = own ?? flexible ?? {};
  return `${count} × ${type}`;
}
