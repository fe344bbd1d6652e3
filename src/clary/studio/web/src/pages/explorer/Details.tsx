import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Tabs from "@cloudscape-design/components/tabs";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call, type Members } from "../../api/client";
import type { Noun } from "../../api/model";
import { NotFound } from "../../frame/NotFound";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { CopyAs } from "../../kit/CopyAs";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { words } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { usePolling } from "../../kit/usePolling";
import { Value } from "../../kit/Value";
import { naming } from "./naming";
import { Related } from "./Related";
import { useNoun } from "./useNoun";

/** The page of any resource: what Describe shows, its tags, what it has to do with others. */
export default function Details() {
  const { service, noun, error } = useNoun();
  if (error) return <Failure what="The resource cannot be shown" error={error} />;
  if (noun === null) return <NotFound />;
  return noun ? <Shown service={service} noun={noun} /> : <Spinner size="large" />;
}

function Shown({ service, noun }: { service: string; noun: Noun }) {
  const { "*": tail = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [asked, setAsked] = useState<"Delete" | "Stop" | "Start">();
  const parts = tail.split("/").map(decodeURIComponent);
  const title = parts.at(-1)?.split("/").pop() ?? "";
  useTrail({ text: "All resources", to: "/explorer" }, { text: noun.title, to: `/explorer/${service}/${noun.noun}` }, { text: title });

  const described = usePolling(
    async (signal) => {
      const name = noun.verbs.describe ?? "";
      const given = named(noun, parts);
      const answer = await call<Members>(service, name, await naming(service, name, noun, given), signal);
      // Some services put what they describe into a member of its name.
      const inner = Object.values(answer);
      const only = inner.length === 1 && typeof inner[0] === "object" && !Array.isArray(inner[0]) ? (inner[0] as Members) : answer;
      return { ...given, ...only };
    },
    [service, noun.noun, tail],
    5000,
  );
  if (described.error && !described.value) return <Failure what={`${title} cannot be shown`} error={described.error} again={described.again} />;
  if (!described.value) return <Spinner size="large" />;
  const record = described.value;
  const arn = record[noun.arn];
  const simple = Object.entries(record).filter(([, value]) => typeof value !== "object");
  const nested = Object.entries(record).filter(([, value]) => typeof value === "object" && value !== null && Object.keys(value).length > 0);

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <div className="clary-actions">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={described.again} />
              <CopyAs service={service} operation={noun.verbs.describe ?? ""} members={named(noun, parts)} />
              {noun.verbs.update && !noun.later && (
                <Button onClick={() => navigate(`/explorer/${service}/${noun.noun}/create`, { state: { edit: record } })}>Edit</Button>
              )}
              {noun.verbs.start && !noun.later && <Button onClick={() => setAsked("Start")}>Start</Button>}
              {noun.verbs.stop && !noun.later && <Button onClick={() => setAsked("Stop")}>Stop</Button>}
              {noun.verbs.delete && <Button onClick={() => setAsked("Delete")}>Delete</Button>}
            </div>
          }
        >
          {title}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            items={simple.map(([name, value]) => ({ label: words(name), value: <Value name={name} value={value} /> }))}
          />
        </Container>
        <Tabs
          tabs={[
            {
              id: "configuration",
              label: "Configuration",
              content: (
                <SpaceBetween size="m">
                  {nested.length === 0 && "Nothing beyond the summary"}
                  {nested.map(([name, value]) => (
                    <ExpandableSection key={name} variant="container" defaultExpanded headerText={words(name)}>
                      <JsonView value={value} label={words(name)} />
                    </ExpandableSection>
                  ))}
                </SpaceBetween>
              ),
            },
            ...(typeof arn === "string" && service === "sagemaker"
              ? [
                  { id: "tags", label: "Tags", content: <Tags arn={arn} /> },
                  { id: "related", label: "Related", content: <Related arn={arn} record={record} /> },
                ]
              : []),
            { id: "json", label: "JSON", content: <JsonView value={record} /> },
          ]}
        />
      </SpaceBetween>
      {asked && (
        <Confirm
          verb={asked}
          title={`${asked} ${title}?`}
          names={[title]}
          onDismiss={() => setAsked(undefined)}
          onConfirm={async () => {
            const name = { Delete: noun.verbs.delete, Stop: noun.verbs.stop, Start: noun.verbs.start }[asked] ?? "";
            await call(service, name, await naming(service, name, noun, record));
            notices.succeeded({ Delete: "Deleted", Stop: "Stopping", Start: "Starting" }[asked]);
            if (asked === "Delete") navigate(`/explorer/${service}/${noun.noun}`);
            else described.again();
          }}
        />
      )}
    </ContentLayout>
  );
}

/** The members that the address names the resource by. */
function named(noun: Noun, parts: string[]): Members {
  if (parts.length === noun.names.length && !parts[0]?.startsWith("arn:")) {
    return Object.fromEntries(noun.names.map((member, index) => [member, parts[index]]));
  }
  const last = parts.at(-1) ?? "";
  return last.startsWith("arn:") ? { [noun.arn]: last, [noun.names.at(-1) ?? ""]: last.split("/").pop() } : { [noun.names.at(-1) ?? ""]: last };
}
