import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Spinner from "@cloudscape-design/components/spinner";
import { useEffect, useMemo, useState } from "react";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { operation, type Shape } from "../../api/model";
import { NotFound } from "../../frame/NotFound";
import { useTrail } from "../../frame/trail";
import { Failure } from "../../kit/Failure";
import { resourcePath } from "../../kit/paths";
import { ResourceTable, type Row } from "../../kit/ResourceTable";
import { words } from "../../kit/Status";
import { To } from "../../kit/To";
import { Value } from "../../kit/Value";
import { naming } from "./naming";
import { useNoun } from "./useNoun";

const MOST_COLUMNS = 7;
const BULK = { nouns: ["resource", "resources"] as [string, string] };

/** The list of any noun, made from what the service model says of its List operation. */
export default function List() {
  const { service, noun, error } = useNoun();
  const navigate = useNavigate();
  const [input, setInput] = useState<Shape | null>(null);
  useTrail({ text: "All resources", to: "/explorer" }, { text: noun?.title ?? "" });

  useEffect(() => {
    if (noun?.verbs.list) void operation(service, noun.verbs.list).then((found) => setInput(found.input), () => undefined);
  }, [service, noun]);

  const columns = useMemo(() => {
    if (!noun) return [];
    const shown = noun.columns.filter((column) => !/Arn$/.test(column)).slice(0, MOST_COLUMNS);
    const first = shown.find((column) => noun.names.at(-1) === column || /Name$/.test(column)) ?? shown[0] ?? noun.columns[0] ?? "";
    return [first, ...shown.filter((column) => column !== first)].map((column) => ({
      id: column,
      header: words(column.startsWith(noun.noun) ? column.slice(noun.noun.length) || column : column),
      isRowHeader: column === first,
      cell: (row: Row) =>
        column === first && noun.verbs.describe ? (
          <To path={resourcePath(service, noun, row)}>{String(row[column] ?? row[noun.arn] ?? "-")}</To>
        ) : (
          <Value name={column} value={row[column]} />
        ),
    }));
  }, [service, noun]);

  if (error) return <Failure what="The resources cannot be listed" error={error} />;
  if (noun === null) return <NotFound />;
  if (!noun) return <Spinner size="large" />;
  if (!noun.verbs.list) {
    return <Alert type="info">{noun.title} cannot be listed; they are reached from what they belong to.</Alert>;
  }
  const needed = (input?.required ?? []).filter((member) => !["NextToken", "MaxResults"].includes(member));
  const filters = noun.filters.map((member) => ({ member, ...options(input, member) }));
  const sorts = Object.fromEntries(noun.sorts.flatMap((sort) => sortedColumn(sort, noun.columns).map((column) => [column, sort])));
  const remove = noun.verbs.delete;
  const stop = noun.verbs.stop;
  const name = (row: Row) => String(row[noun.names.at(-1) ?? ""] ?? row[noun.arn] ?? "");
  return (
    <>
      {needed.length > 0 && (
        <Box padding={{ bottom: "s" }}>
          <Alert type="info">Filter by {needed.map(words).join(" and ")} to list {noun.title.toLowerCase()}.</Alert>
        </Box>
      )}
      <ResourceTable
        service={service}
        operation={noun.verbs.list}
        rows={noun.rows}
        title={noun.title}
        columns={columns}
        filters={filters}
        sorts={sorts}
        selection="multi"
        bulk={
          noun.later
            ? []
            : [
                ...(stop ? [{ ...BULK, verb: "Stop" as const, name, act: async (row: Row) => call(service, stop, await naming(service, stop, noun, row)) }] : []),
                ...(remove ? [{ ...BULK, verb: "Delete" as const, name, act: async (row: Row) => call(service, remove, await naming(service, remove, noun, row)) }] : []),
              ]
        }
        actions={() => (
          <>
            {noun.verbs.create && (
              <Button
                variant="primary"
                disabled={Boolean(noun.later)}
                disabledReason={noun.later ? `${noun.later} are not available in Clary yet` : undefined}
                onClick={() => navigate(`/explorer/${service}/${noun.noun}/create`)}
              >
                Create
              </Button>
            )}
          </>
        )}
      />
    </>
  );
}

function options(input: Shape | null, member: string): { options?: string[] } {
  const values = input?.members?.[member]?.enum;
  return values ? { options: values } : {};
}

/** The columns that a sort key orders: `CREATION_TIME` is `CreationTime`, `Name` is `ModelName`. */
function sortedColumn(sort: string, columns: string[]): string[] {
  const plain = sort.replaceAll("_", "").toLowerCase();
  const found = columns.find((column) => column.toLowerCase() === plain) ?? columns.find((column) => column.toLowerCase().endsWith(plain));
  return found ? [found] : [];
}
