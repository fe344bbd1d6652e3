import Badge from "@cloudscape-design/components/badge";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { Containers } from "../models/Containers";
import type { InferenceSpecification, ModelPackage } from "./package";

/** What a version runs when it answers requests, and what it takes and gives. */
export function Specification({ found }: { found: ModelPackage }) {
  const all = [
    ...(found.InferenceSpecification ? [{ title: "Inference specification", specification: found.InferenceSpecification }] : []),
    ...(found.AdditionalInferenceSpecifications ?? []).map((each) => ({ title: `Additional specification ${each.Name}`, specification: each })),
  ];
  if (all.length === 0) return <>This version says nothing of how it answers requests.</>;
  return (
    <SpaceBetween size="l">
      {all.map(({ title, specification }) => (
        <SpaceBetween key={title} size="l">
          <Takes title={title} specification={specification} />
          <Containers containers={specification.Containers ?? []} />
        </SpaceBetween>
      ))}
    </SpaceBetween>
  );
}

function Takes({ title, specification }: { title: string; specification: InferenceSpecification }) {
  return (
    <Container header={<Header>{title}</Header>}>
      <KeyValuePairs
        columns={4}
        minColumnWidth={200}
        items={[
          { label: "Takes", value: <Badges values={specification.SupportedContentTypes} /> },
          { label: "Gives", value: <Badges values={specification.SupportedResponseMIMETypes} /> },
          { label: "Instances for endpoints", value: <Badges values={specification.SupportedRealtimeInferenceInstanceTypes} /> },
          { label: "Instances for batches", value: <Badges values={specification.SupportedTransformInstanceTypes} /> },
        ]}
      />
    </Container>
  );
}

function Badges({ values }: { values: string[] | undefined }) {
  if (!values?.length) return <>-</>;
  return (
    <SpaceBetween direction="horizontal" size="xxs">
      {values.map((value) => (
        <Badge key={value}>{value}</Badge>
      ))}
    </SpaceBetween>
  );
}
