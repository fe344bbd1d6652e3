import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";

import type { Catalog, Documents } from "../../api/roleManager";
import { JsonView } from "../../kit/JsonView";
import { type Form, lines, wishOf } from "./wish";

/** The last step: the role as it will be, with each of its policies. */
export function Review({ known, form, documents }: { known: Catalog; form: Form; documents: Documents }) {
  const persona = known.Personas.find((each) => each.Name === form.persona)?.Title ?? "Custom role settings";
  const trusted = ["sagemaker.amazonaws.com", ...lines(form.trusted)].join(", ");
  const given = wishOf(form, known).Parameters;
  return (
    <SpaceBetween size="l">
      <Container header={<Header>Role</Header>}>
        <KeyValuePairs
          columns={2}
          items={[
            { label: "Name", value: documents.RoleName },
            { label: "Persona", value: persona },
            { label: "Description", value: form.description || "-" },
            { label: "Taken on by", value: trusted },
            { label: "Additional policies", value: form.policies.map(nameOf).join(", ") || "-" },
            { label: "Permissions boundary", value: form.boundary ? nameOf(form.boundary) : "-" },
            { label: "Tags", value: form.tags.map((tag) => `${tag.key} = ${tag.value}`).join(", ") || "-" },
            ...known.Parameters.filter(({ Name }) => given[Name]?.length).map(({ Name, Title }) => ({ label: Title, value: given[Name]?.join(", ") })),
          ]}
        />
      </Container>
      <Container header={<Header counter={`(${documents.Policies.length})`}>Policies of its activities</Header>}>
        <SpaceBetween size="xs">
          {documents.Policies.map((policy) => (
            <ExpandableSection
              key={policy.PolicyName}
              headerText={known.Activities.find((activity) => activity.Name === policy.Activity)?.Title ?? policy.Activity}
              headerDescription={policy.PolicyName}
            >
              <JsonView value={policy.Document} label="policy" />
            </ExpandableSection>
          ))}
          <ExpandableSection headerText="Trust policy" headerDescription="Who may take on the role">
            <JsonView value={documents.TrustPolicy} label="trust policy" />
          </ExpandableSection>
        </SpaceBetween>
      </Container>
    </SpaceBetween>
  );
}

function nameOf(arn: string): string {
  return arn.split("/").pop() ?? arn;
}
