import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type FormEvent, useState } from "react";

import { told } from "../api/errors";
import { useFocusBack } from "./useFocusBack";

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
  useFocusBack();
  const [name, setName] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  async function save(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await onSave(name.trim());
      onDismiss();
    } catch (error) {
      setProblem(told(error).message);
      setBusy(false);
    }
  }

  return (
    <Modal
      visible
      header={title}
      onDismiss={onDismiss}
      closeAriaLabel="Close"
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onDismiss}>
              Cancel
            </Button>
            <Button variant="primary" form="clary-name" formAction="submit" loading={busy} disabled={!name.trim()}>
              {verb}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form id="clary-name" onSubmit={(event) => void save(event)}>
        <FormField label="Name" constraintText={constraint} errorText={problem}>
          <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
        </FormField>
      </form>
    </Modal>
  );
}
