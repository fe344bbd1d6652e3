import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useState } from "react";

import { Dialog } from "./Dialog";

interface Props {
  title: string;
  /** What the name may consist of. */
  constraint: string;
  verb: string;
  onSave: (name: string) => Promise<void>;
  onDismiss: () => void;
}

/** Asks for the name of something new. */
export function NameDialog({ title, constraint, verb, onSave, onDismiss }: Props) {
  const [name, setName] = useState("");
  return (
    <Dialog title={title} verb={verb} ready={Boolean(name.trim())} onConfirm={() => onSave(name.trim())} onDismiss={onDismiss}>
      <FormField label="Name" constraintText={constraint}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
      </FormField>
    </Dialog>
  );
}
