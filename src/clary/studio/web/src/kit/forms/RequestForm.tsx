import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Form from "@cloudscape-design/components/form";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { type FormEvent, type ReactNode, useMemo, useState } from "react";
import { useNavigate } from "react-router-dom";

import { call, type Members } from "../../api/client";
import { told } from "../../api/errors";
import type { Shape } from "../../api/model";
import { CopyAs } from "../CopyAs";
import { mistakes, trimmed } from "./check";

/** What the fields of a form are given. */
export interface Filled {
  value: Members;
  onChange: (value: Members) => void;
  /** What is wrong, by the path of the member; nothing before somebody has tried to send it. */
  problems: Record<string, string>;
}

interface Props {
  title: string;
  description?: string;
  service: string;
  operation: string;
  /** What the operation takes. */
  shape: Shape;
  /** What the form begins with. */
  begin: Members;
  verb: "Create" | "Save";
  onDone: (sent: Members, answer: Members) => void;
  children: (filled: Filled) => ReactNode;
}

/** A page with a form that is a request: filled in field by field or as JSON, copied as code, checked, and sent. */
export function RequestForm({ title, description, service, operation, shape, begin, verb, onDone, children }: Props) {
  const navigate = useNavigate();
  const [value, setValue] = useState(begin);
  const [view, setView] = useState("form");
  const [text, setText] = useState("{}");
  const [problem, setProblem] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const members = useMemo(() => (trimmed(value) ?? {}) as Members, [value]);
  const found = useMemo(() => mistakes(shape, members), [shape, members]);

  function show(next: string) {
    if (next === "json") setText(JSON.stringify(members, null, 2));
    else {
      try {
        setValue(JSON.parse(text) as Members);
        setProblem("");
      } catch (wrong) {
        setProblem(`This is not JSON: ${told(wrong).message}`);
        return;
      }
    }
    setView(next);
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    let sent = members;
    if (view === "json") {
      try {
        sent = JSON.parse(text) as Members;
      } catch (wrong) {
        setProblem(`This is not JSON: ${told(wrong).message}`);
        return;
      }
    } else if (Object.keys(found).length > 0) {
      setProblem("Some members are missing or wrong; they are marked below.");
      return;
    }
    setBusy(true);
    setProblem("");
    try {
      onDone(sent, await call<Members>(service, operation, sent));
    } catch (refused) {
      const { code, message } = told(refused);
      setProblem(`${message} (${code})`);
      setBusy(false);
    }
  }

  return (
    <ContentLayout
      header={
        <Header variant="h1" description={description} actions={<CopyAs service={service} operation={operation} members={members} />}>
          {title}
        </Header>
      }
    >
      <form onSubmit={(event) => void submit(event)}>
        <Form
          errorText={problem || undefined}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" onClick={() => navigate(-1)}>
                Cancel
              </Button>
              <Button variant="primary" formAction="submit" loading={busy}>
                {verb}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            <SegmentedControl
              selectedId={view}
              onChange={({ detail }) => show(detail.selectedId)}
              label="How to fill it in"
              options={[
                { id: "form", text: "Form" },
                { id: "json", text: "JSON" },
              ]}
            />
            {view === "json" ? (
              <Textarea value={text} onChange={({ detail }) => setText(detail.value)} rows={24} spellcheck={false} ariaLabel="The request as JSON" />
            ) : (
              children({ value, onChange: setValue, problems: tried ? found : {} })
            )}
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}
