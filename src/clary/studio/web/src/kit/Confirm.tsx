import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";

import { told } from "../api/errors";
import { useFocusBack } from "./useFocusBack";

interface Props {
  /** "Delete", "Stop", … */
  verb: string;
  /** What it is done to. */
  names: string[];
  title: string;
  children?: React.ReactNode;
  onConfirm: () => Promise<void>;
  onDismiss: () => void;
}

/** Asks before something is done that cannot be undone; deleting wants the word typed. */
export function Confirm({ verb, names, title, children, onConfirm, onDismiss }: Props) {
  useFocusBack();
  const word = verb.toLowerCase();
  const typed = word === "delete";
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function confirm() {
    setBusy(true);
    setProblem("");
    try {
      await onConfirm();
      onDismiss();
    } catch (error) {
      setProblem(told(error).message);
      setBusy(false);
    }
  }

  return (
    <Modal
      visible
      onDismiss={onDismiss}
      header={title}
      closeAriaLabel="Close"
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onDismiss}>
              Cancel
            </Button>
            <Button variant="primary" onClick={() => void confirm()} loading={busy} disabled={typed && text !== word}>
              {verb}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ul>
          {names.map((name) => (
            <li key={name}>
              <b>{name}</b>
            </li>
          ))}
        </ul>
        {children}
        {problem && <Alert type="error">{problem}</Alert>}
        {typed && (
          <FormField label={`To confirm, type ${word}`}>
            <Input value={text} onChange={({ detail }) => setText(detail.value)} placeholder={word} autoFocus />
          </FormField>
        )}
      </SpaceBetween>
    </Modal>
  );
}
