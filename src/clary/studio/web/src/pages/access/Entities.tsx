import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { type ReactNode, useState } from "react";

import { Failure } from "../../kit/Failure";
import type { Polled } from "../../kit/usePolling";

interface Props<Row> {
  title: string;
  found: Polled<Row[]>;
  name: (row: Row) => string;
  columns: TableProps.ColumnDefinition<Row>[];
  actions: (selected: Row[]) => ReactNode;
  empty: string;
  description?: string;
  variant?: "full-page" | "container";
}

const ROWS = 50;

/** Users, roles or groups: few enough to be read at once, since IAM's lists take no filters. */
export function Entities<Row>({ title, found, name, columns, actions, empty, description, variant = "full-page" }: Props<Row>) {
  const [text, setText] = useState("");
  const [page, setPage] = useState(1);
  const [selected, setSelected] = useState<readonly Row[]>([]);
  if (found.error && !found.value) return <Failure what={`${title} cannot be listed`} error={found.error} again={found.again} />;
  const fitting = (found.value ?? []).filter((row) => name(row).toLowerCase().includes(text.trim().toLowerCase()));
  const pages = Math.max(1, Math.ceil(fitting.length / ROWS));
  const names = new Set(selected.map(name));
  const chosen = fitting.filter((row) => names.has(name(row)));
  return (
    <Table
      variant={variant}
      {...(variant === "full-page" ? { stickyHeader: true } : {})}
      items={fitting.slice((page - 1) * ROWS, page * ROWS)}
      loading={!found.value}
      loadingText="Loading"
      trackBy={name}
      selectionType="multi"
      selectedItems={chosen}
      onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
      wrapLines
      columnDefinitions={columns}
      header={
        <Header
          variant={variant === "full-page" ? "awsui-h1-sticky" : "h2"}
          description={description}
          counter={found.value && `(${found.value.length})`}
          actions={
            <div className="clary-actions">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={found.again} />
              {actions(chosen)}
            </div>
          }
        >
          {title}
        </Header>
      }
      filter={
        <TextFilter
          filteringText={text}
          onChange={({ detail }) => {
            setText(detail.filteringText);
            setPage(1);
          }}
          filteringPlaceholder="Find by name"
          filteringClearAriaLabel="Clear"
          filteringAriaLabel={`Find ${title.toLowerCase()} by name`}
          countText={text ? `${fitting.length} fit` : ""}
        />
      }
      pagination={
        pages > 1 && (
          <Pagination
            currentPageIndex={page}
            pagesCount={pages}
            onChange={({ detail }) => setPage(detail.currentPageIndex)}
            ariaLabels={{ nextPageLabel: "Next page", previousPageLabel: "Previous page", pageLabel: (number) => `Page ${number}`, paginationLabel: "Pages" }}
          />
        )
      }
      empty={
        <Box textAlign="center" color="text-body-secondary" padding="l">
          {text ? "No name has this text" : empty}
        </Box>
      }
      ariaLabels={{
        tableLabel: title,
        selectionGroupLabel: "Selection",
        allItemsSelectionLabel: () => "Select all",
        itemSelectionLabel: (_, row) => `Select ${name(row)}`,
      }}
    />
  );
}
