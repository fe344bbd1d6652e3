import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import { told } from "../api/errors";
import { useFocusBack } from "./useFocusBack";

interface Props {
  title: string;
  /** What it does, on the button that does it. */
  verb: string;
  /** Whether it can be done with what was entered. */
  ready?: boolean;
  size?: "medium" | "large";
  children: ReactNode;
  /** Does it; the dialog closes when that has succeeded, and says why when it has not. */
  onConfirm: () => Promise<void>;
  onDismiss: () => void;
}

/** A dialog with a form, which Enter sends too. */
export function Dialog({ title, verb, ready = true, size = "medium", children, onConfirm, onDismiss }: Props) {
  useFocusBack();
  const form = useId();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function confirm(event: FormEvent) {
    event.preventDefault();
    // A dialog may stand in the form of a page, which shall not be sent.
    event.stopPropagation();
    if (!ready || busy) return;
    setBusy(true);
    setProblem("");
    try {
      await onConfirm();
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
      size={size}
      onDismiss={onDismiss}
      header={title}
      closeAriaLabel="Close"
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onDismiss}>
              Cancel
            </Button>
            <Button variant="primary" form={form} formAction="submit" loading={busy} disabled={!ready}>
              {verb}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form id={form} onSubmit={(event) => void confirm(event)}>
        <SpaceBetween size="m">
          {children}
          {problem && <Alert type="error">{problem}</Alert>}
        </SpaceBetween>
      </form>
    </Modal>
  );
}
