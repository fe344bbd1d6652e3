import Button from "@cloudscape-design/components/button";
import type { TableProps } from "@cloudscape-design/components/table";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { ResourceTable, type Row } from "../../kit/ResourceTable";
import { Status } from "../../kit/Status";
import { duration, Time } from "../../kit/Time";
import { To } from "../../kit/To";
import type { JobKind } from "./kinds";

const FILTERS = [
  { member: "StatusEquals", options: ["InProgress", "Completed", "Failed", "Stopping", "Stopped"] },
  { member: "CreationTimeAfter" },
  { member: "CreationTimeBefore" },
  { member: "LastModifiedTimeAfter" },
];
const SORTS = { name: "Name", created: "CreationTime", status: "Status" };

/** All jobs of a kind; `column` stands behind their status. */
export function Jobs({ kind, column }: { kind: JobKind; column: TableProps.ColumnDefinition<Row> }) {
  useTrail({ text: kind.title });
  const navigate = useNavigate();
  const name = (row: Row) => String(row[`${kind.noun}Name`]);
  const runs = (row: Row) => row[`${kind.noun}Status`] === "InProgress";
  function took(row: Row): string {
    const end = row[`${kind.phase}EndTime`] ?? (runs(row) ? Date.now() / 1000 : undefined);
    return end === undefined ? "-" : duration(Number(end) - Number(row["CreationTime"]));
  }
  return (
    <ResourceTable
      service="sagemaker"
      operation={`List${kind.noun}s`}
      rows={`${kind.noun}Summaries`}
      title={kind.title}
      columns={[
        { id: "name", header: "Name", isRowHeader: true, width: 300, cell: (row) => <To path={`${kind.path}/${encodeURIComponent(name(row))}`}>{name(row)}</To> },
        { id: "status", header: "Status", width: 150, cell: (row) => <Status value={row[`${kind.noun}Status`]} /> },
        column,
        { id: "created", header: "Created", width: 150, cell: (row) => <Time at={row["CreationTime"]} /> },
        { id: "took", header: "Took", minWidth: 100, cell: took },
      ]}
      filters={FILTERS}
      sorts={SORTS}
      selection="multi"
      milliseconds={3000}
      bulk={[{ verb: "Stop", nouns: ["job", "jobs"], name, can: runs, act: (row) => call("sagemaker", `Stop${kind.noun}`, { [`${kind.noun}Name`]: name(row) }) }]}
      actions={() => (
        <Button variant="primary" onClick={() => navigate(`/explorer/sagemaker/${kind.noun}/create`)}>
          Create {kind.phase.toLowerCase()} job
        </Button>
      )}
    />
  );
}
