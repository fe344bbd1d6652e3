import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import PropertyFilter, { type PropertyFilterProps } from "@cloudscape-design/components/property-filter";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router-dom";

import { call, type Members } from "../api/client";
import { useNotices } from "../frame/notices";
import { Confirm } from "./Confirm";
import { Failure } from "./Failure";
import { FILTER_TEXTS } from "./filterTexts";
import { words } from "./Status";
import { usePolling } from "./usePolling";

export type Row = Record<string, unknown>;

/** What can be done to the rows that are selected, such as deleting them; asked before it is done. */
export interface Bulk {
  verb: "Delete" | "Stop";
  /** What one row is called, and what several are. */
  nouns: [string, string];
  name: (row: Row) => string;
  /** The rows that it can be done to; without it, all. */
  can?: (row: Row) => boolean;
  act: (row: Row) => Promise<unknown>;
  /** What is said when all of it was asked for, where it goes on after that. */
  done?: string;
  /** What it means. */
  note?: ReactNode;
}

interface Props {
  service: string;
  /** The List operation. */
  operation: string;
  /** The member of its answer that holds the rows. */
  rows: string;
  title: string;
  columns: TableProps.ColumnDefinition<Row>[];
  /** The members of its request that filter, with what they may be where that is known. */
  filters: { member: string; options?: string[] }[];
  /** The sort keys that it takes, by the id of the column that shows them. */
  sorts: Record<string, string>;
  /** Members that every request has. */
  fixed?: Members;
  bulk?: Bulk[];
  actions?: (selected: Row[], again: () => void) => ReactNode;
  description?: ReactNode;
  selection?: "single" | "multi";
  empty?: ReactNode;
  /** Told what is shown, each time that it was asked. */
  onRows?: (rows: Row[]) => void;
  /** How often the page is asked again. */
  milliseconds?: number;
}

const SIZES = [20, 50, 100];
const NAME_WIDTH = 340;

