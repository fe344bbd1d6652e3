import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { type ReactNode, useState } from "react";

import { Dialog } from "./Dialog";

interface Props {
  /** "Delete", "Stop", … */
  verb: string;
  /** What it is done to. */
  names: string[];
  title: string;
  children?: ReactNode;
  onConfirm: () => Promise<void>;
  onDismiss: () => void;
}

/** Asks before something is done that cannot be undone; deleting wants the word typed. */
export function Confirm({ verb, names, title, children, onConfirm, onDismiss }: Props) {
  const word = verb.toLowerCase();
  const typed = word === "delete";
  const [text, setText] = useState("");
  return (
    <Dialog title={title} verb={verb} ready={!typed || text === word} onConfirm={onConfirm} onDismiss={onDismiss}>
      <ul>
        {names.map((name) => (
          <li key={name}>
            <b>{name}</b>
          </li>
        ))}
      </ul>
      {children}
      {typed && (
        <FormField label={`To confirm, type ${word}`}>
          <Input value={text} onChange={({ detail }) => setText(detail.value)} placeholder={word} autoFocus />
        </FormField>
      )}
    </Dialog>
  );
}
