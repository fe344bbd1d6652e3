import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import Tiles from "@cloudscape-design/components/tiles";
import Toggle from "@cloudscape-design/components/toggle";

import type { Catalog, Customization } from "../../api/roleManager";
import { ValuesField } from "./ValuesField";
import type { Form, Problems } from "./wish";

export interface StepProps {
  known: Catalog;
  form: Form;
  onChange: (changed: Partial<Form>) => void;
  problems: Problems;
}

const CUSTOM = { value: "", label: "Custom role settings", description: "A role without suggested activities." };
const SWITCHES: { name: Customization; label: string; description: string }[] = [
  { name: "Network", label: "VPC customization", description: "Jobs and models may be made in these subnets and security groups only." },
  { name: "Encryption", label: "KMS customization", description: "Jobs and endpoints may be made with these keys only." },
];

/** Step 1: whose role it is, and what narrows all that it may do. */
export function RoleStep({ known, form, onChange, problems }: StepProps) {
  const personas = known.Personas.map((persona) => ({ value: persona.Name, label: persona.Title, description: persona.Description }));
  return (
    <SpaceBetween size="l">
      <Container header={<Header>Role</Header>}>
        <SpaceBetween size="m">
          <FormField label="Name" description={`What follows “${known.RoleNamePrefix}” in the name of the role`} errorText={problems["Name"]}>
            <Input value={form.name} onChange={({ detail }) => onChange({ name: detail.value })} placeholder="data-science-team" spellcheck={false} />
          </FormField>
          <FormField
            label={
              <>
                Description <i>- optional</i>
              </>
            }
          >
            <Input value={form.description} onChange={({ detail }) => onChange({ description: detail.value })} />
          </FormField>
          <FormField label="Persona" description="Suggests activities, which the next step shows" stretch>
            <Tiles
              items={[...personas, CUSTOM]}
              columns={2}
              value={form.persona}
              onChange={({ detail }) =>
                onChange({ persona: detail.value, activities: known.Personas.find((persona) => persona.Name === detail.value)?.Activities ?? [] })
              }
            />
          </FormField>
          <FormField
            label={
              <>
                Also taken on by <i>- optional</i>
              </>
            }
            description="SageMaker takes on the role, for jobs and people that it is given to. Users, roles and accounts that are named here may too."
            constraintText="One ARN on a line, such as arn:aws:iam::123456789012:user/ada"
            errorText={problems["TrustedArns"]}
            stretch
          >
            <Textarea value={form.trusted} onChange={({ detail }) => onChange({ trusted: detail.value })} rows={2} spellcheck={false} />
          </FormField>
        </SpaceBetween>
      </Container>
      <Container header={<Header description="They become conditions of all activities that know them">Network and encryption</Header>}>
        <SpaceBetween size="m">
          {SWITCHES.map(({ name, label, description }) => (
            <SpaceBetween key={name} size="s">
              <Toggle
                checked={form.customizations.includes(name)}
                description={description}
                onChange={({ detail }) =>
                  onChange({ customizations: detail.checked ? [...form.customizations, name] : form.customizations.filter((each) => each !== name) })
                }
              >
                {label}
              </Toggle>
              {form.customizations.includes(name) &&
                known.Parameters.filter((parameter) => known.Customizations[name].includes(parameter.Name)).map((parameter) => (
                  <ValuesField
                    key={parameter.Name}
                    parameter={parameter}
                    value={form.values[parameter.Name] ?? ""}
                    onChange={(text) => onChange({ values: { ...form.values, [parameter.Name]: text } })}
                    problem={problems[parameter.Name]}
                  />
                ))}
            </SpaceBetween>
          ))}
        </SpaceBetween>
      </Container>
    </SpaceBetween>
  );
}
