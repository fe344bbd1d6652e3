import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useState } from "react";

import type { Hyperparameter } from "../../api/algorithms";
import { Range } from "./Range";
import { tuning, typeOf } from "./values";

/** What can be set of an algorithm, the required first. */
export function Hyperparameters({ parameters }: { parameters: Hyperparameter[] }) {
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const ordered = [...parameters.filter((each) => each.required), ...parameters.filter((each) => !each.required)];
  const items = ordered.filter((each) => `${each.name} ${each.aliases.join(" ")} ${each.description}`.toLowerCase().includes(wanted));
  return (
    <Table<Hyperparameter>
      header={<Header counter={`(${parameters.length})`}>Hyperparameters</Header>}
      filter={<TextFilter filteringText={text} onChange={({ detail }) => setText(detail.filteringText)} filteringPlaceholder="Find a hyperparameter" filteringAriaLabel="Find a hyperparameter" countText={wanted ? `${items.length} found` : ""} />}
      items={items}
      trackBy="name"
      wrapLines
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, minWidth: 190, cell: (row) => <Name parameter={row} /> },
        { id: "description", header: "What it does", minWidth: 320, cell: (row) => row.description },
        { id: "type", header: "Type", minWidth: 140, cell: (row) => <span className="clary-keep">{typeOf(row)}</span> },
        { id: "range", header: "Range", minWidth: 180, cell: (row) => <Range parameter={row} /> },
        { id: "default", header: "Default", minWidth: 100, cell: (row) => row.default ?? "-" },
        { id: "tunable", header: "For tuning", minWidth: 120, cell: tuning },
      ]}
      empty="None of that name"
      ariaLabels={{ tableLabel: "Hyperparameters" }}
    />
  );
}

function Name({ parameter }: { parameter: Hyperparameter }) {
  return (
    <>
      <span className="clary-mono">{parameter.name}</span>
      {parameter.required && <b> required</b>}
      {parameter.aliases.length > 0 && (
        <Box variant="small" color="text-body-secondary" display="block">
          or {parameter.aliases.join(", ")}
        </Box>
      )}
    </>
  );
}
