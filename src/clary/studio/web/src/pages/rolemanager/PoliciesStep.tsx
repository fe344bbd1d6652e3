import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Multiselect from "@cloudscape-design/components/multiselect";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import TagEditor from "@cloudscape-design/components/tag-editor";

import { TAG_TEXTS } from "../../kit/tagTexts";
import { usePolling } from "../../kit/usePolling";
import { all } from "../access/iam";
import type { StepProps } from "./RoleStep";

const NO_BOUNDARY = { value: "", label: "No permissions boundary" };

/** Step 3: managed policies that the role gets too, what it may do at most, and its tags. */
export function PoliciesStep({ form, onChange, problems }: StepProps) {
  const found = usePolling((signal) => all<{ PolicyName: string; Arn: string }>("ListPolicies", "Policies", {}, signal), []);
  const options = (found.value ?? []).map((policy) => ({ value: policy.Arn, label: policy.PolicyName, description: policy.Arn }));
  const status = {
    statusType: found.error ? ("error" as const) : found.value ? ("finished" as const) : ("loading" as const),
    loadingText: "Looking",
    errorText: "The policies cannot be listed",
    filteringType: "auto" as const,
    filteringAriaLabel: "Find a policy",
  };
  return (
    <SpaceBetween size="l">
      <Container header={<Header>Additional policies</Header>}>
        <SpaceBetween size="m">
          <FormField label="Managed policies" description="Of AWS or your own; they allow more than the activities need" errorText={problems["PolicyArns"]} stretch>
            <Multiselect
              {...status}
              options={options}
              selectedOptions={options.filter((option) => form.policies.includes(option.value))}
              onChange={({ detail }) => onChange({ policies: detail.selectedOptions.map((option) => option.value ?? "") })}
              placeholder="Choose policies"
              deselectAriaLabel={(option) => `Remove ${option.label ?? ""}`}
            />
          </FormField>
          <FormField label="Permissions boundary" description="A policy that says what the role may do at most" stretch>
            <Select
              {...status}
              options={[NO_BOUNDARY, ...options]}
              selectedOption={options.find((option) => option.value === form.boundary) ?? NO_BOUNDARY}
              onChange={({ detail }) => onChange({ boundary: detail.selectedOption.value ?? "" })}
            />
          </FormField>
        </SpaceBetween>
      </Container>
      <Container header={<Header description="Of the role and of its policies">Tags</Header>}>
        <FormField errorText={problems["Tags"]} stretch>
          <TagEditor tags={form.tags} tagLimit={50} i18nStrings={TAG_TEXTS} onChange={({ detail }) => onChange({ tags: detail.tags, tagsAreValid: detail.valid })} />
        </FormField>
      </Container>
    </SpaceBetween>
  );
}