/** A list that the server filters, sorts and pages; what is looked at stands in the address. */
export function ResourceTable(props: Props) {
  const [search, setSearch] = useSearchParams();
  const [selected, setSelected] = useState<Row[]>([]);
  // The tokens of the pages up to this one: List tells only the next.
  const tokens = useRef<string[]>([]);
  const [page, setPage] = useState(1);
  const [asked, setAsked] = useState<{ bulk: Bulk; rows: Row[] }>();
  const size = Number(search.get("size")) || SIZES[0] || 20;
  const sort = search.get("sort") ?? "";
  const order = search.get("order") ?? "";
  const query = useMemo(() => readQuery(search, props.filters), [search, props.filters]);
  const request: Members = { ...props.fixed, ...members(query), MaxResults: size };
  if (sort) request["SortBy"] = sort;
  if (sort || order) request["SortOrder"] = order || "Descending";
  const key = JSON.stringify([props.service, props.operation, request]);

  useEffect(() => {
    tokens.current = [];
    setPage(1);
    setSelected([]);
  }, [key]);

  const token = page > 1 ? tokens.current[page - 2] : undefined;
  const found = usePolling(
    async (signal) => {
      const answer = await call<Members>(props.service, props.operation, token ? { ...request, NextToken: token } : request, signal);
      const next = (answer["NextToken"] ?? answer["nextToken"]) as string | undefined;
      return { rows: (answer[props.rows] ?? []) as Row[], next };
    },
    [key, token],
    props.milliseconds ?? 5000,
  );
  if (found.value?.next) tokens.current[page - 1] = found.value.next;
  const pages = page + (found.value?.next ? 1 : 0);

  function change(changes: Record<string, string>) {
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries(changes)) {
          if (value) after.set(name, value);
          else after.delete(name);
        }
        return after;
      },
      { replace: true },
    );
  }

  function changed() {
    setSelected([]);
    found.again();
  }

  const names = new Set(selected.map(identity));
  const chosen = (found.value?.rows ?? []).filter((row) => names.has(identity(row)));
  const seen = useRef(props.onRows);
  seen.current = props.onRows;
  const rows = found.value?.rows;
  useEffect(() => {
    if (rows) seen.current?.(rows);
  }, [rows]);

  const sorting = props.columns.find((column) => column.id && props.sorts[column.id] === sort);
  if (found.error && !found.value) return <Failure what={`${props.title} cannot be listed`} error={found.error} again={found.again} />;
  const table = (
    <Table
      variant="full-page"
      stickyHeader
      resizableColumns
      items={found.value?.rows ?? []}
      loading={found.loading && !found.value}
      loadingText="Loading"
      columnDefinitions={props.columns.map((column, index) => {
        const by = column.id ? props.sorts[column.id] : undefined;
        // The first column has the names, which are long.
        return { ...(index === 0 ? { width: NAME_WIDTH } : {}), ...column, ...(by ? { sortingField: column.id } : {}) };
      })}
      sortingColumn={sorting ? { ...sorting, sortingField: sorting.id } : undefined}
      sortingDescending={order !== "Ascending"}
      onSortingChange={({ detail }) => {
        const by = props.sorts[detail.sortingColumn.sortingField ?? ""];
        if (by) change({ sort: by, order: detail.isDescending ? "Descending" : "Ascending" });
      }}
      selectionType={props.selection}
      // Rows are asked again and again; the ones that were chosen stay so.
      trackBy={identity}
      selectedItems={chosen}
      onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
      ariaLabels={{
        selectionGroupLabel: "Selection",
        allItemsSelectionLabel: () => "Select all",
        itemSelectionLabel: (_, row) => `Select ${props.bulk?.[0]?.name(row) ?? String(Object.values(row)[0])}`,
        tableLabel: props.title,
      }}
      header={
        <Header
          variant="awsui-h1-sticky"
          description={props.description}
          counter={found.value ? `(${(page - 1) * size + found.value.rows.length}${found.value.next ? "+" : ""})` : ""}
          actions={
            // Not SpaceBetween: what a page gives is a fragment, which counts as one there.
            <div className="clary-actions">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={found.again} />
              {(props.bulk ?? []).map((bulk) => {
                const rows = chosen.filter(bulk.can ?? (() => true));
                return (
                  <Button key={bulk.verb} disabled={rows.length === 0} onClick={() => setAsked({ bulk, rows })}>
                    {bulk.verb}
                  </Button>
                );
              })}
              {props.actions?.(chosen, changed)}
            </div>
          }
        >
          {props.title}
        </Header>
      }
      filter={
        props.filters.length > 0 && (
          <PropertyFilter
            query={query}
            onChange={({ detail }) => change({ q: detail.tokens.length ? JSON.stringify(detail.tokens) : "" })}
            filteringProperties={props.filters.map(({ member }) => ({
              key: member,
              propertyLabel: words(member),
              groupValuesLabel: words(member),
              operators: ["="],
            }))}
            filteringOptions={props.filters.flatMap(({ member, options }) =>
              (options ?? []).map((value) => ({ propertyKey: member, value })),
            )}
            hideOperations
            freeTextFiltering={{ operators: [":"], defaultOperator: ":" }}
            filteringPlaceholder="Find by name or property"
            filteringAriaLabel={`Filter ${props.title}`}
            i18nStrings={FILTER_TEXTS}
          />
        )
      }
      pagination={
        <SpaceBetween direction="horizontal" size="s">
          <Select
            selectedOption={{ value: String(size), label: `${size} rows` }}
            options={SIZES.map((each) => ({ value: String(each), label: `${each} rows` }))}
            onChange={({ detail }) => change({ size: detail.selectedOption.value ?? "" })}
            ariaLabel="Rows on a page"
          />
          <Pagination
            currentPageIndex={page}
            pagesCount={pages}
            openEnd={Boolean(found.value?.next)}
            onChange={({ detail }) => setPage(Math.min(detail.currentPageIndex, pages))}
            ariaLabels={{
              nextPageLabel: "Next page",
              previousPageLabel: "Previous page",
              pageLabel: (number) => `Page ${number}`,
              paginationLabel: "Pages",
            }}
          />
        </SpaceBetween>
      }
      empty={
        props.empty ?? (
          <Box textAlign="center" padding="l" color="text-body-secondary">
            {query.tokens.length ? "Nothing fits the filter" : `There are no ${props.title.toLowerCase()} yet`}
          </Box>
        )
      }
    />
  );
  return (
    <>
      {table}
      {asked && <Asked {...asked} onDismiss={() => setAsked(undefined)} onDone={changed} />}
    </>
  );
}

function Asked({ bulk, rows, onDismiss, onDone }: { bulk: Bulk; rows: Row[]; onDismiss: () => void; onDone: () => void }) {
  const notices = useNotices();
  const [one, many] = bulk.nouns;
  return (
    <Confirm
      verb={bulk.verb}
      title={`${bulk.verb} ${rows.length === 1 ? `this ${one}` : `${rows.length} ${many}`}?`}
      names={rows.map(bulk.name)}
      onDismiss={onDismiss}
      onConfirm={async () => {
        try {
          for (const row of rows) await bulk.act(row);
          notices.succeeded(bulk.done ?? { Delete: "Deleted", Stop: "Stopping" }[bulk.verb]);
        } finally {
          onDone();
        }
      }}
    >
      {bulk.note}
    </Confirm>
  );
}

/** What tells a row from others: its ARN, else all that names it. */
function identity(row: Row): string {
  const names = Object.entries(row).filter(([member, value]) => typeof value !== "object" && /(Arn|Name|Id|Version)$/.test(member));
  return JSON.stringify(names.length ? names : row);
}

function readQuery(search: URLSearchParams, filters: { member: string }[]): PropertyFilterProps.Query {
  try {
    const tokens = JSON.parse(search.get("q") ?? "[]") as PropertyFilterProps.Token[];
    const known = new Set(filters.map(({ member }) => member));
    return { operation: "and", tokens: tokens.filter((token) => !token.propertyKey || known.has(token.propertyKey)) };
  } catch {
    return { operation: "and", tokens: [] };
  }
}

function members(query: PropertyFilterProps.Query): Members {
  const found: Members = {};
  for (const { propertyKey, value } of query.tokens) {
    const member = propertyKey ?? "NameContains";
    found[member] = /(After|Before)$/.test(member) ? Date.parse(String(value)) / 1000 : value;
  }
  return found;
}
