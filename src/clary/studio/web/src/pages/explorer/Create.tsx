import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useMemo } from "react";
import { useLocation, useNavigate } from "react-router-dom";

import type { Members } from "../../api/client";
import { operation } from "../../api/model";
import { NotFound } from "../../frame/NotFound";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Failure } from "../../kit/Failure";
import { plain } from "../../kit/forms/documentation";
import { RequestForm } from "../../kit/forms/RequestForm";
import { StructureFields } from "../../kit/forms/ShapeForm";
import { resourcePath } from "../../kit/paths";
import { usePolling } from "../../kit/usePolling";
import { useNoun } from "./useNoun";

/** The form that creates any resource, or changes it: made from the shape of the operation's request. */
export default function Create() {
  const { service, noun, error } = useNoun();
  const navigate = useNavigate();
  const notices = useNotices();
  const state = useLocation().state as { edit?: Members; fill?: Members } | null;
  const edited = state?.edit;
  const name = (edited ? noun?.verbs.update : noun?.verbs.create) ?? "";
  const asked = usePolling(async () => (name ? operation(service, name) : undefined), [service, name]);
  const verb = edited ? "Edit" : "Create";
  useTrail({ text: "All resources", to: "/explorer" }, { text: noun?.title ?? "", to: `/explorer/${service}/${noun?.noun ?? ""}` }, { text: verb });
  const input = asked.value?.input;
  const begin = useMemo(() => {
    if (!edited) return state?.fill ?? {};
    return Object.fromEntries(Object.entries(edited).filter(([member]) => member in (input?.members ?? {})));
  }, [edited, state?.fill, input]);

  if (error ?? asked.error) return <Failure what="The form cannot be shown" error={error ?? asked.error} />;
  if (noun === null) return <NotFound />;
  if (!noun || (name && !asked.value)) return <Spinner size="large" />;
  if (!name || !input) return <Alert type="info">{noun.title} cannot be made here.</Alert>;
  return (
    <RequestForm
      title={`${verb} ${noun.title.toLowerCase().replace(/s$/, "")}`}
      description={plain(asked.value?.documentation, 240)}
      service={service}
      operation={name}
      shape={input}
      begin={begin}
      verb={edited ? "Save" : "Create"}
      onDone={(sent, answer) => {
        notices.succeeded(edited ? "Saved" : "Created");
        navigate(resourcePath(service, noun, { ...sent, ...answer }));
      }}
    >
      {(filled) => (
        <SpaceBetween size="l">
          <Container header={<Header>Required</Header>}>
            <StructureFields shape={input} only="required" path="" {...filled} />
            {(input.required ?? []).length === 0 && <Box>Nothing is required</Box>}
          </Container>
          <ExpandableSection variant="container" headerText="Optional" defaultExpanded={Boolean(edited) || Object.keys(begin).some((member) => !input.required?.includes(member))}>
            <StructureFields shape={input} only="optional" path="" {...filled} />
          </ExpandableSection>
        </SpaceBetween>
      )}
    </RequestForm>
  );
}
