import Select, { type SelectProps } from "@cloudscape-design/components/select";
import { useEffect, useState } from "react";

import { call } from "../api/client";
import { told } from "../api/errors";

interface Role {
  RoleName: string;
  Arn: string;
  AssumeRolePolicyDocument?: string;
  Description?: string;
}

const MOST_ROLES = 1000;
/** The role that Clary makes for jobs and models. */
const OWN_ROLE = "ClaryExecutionRole";

/** Chooses a role that SageMaker may assume; the first one is chosen where none is. */
export function RoleSelect({ value, onChange, label }: { value: string; onChange: (arn: string) => void; label: string }) {
  const [options, setOptions] = useState<SelectProps.Option[]>([]);
  const [status, setStatus] = useState<"loading" | "finished" | "error">("loading");
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const gone = new AbortController();
    call<{ Roles: Role[] }>("iam", "ListRoles", { MaxItems: MOST_ROLES }, gone.signal).then(
      ({ Roles: roles }) => {
        const usable = roles.filter((role) => decodeURIComponent(role.AssumeRolePolicyDocument ?? "").includes("sagemaker.amazonaws.com"));
        setOptions(usable.map((role) => ({ value: role.Arn, label: role.RoleName, description: role.Description ?? "" })));
        setStatus("finished");
        const first = usable.find((role) => role.RoleName === OWN_ROLE) ?? usable[0];
        if (!value && first) onChange(first.Arn);
      },
      (error: unknown) => {
        if (gone.signal.aborted) return;
        setProblem(told(error).message);
        setStatus("error");
      },
    );
    return () => gone.abort();
    // The choice of the person does not ask again.
  }, []);
  return (
    <Select
      selectedOption={value ? (options.find((option) => option.value === value) ?? { value, label: value.split("/").pop() ?? value }) : null}
      options={options}
      onChange={({ detail }) => onChange(detail.selectedOption.value ?? "")}
      filteringType="auto"
      filteringAriaLabel="Find a role"
      statusType={status}
      loadingText="Looking"
      errorText={problem}
      empty="No role trusts SageMaker"
      placeholder="Choose a role"
      ariaLabel={label}
    />
  );
}
