import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { type FormEvent, useState } from "react";

import { pages } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { Time } from "../../kit/Time";
import { useFocusBack } from "../../kit/useFocusBack";
import { usePolling } from "../../kit/usePolling";
import { useTab } from "../../kit/useTab";

interface TrailEvent {
  EventId: string;
  EventName: string;
  EventTime: number;
  EventSource: string;
  Username?: string;
  Resources: { ResourceType: string; ResourceName: string }[];
  CloudTrailEvent: string;
}

interface Page {
  Events: TrailEvent[];
  NextToken?: string;
}

interface CallRecord {
  errorCode?: string;
  sourceIPAddress?: string;
  userIdentity: { accessKeyId?: string };
}

interface Row extends TrailEvent {
  record: CallRecord;
}

const ATTRIBUTES = [
  { value: "ReadOnly", label: "All that changed something" },
  { value: "", label: "All calls" },
  { value: "Username", label: "User name" },
  { value: "EventName", label: "Operation" },
  { value: "ResourceName", label: "Resource name" },
  { value: "EventSource", label: "Service" },
  { value: "AccessKeyId", label: "Access key" },
];
const SINCE = [
  { value: "3600", label: "Last hour" },
  { value: "86400", label: "Last day" },
  { value: "604800", label: "Last week" },
  { value: "7776000", label: "Last 90 days" },
];
const WITHOUT_VALUE = ["", "ReadOnly"];
/** Pages of 50 that are read at once. */
const PAGES = 4;

/** Who called what: the trail of calls, the latest first. */
export default function Calls() {
  useTrail({ text: "Calls" });
  const [attribute, setAttribute] = useTab("ReadOnly", "by");
  const [value, setValue] = useTab("", "value");
  const [since, setSince] = useTab("86400", "since");
  const [typed, setTyped] = useState(value);
  const [most, setMost] = useState(PAGES);
  const [shown, setShown] = useState<Row>();
  const wanted = attribute === "ReadOnly" ? "false" : value.trim();
  const found = usePolling(
    async (signal) => {
      const by = attribute && wanted ? [{ AttributeKey: attribute, AttributeValue: wanted }] : [];
      const start = Math.floor(Date.now() / 1000) - Number(since);
      const read = await pages<Page>("cloudtrail", "LookupEvents", { LookupAttributes: by, StartTime: start }, most, signal);
      const rows = read.flatMap((page) => page.Events).map((event): Row => ({ ...event, record: JSON.parse(event.CloudTrailEvent) as CallRecord }));
      return { rows, more: read.at(-1)?.NextToken !== undefined };
    },
    [attribute, wanted, since, most],
  );

  function search(event: FormEvent) {
    event.preventDefault();
    setMost(PAGES);
    setValue(typed);
  }

  if (found.error && !found.value) return <Failure what="Calls cannot be listed" error={found.error} again={found.again} />;
  const rows = found.value?.rows ?? [];
  return (
    <>
      <Table
        variant="full-page"
        stickyHeader
        items={rows}
        loading={!found.value}
        loadingText="Loading"
        trackBy="EventId"
        wrapLines
        columnDefinitions={[
          { id: "event", header: "Operation", isRowHeader: true, cell: (row) => <Button variant="inline-link" onClick={() => setShown(row)}>{row.EventName}</Button> },
          { id: "service", header: "Service", cell: (row) => row.EventSource.replace(".amazonaws.com", "") },
          { id: "time", header: "When", cell: (row) => <Time at={row.EventTime} /> },
          { id: "user", header: "User", cell: (row) => row.Username ?? row.record.userIdentity.accessKeyId ?? "anonymous" },
          { id: "resource", header: "Resource", cell: (row) => row.Resources.map((each) => each.ResourceName).join(", ") || "-" },
          { id: "address", header: "From", cell: (row) => row.record.sourceIPAddress || "-" },
          { id: "outcome", header: "Outcome", cell: (row) => <Outcome code={row.record.errorCode} /> },
        ]}
        header={
          <Header
            variant="awsui-h1-sticky"
            description="Who called what, and how it ended; the latest first. Calls that move data are not among them."
            counter={found.value && `(${rows.length}${found.value.more ? "+" : ""})`}
            actions={<Button iconName="refresh" ariaLabel="Refresh" loading={found.loading} onClick={found.again} />}
          >
            Calls
          </Header>
        }
        filter={
          <form onSubmit={search}>
            <SpaceBetween direction="horizontal" size="xs">
              <Select
                selectedOption={ATTRIBUTES.find((each) => each.value === attribute) ?? null}
                options={ATTRIBUTES}
                onChange={({ detail }) => setAttribute(detail.selectedOption.value ?? "")}
                ariaLabel="Look for"
              />
              {!WITHOUT_VALUE.includes(attribute) && (
                <Input value={typed} onChange={({ detail }) => setTyped(detail.value)} onBlur={() => setValue(typed)} placeholder="The whole name" ariaLabel="Value" clearAriaLabel="Clear" type="search" />
              )}
              <Select
                selectedOption={SINCE.find((each) => each.value === since) ?? null}
                options={SINCE}
                onChange={({ detail }) => setSince(detail.selectedOption.value ?? "86400")}
                ariaLabel="Since"
              />
            </SpaceBetween>
          </form>
        }
        footer={
          found.value?.more && (
            <Box textAlign="center">
              <Button loading={found.loading} onClick={() => setMost(most + PAGES)}>
                Show older calls
              </Button>
            </Box>
          )
        }
        empty={
          <Box textAlign="center" color="text-body-secondary" padding="l">
            No such call was made in this time and region
          </Box>
        }
        ariaLabels={{ tableLabel: "Calls" }}
      />
      {shown && <Details row={shown} onDismiss={() => setShown(undefined)} />}
    </>
  );
}

function Outcome({ code }: { code: string | undefined }) {
  return code ? <StatusIndicator type="error">{code}</StatusIndicator> : <StatusIndicator type="success">Done</StatusIndicator>;
}

function Details({ row, onDismiss }: { row: Row; onDismiss: () => void }) {
  useFocusBack();
  return (
    <Modal visible size="large" onDismiss={onDismiss} header={row.EventName} closeAriaLabel="Close">
      <JsonView value={row.record} label="the record" />
    </Modal>
  );
}
