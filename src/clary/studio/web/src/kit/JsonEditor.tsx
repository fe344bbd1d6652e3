import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";

import { told } from "../api/errors";
import { Dialog } from "./Dialog";

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
  const [text, setText] = useState(JSON.stringify(value, null, 2));
  const [called, setCalled] = useState(name ?? "");
  const mistake = notJson(text);

  return (
    <Dialog
      size="large"
      title={title}
      verb="Save"
      ready={!mistake && (name === undefined || called !== "")}
      onConfirm={() => onSave(text, called)}
      onDismiss={onDismiss}
    >
      {name !== undefined && (
        <FormField label={nameLabel}>
          <Input value={called} onChange={({ detail }) => setCalled(detail.value)} autoFocus />
        </FormField>
      )}
      <FormField label="Document" errorText={mistake} stretch>
        <div className="clary-code">
          <Textarea value={text} onChange={({ detail }) => setText(detail.value)} rows={18} spellcheck={false} />
        </div>
      </FormField>
    </Dialog>
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
