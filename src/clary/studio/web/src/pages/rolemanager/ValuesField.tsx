import FormField from "@cloudscape-design/components/form-field";
import Multiselect, { type MultiselectProps } from "@cloudscape-design/components/multiselect";
import Textarea from "@cloudscape-design/components/textarea";

import type { Parameter } from "../../api/roleManager";
import { usePolling } from "../../kit/usePolling";
import { all, type Role } from "../access/iam";
import { lines } from "./wish";

interface Props {
  parameter: Parameter;
  optional?: boolean;
  value: string;
  onChange: (text: string) => void;
  problem: string | undefined;
}

/** The values of a parameter: roles are chosen, all others are written one on a line. */
export function ValuesField({ parameter, optional = false, value, onChange, problem }: Props) {
  const label = optional ? (
    <>
      {parameter.Title} <i>- optional</i>
    </>
  ) : (
    parameter.Title
  );
  return (
    <FormField
      label={label}
      description={parameter.Description}
      {...(parameter.Name === "PassRoles" ? {} : { constraintText: `One on a line, such as ${parameter.Example}` })}
      errorText={problem}
      stretch
    >
      {parameter.Name === "PassRoles" ? (
        <RolesSelect value={lines(value)} onChange={(arns) => onChange(arns.join("\n"))} />
      ) : (
        <Textarea value={value} onChange={({ detail }) => onChange(detail.value)} rows={2} spellcheck={false} />
      )}
    </FormField>
  );
}

/** Roles that SageMaker may take on. */
function RolesSelect({ value, onChange }: { value: string[]; onChange: (arns: string[]) => void }) {
  const found = usePolling((signal) => all<Role>("ListRoles", "Roles", {}, signal), []);
  const usable = (found.value ?? []).filter((role) => JSON.stringify(role.AssumeRolePolicyDocument ?? "").includes("sagemaker.amazonaws.com"));
  const options = usable.map((role): MultiselectProps.Option => ({ value: role.Arn, label: role.RoleName, description: role.Description ?? "" }));
  return (
    <Multiselect
      options={options}
      selectedOptions={value.map((arn) => options.find((option) => option.value === arn) ?? { value: arn, label: arn.split("/").pop() ?? arn })}
      onChange={({ detail }) => onChange(detail.selectedOptions.map((option) => option.value ?? ""))}
      filteringType="auto"
      filteringAriaLabel="Find a role"
      statusType={found.error ? "error" : found.value ? "finished" : "loading"}
      loadingText="Looking"
      errorText="The roles cannot be listed"
      empty="No role trusts SageMaker"
      placeholder="Choose roles"
      deselectAriaLabel={(option) => `Remove ${option.label ?? ""}`}
    />
  );
}
