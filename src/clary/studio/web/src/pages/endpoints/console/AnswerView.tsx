import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useMemo, useState } from "react";

import { download } from "../../../kit/download";
import { commaSeparated, type TableOf } from "../../storage/formats";
import { size } from "../../storage/size";
import type { Answer } from "./exchange";

/** What an endpoint answered: as JSON or a table where it is one, and as it came. */
export function AnswerView({ answer, sending, onLogs }: { answer: Answer | undefined; sending: boolean; onLogs: () => void }) {
  const [wanted, setWanted] = useState("");
  const looks = useMemo(() => (answer?.ok ? looksOf(answer) : []), [answer]);
  const look = looks.find((each) => each.id === wanted) ?? looks[0];

  if (!answer) {
    return (
      <Container header={<Header>Answer</Header>} fitHeight>
        <Box textAlign="center" color="text-body-secondary" padding="xxl">
          {sending ? "Waiting for the answer …" : "The answer to your request stands here"}
        </Box>
      </Container>
    );
  }
  return (
    <Container
      fitHeight
      header={
        <Header
          actions={
            answer.ok && (
              <SpaceBetween direction="horizontal" size="xs">
                {answer.isText && (
                  <CopyToClipboard
                    variant="icon"
                    textToCopy={answer.text}
                    copyButtonAriaLabel="Copy the answer"
                    copySuccessText="Copied"
                    copyErrorText="The browser did not let it be copied"
                  />
                )}
                <Button iconName="download" variant="icon" ariaLabel="Download the answer" onClick={() => download(`answer.${ending(answer)}`, [answer.text], answer.contentType)} disabled={!answer.isText} />
              </SpaceBetween>
            )
          }
        >
          Answer
        </Header>
      }
    >
      <SpaceBetween size="m">
        <KeyValuePairs
          columns={4}
          minColumnWidth={200}
          items={[
            {
              label: "Status",
              value: <StatusIndicator type={answer.ok ? "success" : "error"}>{answer.ok ? `${answer.status} OK` : `${answer.status || ""} ${answer.error?.code ?? ""}`.trim()}</StatusIndicator>,
            },
            { label: "Took", value: `${answer.milliseconds.toFixed(answer.milliseconds < 10 ? 1 : 0)} ms` },
            { label: "Answered by", value: answer.variant || "-" },
            { label: "Size", value: answer.ok ? size(answer.bytes) : "-" },
          ]}
        />
        {answer.error && <Refusal answer={answer} onLogs={onLogs} />}
        {looks.length > 1 && (
          <SegmentedControl
            selectedId={look?.id ?? ""}
            options={looks.map(({ id, text }) => ({ id, text }))}
            onChange={({ detail }) => setWanted(detail.selectedId)}
            label="How the answer is shown"
          />
        )}
        {look && <div aria-live="polite">{look.show()}</div>}
      </SpaceBetween>
    </Container>
  );
}

function Refusal({ answer, onLogs }: { answer: Answer; onLogs: () => void }) {
  const { error } = answer;
  if (!error) return null;
  const { container } = error;
  return (
    <Alert type="error" header={container ? `The model answered with ${container.status}` : "The request was refused"} action={container && <Button onClick={onLogs}>Open the logs</Button>}>
      <pre className="clary-json" tabIndex={0} aria-label="The message">
        {container ? container.message || "It gave no message." : error.message}
      </pre>
    </Alert>
  );
}

interface Look {
  id: string;
  text: string;
  show: () => React.ReactNode;
}

function looksOf(answer: Answer): Look[] {
  if (!answer.isText) {
    return [{ id: "none", text: "Binary", show: () => <Box color="text-body-secondary">{size(answer.bytes)} of {answer.contentType || "no stated type"}, which is no text</Box> }];
  }
  const found: Look[] = [];
  const json = parsed(answer.text);
  if (json !== undefined && typeof json === "object") {
    found.push({ id: "json", text: "JSON", show: () => <Text text={JSON.stringify(json, null, 2)} label="The answer as JSON" /> });
    const table = asTable(json);
    if (table) found.push({ id: "table", text: "Table", show: () => <Rows table={table} /> });
  } else if (/csv/.test(answer.contentType)) {
    found.push({ id: "table", text: "Table", show: () => <Rows table={commaSeparated(answer.text, false)} /> });
  }
  found.push({ id: "raw", text: "Raw", show: () => <Text text={answer.text || "(an empty answer)"} label="The answer as it came" /> });
  found.push({
    id: "headers",
    text: "Headers",
    show: () => <Text text={Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`).join("\n")} label="The headers of the answer" />,
  });
  return found;
}

function Text({ text, label }: { text: string; label: string }) {
  return (
    <pre className="clary-json" tabIndex={0} aria-label={label}>
      {text}
    </pre>
  );
}

function Rows({ table }: { table: TableOf }) {
  return (
    <Table
      variant="embedded"
      items={table.rows}
      columnDefinitions={table.columns.map((column, index) => ({ id: `${index}`, header: column, cell: (row: string[]) => row[index] ?? "" }))}
      empty="No rows"
      footer={table.cut ? <Box color="text-body-secondary">The first {table.rows.length} rows</Box> : undefined}
      ariaLabels={{ tableLabel: "The answer as a table" }}
    />
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const MOST_ROWS = 200;

/** JSON that holds a list of objects or of numbers, such as `{"predictions": [...]}`, as a table. */
function asTable(json: unknown): TableOf | null {
  const list = Array.isArray(json) ? json : Object.values(json as object).find((value) => Array.isArray(value));
  if (!Array.isArray(list) || list.length === 0) return null;
  const rows = list.slice(0, MOST_ROWS) as unknown[];
  const cut = list.length > MOST_ROWS;
  if (rows.every((row) => row && typeof row === "object" && !Array.isArray(row))) {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row as object)))];
    return { columns, rows: rows.map((row) => columns.map((column) => told((row as Record<string, unknown>)[column]))), cut };
  }
  if (rows.every(Array.isArray)) {
    const width = Math.max(...rows.map((row) => (row as unknown[]).length));
    return { columns: Array.from({ length: width }, (_, index) => `Column ${index + 1}`), rows: rows.map((row) => (row as unknown[]).map(told)), cut };
  }
  return { columns: ["Value"], rows: rows.map((row) => [told(row)]), cut };
}

function told(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function ending(answer: Answer): string {
  if (/json/.test(answer.contentType)) return "json";
  return /csv/.test(answer.contentType) ? "csv" : "txt";
}
