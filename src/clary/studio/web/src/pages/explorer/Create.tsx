import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Form from "@cloudscape-design/components/form";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Textarea from "@cloudscape-design/components/textarea";
import { type FormEvent, useEffect, useMemo, useState } from "react";
import { useLocation, useNavigate } from "react-router-dom";

import { call, type Members } from "../../api/client";
import { told } from "../../api/errors";
import { type Operation, operation } from "../../api/model";
import { NotFound } from "../../frame/NotFound";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { CopyAs } from "../../kit/CopyAs";
import { Failure } from "../../kit/Failure";
import { plain } from "../../kit/forms/documentation";
import { mistakes, trimmed } from "../../kit/forms/check";
import { StructureFields } from "../../kit/forms/ShapeForm";
import { resourcePath } from "../../kit/paths";
import { useNoun } from "./useNoun";

/** The form that creates any resource, or changes it: made from the shape of the operation's request. */
export default function Create() {
  const { service, noun, error } = useNoun();
  const navigate = useNavigate();
  const notices = useNotices();
  const state = useLocation().state as { edit?: Members; fill?: Members } | null;
  const edited = state?.edit;
  const name = (edited ? noun?.verbs.update : noun?.verbs.create) ?? "";
  const [model, setModel] = useState<Operation>();
  const [failure, setFailure] = useState<unknown>();
  const [value, setValue] = useState<Members>({});
  const [view, setView] = useState("form");
  const [text, setText] = useState("{}");
  const [problem, setProblem] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const verb = edited ? "Edit" : "Create";
  useTrail({ text: "All resources", to: "/explorer" }, { text: noun?.title ?? "", to: `/explorer/${service}/${noun?.noun ?? ""}` }, { text: verb });

  useEffect(() => {
    if (!name) return;
    operation(service, name).then((found) => {
      setModel(found);
      if (edited) {
        const members = found.input?.members ?? {};
        setValue(Object.fromEntries(Object.entries(edited).filter(([member]) => member in members)));
      } else if (state?.fill) setValue(state.fill);
    }, setFailure);
  }, [service, name, edited, state?.fill]);

  const members = useMemo(() => trimmed(value) as Members, [value]);
  const found = useMemo(() => (model?.input ? mistakes(model.input, members) : {}), [model, members]);

  if (error ?? failure) return <Failure what="The form cannot be shown" error={error ?? failure} />;
  if (noun === null) return <NotFound />;
  if (!noun || (name && !model)) return <Spinner size="large" />;
  if (!name || !model?.input) return <Alert type="info">{noun.title} cannot be made here.</Alert>;

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
      const answer = await call<Members>(service, name, sent);
      notices.succeeded(edited ? "Saved" : "Created");
      if (noun) navigate(resourcePath(service, noun, { ...sent, ...answer }));
    } catch (refused) {
      const { code, message } = told(refused);
      setProblem(`${message} (${code})`);
      setBusy(false);
    }
  }

  return (
    <ContentLayout
      header={
        <Header variant="h1" description={plain(model.documentation, 240)} actions={<CopyAs service={service} operation={name} members={members} />}>
          {verb} {noun.title.toLowerCase().replace(/s$/, "")}
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
                {edited ? "Save" : "Create"}
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
              <>
                <Container header={<Header>Required</Header>}>
                  <StructureFields shape={model.input} only="required" value={value} onChange={setValue} problems={tried ? found : {}} path="" />
                  {(model.input.required ?? []).length === 0 && <Box>Nothing is required</Box>}
                </Container>
                <ExpandableSection variant="container" headerText="Optional" defaultExpanded={Boolean(edited) || Object.keys(state?.fill ?? {}).some((member) => !model.input?.required?.includes(member))}>
                  <StructureFields shape={model.input} only="optional" value={value} onChange={setValue} problems={tried ? found : {}} path="" />
                </ExpandableSection>
              </>
            )}
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}
