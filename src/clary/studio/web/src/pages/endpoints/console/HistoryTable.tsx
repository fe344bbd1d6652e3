import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";

import { Time } from "../../../kit/Time";
import type { Entry } from "./history";

interface Props {
  entries: Entry[];
  sending: boolean;
  onOpen: (entry: Entry) => void;
  onAgain: (entry: Entry) => void;
  onClear: () => void;
}

/** What was sent to an endpoint from this tab, to be opened or sent again. */
export function HistoryTable({ entries, sending, onOpen, onAgain, onClear }: Props) {
  return (
    <Table
      header={
        <Header
          counter={`(${entries.length})`}
          description="Kept in this tab of the browser until it is closed"
          actions={
            <Button disabled={entries.length === 0} onClick={onClear}>
              Clear
            </Button>
          }
        >
          History
        </Header>
      }
      items={entries}
      trackBy={(entry) => String(entry.id)}
      columnDefinitions={[
        { id: "at", header: "Sent", width: 130, cell: (entry) => <Time at={entry.at / 1000} /> },
        {
          id: "status",
          header: "Status",
          width: 190,
          cell: (entry) => <StatusIndicator type={entry.ok ? "success" : "error"}>{entry.ok ? `${entry.status} OK` : `${entry.status || ""} ${entry.error}`.trim()}</StatusIndicator>,
        },
        { id: "took", header: "Took", width: 90, cell: (entry) => `${entry.milliseconds.toFixed(entry.milliseconds < 10 ? 1 : 0)} ms` },
        { id: "type", header: "Content type", width: 150, cell: (entry) => entry.question.contentType },
        {
          id: "body",
          header: "Body",
          isRowHeader: true,
          minWidth: 160,
          cell: (entry) => <span className="clary-mono clary-one-line">{entry.question.file ?? entry.question.body.slice(0, 120)}</span>,
        },
        {
          id: "actions",
          header: "Actions",
          width: 180,
          cell: (entry) =>
            entry.whole ? (
              <SpaceBetween direction="horizontal" size="xs">
                <Button variant="inline-link" ariaLabel={`Open: request ${entry.id}`} onClick={() => onOpen(entry)}>
                  Open
                </Button>
                <Button variant="inline-link" ariaLabel={`Send again: request ${entry.id}`} disabled={sending} onClick={() => onAgain(entry)}>
                  Send again
                </Button>
              </SpaceBetween>
            ) : (
              <Box color="text-body-secondary">{entry.question.file ? "File is not kept" : "Too long to keep"}</Box>
            ),
        },
      ]}
      empty={
        <Box textAlign="center" color="text-body-secondary" padding="s">
          Requests that you send stand here
        </Box>
      }
      ariaLabels={{ tableLabel: "History" }}
    />
  );
}
