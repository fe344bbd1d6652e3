import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import CollectionPreferences, { type CollectionPreferencesProps } from "@cloudscape-design/components/collection-preferences";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import PropertyFilter, { type PropertyFilterProps } from "@cloudscape-design/components/property-filter";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router-dom";

import { call } from "../api/client";
import { Failure } from "./Failure";
import { FILTER_TEXTS } from "./filterTexts";
import { usePolling } from "./usePolling";

export interface SearchColumn<T> extends TableProps.ColumnDefinition<T> {
  id: string;
  /** The property that Search sorts by. */
  property?: string;
  /** What the column is called where columns are chosen. */
  label: string;
  /** Whether it is shown before somebody chooses. */
  shown?: boolean;
}

export interface SearchProperty {
  name: string;
  label: string;
  /** Whether it is compared as a number. */
  number?: boolean;
  options?: string[];
}

interface Props<T> {
  /** What is searched for, as Search names it. */
  resource: string;
  /** The member of a result that holds the resource. */
  member: string;
  /** Filters that every search has. */
  fixed: { Name: string; Operator: string; Value: string }[];
  /** The property that free text looks into. */
  textProperty: string;
  title: string;
  variant: "full-page" | "container";
  /** The columns, given the rows that are shown. */
  columns: (rows: T[]) => SearchColumn<T>[];
  properties: (rows: T[]) => SearchProperty[];
  identity: (row: T) => string;
  actions?: (selected: T[], again: () => void) => ReactNode;
  selection?: "multi";
  empty: ReactNode;
  milliseconds?: number;
}

interface Result<T> {
  Results: Record<string, T>[];
  NextToken?: string;
  TotalHits?: { Value: number; Relation: string };
}

const SIZES = [20, 50, 100];
const OPERATORS: Record<string, string> = { "=": "Equals", "!=": "NotEquals", ":": "Contains", ">": "GreaterThan", "<": "LessThan", ">=": "GreaterThanOrEqualTo", "<=": "LessThanOrEqualTo" };

