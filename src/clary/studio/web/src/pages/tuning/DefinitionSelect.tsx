import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";

import type { Definition } from "./tuning";

export interface ChosenDefinition {
  definitions: Definition[];
  /** The one that is looked at; empty where all are. */
  definition: string;
  onDefinition: (name: string) => void;
}

const ALL = { value: "", label: "All definitions" };

/** Chooses whose training jobs are looked at, where a tuning job launches several kinds of them. */
export function DefinitionSelect({ definitions, definition, onDefinition }: ChosenDefinition) {
  if (definitions.length < 2) return null;
  const options = [ALL, ...definitions.map(({ name }) => ({ value: name, label: name }))];
  return (
    <FormField label="Definition">
      <Select
        selectedOption={options.find(({ value }) => value === definition) ?? ALL}
        options={options}
        onChange={({ detail }) => onDefinition(detail.selectedOption.value ?? "")}
        ariaLabel="Definition"
      />
    </FormField>
  );
}
