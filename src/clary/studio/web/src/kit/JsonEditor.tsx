import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";

import { told } from "../api/errors";
import { useFocusBack } from "./useFocusBack";

interface Props {
  title: string;
  /** What is edited, as JSON. */
  value: unknown;
  /** The name to begin with, where the thing gets one here. */
  name?: string;
  nameLabel?: string;
  onSave: (text: string, name: string) => Promise<void>;
  onDismiss: () => void;
}

/** Edits JSON such as a policy; what is no JSON is told at once, what the server refuses when it is saved. */
export function JsonEditor({ title, value, name, nameLabel = "Name", onSave, onDismiss }: Props) {
  useFocusBack();
  const [text, setText] = useState(JSON.stringify(value, null, 2));
  const [called, setCalled] = useState(name ?? "");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const mistake = notJson(text);

  async function save() {
    setBusy(true);
    setProblem("");
    try {
      await onSave(text, called);
      onDismiss();
    } catch (error) {
      const { code, message } = told(error);
      setProblem(`${message} (${code})`);
      setBusy(false);
    }
  }

  return (
    <Modal
      visible
      size="large"
      header={title}
      onDismiss={onDismiss}
      closeAriaLabel="Close"
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onDismiss}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={Boolean(mistake) || (name !== undefined && !called)} onClick={() => void save()}>
              Save
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {problem && <Alert type="error">{problem}</Alert>}
        {name !== undefined && (
          <FormField label={nameLabel}>
            <Input value={called} onChange={({ detail }) => setCalled(detail.value)} autoFocus />
          </FormField>
        )}
        <FormField label="Document" errorText={mistake} stretch>
          <Textarea value={text} onChange={({ detail }) => setText(detail.value)} rows={18} spellcheck={false} />
        </FormField>
      </SpaceBetween>
    </Modal>
  );
}

function notJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `This is not JSON: ${told(error).message}`;
  }
}