/** A list that Search filters, sorts, counts and pages; what is looked at stands in the address. */
export function SearchTable<T>(props: Props<T>) {
  const [search, setSearch] = useSearchParams();
  const [selected, setSelected] = useState<readonly T[]>([]);
  const tokens = useRef<string[]>([]);
  const [page, setPage] = useState(1);
  const size = Number(search.get("size")) || SIZES[0] || 20;
  const sort = search.get("sort") ?? "CreationTime";
  const descending = search.get("order") !== "Ascending";
  const tokensOfFilter = useMemo(() => readTokens(search.get("q")), [search]);
  const filters = [...props.fixed, ...tokensOfFilter.map((token) => filter(token, props.textProperty))];
  const asked = {
    Resource: props.resource,
    ...(filters.length > 0 ? { SearchExpression: { Filters: filters } } : {}),
    SortBy: sort,
    SortOrder: descending ? "Descending" : "Ascending",
    MaxResults: size,
  };
  const key = JSON.stringify(asked);
  useEffect(() => {
    tokens.current = [];
    setPage(1);
    setSelected([]);
  }, [key]);

  const token = page > 1 ? tokens.current[page - 2] : undefined;
  const found = usePolling(
    async (signal) => {
      const answer = await call<Result<T>>("sagemaker", "Search", token ? { ...asked, NextToken: token } : asked, signal);
      return { rows: answer.Results.flatMap((result) => result[props.member] ?? []), next: answer.NextToken, total: answer.TotalHits };
    },
    [key, token],
    props.milliseconds ?? 5000,
  );
  if (found.value?.next) tokens.current[page - 1] = found.value.next;
  const rows = found.value?.rows ?? [];
  const columns = props.columns(rows);
  const properties = props.properties(rows);
  const kept = useKeptColumns(`${props.resource} ${JSON.stringify(props.fixed)}`);
  const names = new Set(selected.map(props.identity));
  const chosen = rows.filter((row) => names.has(props.identity(row)));
  const total = found.value?.total;

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

  if (found.error && !found.value) {
    return (
      <Failure
        what={`${props.title} cannot be listed`}
        error={found.error}
        again={() => {
          change({ q: "", sort: "" });
          found.again();
        }}
      />
    );
  }
  const sorting = columns.find((column) => column.property === sort);
  const defaults = columns.map((column) => ({ id: column.id, visible: column.shown !== false }));
  const display = [
    ...kept.display.filter((item) => columns.some((column) => column.id === item.id)),
    ...defaults.filter((item) => !kept.display.some((other) => other.id === item.id)),
  ];
  return (
    <Table
      variant={props.variant}
      stickyHeader={props.variant === "full-page"}
      resizableColumns
      items={rows}
      loading={found.loading && !found.value}
      loadingText="Loading"
      trackBy={props.identity}
      columnDefinitions={columns.map((column) => (column.property ? { ...column, sortingField: column.property } : column))}
      columnDisplay={display}
      sortingColumn={sorting ? { ...sorting, sortingField: sort } : undefined}
      sortingDescending={descending}
      onSortingChange={({ detail }) => change({ sort: detail.sortingColumn.sortingField ?? "", order: detail.isDescending ? "Descending" : "Ascending" })}
      selectionType={props.selection}
      selectedItems={chosen}
      onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
      ariaLabels={{
        selectionGroupLabel: "Selection",
        allItemsSelectionLabel: () => "Select all",
        itemSelectionLabel: (_, row) => `Select ${props.identity(row)}`,
        tableLabel: props.title,
      }}
      header={
        <Header
          variant={props.variant === "full-page" ? "awsui-h1-sticky" : "h2"}
          counter={total && `(${total.Value.toLocaleString()}${total.Relation === "EqualTo" ? "" : "+"})`}
          actions={
            <div className="clary-actions">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={found.again} />
              {props.actions?.(chosen, () => {
                setSelected([]);
                found.again();
              })}
            </div>
          }
        >
          {props.title}
        </Header>
      }
      filter={
        <PropertyFilter
          query={{ operation: "and", tokens: tokensOfFilter }}
          onChange={({ detail }) => change({ q: detail.tokens.length ? JSON.stringify(detail.tokens) : "" })}
          filteringProperties={properties.map((property) => ({
            key: property.name,
            propertyLabel: property.label,
            groupValuesLabel: property.label,
            operators: property.number ? ["=", "!=", ">", ">=", "<", "<="] : ["=", "!=", ":"],
          }))}
          filteringOptions={properties.flatMap((property) => (property.options ?? []).map((value) => ({ propertyKey: property.name, value })))}
          hideOperations
          freeTextFiltering={{ operators: [":"], defaultOperator: ":" }}
          filteringPlaceholder="Find by name, parameter or metric"
          filteringAriaLabel={`Filter ${props.title}`}
          i18nStrings={FILTER_TEXTS}
        />
      }
      pagination={
        <Pagination
          currentPageIndex={page}
          pagesCount={total?.Relation === "EqualTo" ? Math.max(1, Math.ceil(total.Value / size)) : page + (found.value?.next ? 1 : 0)}
          // Each page's token stands on the page before it.
          onChange={({ detail }) => setPage(Math.min(detail.currentPageIndex, tokens.current.length + 1))}
          ariaLabels={{ nextPageLabel: "Next page", previousPageLabel: "Previous page", pageLabel: (number) => `Page ${number}`, paginationLabel: "Pages" }}
        />
      }
      preferences={
        <CollectionPreferences
          title="What is shown"
          confirmLabel="Confirm"
          cancelLabel="Cancel"
          preferences={{ pageSize: size, contentDisplay: display }}
          pageSizePreference={{ title: "Rows on a page", options: SIZES.map((value) => ({ value, label: `${value} rows` })) }}
          contentDisplayPreference={{
            title: "Columns",
            options: columns.map((column, index) => ({ id: column.id, label: column.label, alwaysVisible: index === 0 })),
            enableColumnFiltering: true,
          }}
          onConfirm={({ detail }) => {
            kept.keep(detail.contentDisplay ?? display);
            change({ size: String(detail.pageSize ?? size) });
          }}
        />
      }
      empty={
        tokensOfFilter.length > 0 ? (
          <Box textAlign="center" padding="l" color="text-body-secondary">
            Nothing fits the filter
          </Box>
        ) : (
          props.empty
        )
      }
    />
  );
}

/** The columns that somebody chose, kept in this browser. */
function useKeptColumns(of: string) {
  const key = `clary-columns ${of}`;
  const [display, setDisplay] = useState<readonly CollectionPreferencesProps.ContentDisplayItem[]>(() => {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "[]") as CollectionPreferencesProps.ContentDisplayItem[];
    } catch {
      return [];
    }
  });
  return {
    display,
    keep: (chosen: readonly CollectionPreferencesProps.ContentDisplayItem[]) => {
      localStorage.setItem(key, JSON.stringify(chosen));
      setDisplay(chosen);
    },
  };
}

function readTokens(text: string | null): PropertyFilterProps.Token[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? (found as PropertyFilterProps.Token[]) : [];
  } catch {
    return [];
  }
}

function filter(token: PropertyFilterProps.Token, textProperty: string) {
  return { Name: token.propertyKey ?? textProperty, Operator: OPERATORS[token.operator] ?? "Contains", Value: String(token.value) };
}
