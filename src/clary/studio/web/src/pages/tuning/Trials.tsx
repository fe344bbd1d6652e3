import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Icon from "@cloudscape-design/components/icon";
import Pagination from "@cloudscape-design/components/pagination";
import Select from "@cloudscape-design/components/select";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useState } from "react";
import { useSearchParams } from "react-router-dom";

import { shown } from "../../kit/Chart";
import { oneLine } from "../../kit/reason";
import { Status, words } from "../../kit/Status";
import { duration } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { DefinitionSelect, type ChosenDefinition } from "./DefinitionSelect";
import { type Dimension, dimensionsOf, unquoted, valueAt } from "./dimensions";
import { isBetter, type Trial } from "./tuning";

interface Props extends ChosenDefinition {
  trials: Trial[];
  best: string | undefined;
}

interface Column extends TableProps.ColumnDefinition<Trial> {
  id: string;
  /** What it is sorted by; trials without a value come last. */
  by: (trial: Trial) => string | number | undefined;
}

const ROWS = 50;
const ANY = { value: "", label: "Any status" };

/** All training jobs of a tuning job, with what each was given and what it reached. */
export function Trials({ trials, best, ...chosen }: Props) {
  const [search, setSearch] = useSearchParams();
  const [text, setText] = useState("");
  const [status, setStatus] = useState("");
  const [page, setPage] = useState(1);
  const { definitions, definition } = chosen;
  const looked = definitions.filter(({ name }) => !definition || name === definition);
  const metrics = new Set(looked.map(({ objective }) => objective.MetricName));
  const dimensions = [...new Map(looked.flatMap(({ ranges }) => dimensionsOf(ranges)).map((each) => [each.name, each])).values()];
  const columns = columnsOf(dimensions, best, metrics.size === 1 ? ([...metrics][0] ?? "Objective") : "Objective", definitions.length > 1 && !definition);
  const sort = search.get("sort") ?? "number";
  const sorting = columns.find(({ id }) => id === sort) ?? columns[0];
  const descending = search.get("order") === "Descending";

  const found = trials.filter((trial) => (!definition || trial.definition === definition) && (!status || trial.status === status) && trial.name.includes(text.trim()));
  const sorted = sorting ? [...found].sort((a, b) => compared(sorting.by(a), sorting.by(b), descending)) : found;
  const pages = Math.max(1, Math.ceil(sorted.length / ROWS));
  const at = Math.min(page, pages);
  const statuses = [ANY, ...[...new Set(trials.map((trial) => trial.status))].sort().map((value) => ({ value, label: words(value) }))];

  function order(id: string, isDescending: boolean) {
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        after.set("sort", id);
        after.set("order", isDescending ? "Descending" : "Ascending");
        return after;
      },
      { replace: true },
    );
  }

  return (
    <Table
      resizableColumns
      header={<Header counter={`(${found.length})`}>Trials</Header>}
      items={sorted.slice((at - 1) * ROWS, at * ROWS)}
      trackBy="name"
      columnDefinitions={columns.map((column) => ({ ...column, sortingField: column.id }))}
      sortingColumn={sorting ? { ...sorting, sortingField: sorting.id } : undefined}
      sortingDescending={descending}
      onSortingChange={({ detail }) => {
        const id = detail.sortingColumn.sortingField ?? "number";
        // Who sorts by the objective wants to see the best first.
        const fresh = id === "objective" && sort !== "objective";
        order(id, fresh ? looked[0] !== undefined && isBetter(looked[0].objective.Type, 1, 0) : Boolean(detail.isDescending));
      }}
      stickyColumns={{ first: 1 }}
      filter={
        <div className="clary-filters">
          <TextFilter filteringText={text} onChange={({ detail }) => setText(detail.filteringText)} filteringPlaceholder="Find by name" filteringAriaLabel="Find a trial" filteringClearAriaLabel="Clear" />
          <Select selectedOption={statuses.find(({ value }) => value === status) ?? ANY} options={statuses} onChange={({ detail }) => setStatus(detail.selectedOption.value ?? "")} ariaLabel="Status" />
          <DefinitionSelect {...chosen} />
        </div>
      }
      pagination={
        pages > 1 && (
          <Pagination
            currentPageIndex={at}
            pagesCount={pages}
            onChange={({ detail }) => setPage(detail.currentPageIndex)}
            ariaLabels={{ nextPageLabel: "Next page", previousPageLabel: "Previous page", pageLabel: (number) => `Page ${number}`, paginationLabel: "Pages" }}
          />
        )
      }
      empty={
        <Box textAlign="center" padding="l" color="text-body-secondary">
          {trials.length > 0 ? "Nothing fits the filter" : "No training jobs yet"}
        </Box>
      }
      ariaLabels={{ tableLabel: "Trials" }}
    />
  );
}

function columnsOf(dimensions: Dimension[], best: string | undefined, metric: string, named: boolean): Column[] {
  return [
    { id: "name", header: "Name", isRowHeader: true, width: 260, by: (trial) => trial.name, cell: (trial) => <To path={below("training-jobs", trial.name)}>{trial.name}</To> },
    { id: "number", header: "Number", width: 115, by: (trial) => trial.number, cell: (trial) => trial.number },
    { id: "status", header: "Status", width: 150, by: (trial) => trial.status, cell: (trial) => <Outcome trial={trial} /> },
    { id: "objective", header: metric, width: 160, by: (trial) => trial.value, cell: (trial) => <Reached trial={trial} best={trial.name === best} /> },
    ...(named ? [{ id: "definition", header: "Definition", width: 140, by: (trial: Trial) => trial.definition, cell: (trial: Trial) => trial.definition || "-" }] : []),
    ...dimensions.map((dimension) => ({
      id: `tuned.${dimension.name}`,
      header: dimension.name,
      width: 140,
      by: (trial: Trial) => (dimension.kind === "category" ? trial.tuned[dimension.name] : valueAt(dimension, trial.tuned)),
      cell: (trial: Trial) => tuned(dimension, trial),
    })),
    { id: "duration", header: "Trained for", width: 130, minWidth: 110, by: seconds, cell: (trial) => duration(seconds(trial)) },
  ];
}

function Outcome({ trial }: { trial: Trial }) {
  return (
    <span title={oneLine(trial.reason) || undefined}>
      <Status value={trial.status} />
    </span>
  );
}

function Reached({ trial, best }: { trial: Trial; best: boolean }) {
  if (!best) return <>{shown(trial.value)}</>;
  return (
    <span className="clary-keep">
      <b>{shown(trial.value)}</b> <Icon name="star-filled" size="small" variant="success" /> Best
    </span>
  );
}

function tuned(dimension: Dimension, trial: Trial) {
  const text = trial.tuned[dimension.name];
  if (text === undefined) return "-";
  return dimension.kind === "category" ? unquoted(text) : <span title={text}>{shown(Number(text))}</span>;
}

function seconds(trial: Trial): number | undefined {
  if (trial.began === undefined) return undefined;
  return (trial.ended ?? Date.now() / 1000) - trial.began;
}

function compared(a: string | number | undefined, b: string | number | undefined, descending: boolean): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const order = a < b ? -1 : Number(a > b);
  return descending ? -order : order;
}
