import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Table from "@cloudscape-design/components/table";
import Toggle from "@cloudscape-design/components/toggle";
import { useState } from "react";

import type { Algorithm, Hyperparameter } from "../../api/algorithms";
import { S3Link } from "../../kit/S3Link";
import { Range } from "../algorithms/Range";
import { typeOf } from "../algorithms/values";
import { plain } from "./trained";

/** Hyperparameters of script mode that the SDK sets, by what they mean. */
const SCRIPT = { sagemaker_program: "Program", sagemaker_submit_directory: "Source", sagemaker_region: "Region", sagemaker_job_name: "Job", sagemaker_container_log_level: "Log level" };

interface Props {
  given: Record<string, string>;
  /** The built-in algorithm that takes them, if it is one. */
  algorithm: Algorithm | undefined;
  title?: string;
}

/** What a training job was told to do: its hyperparameters, and its script. */
export function Parameters({ given, algorithm, title = "Hyperparameters" }: Props) {
  const parameters = Object.entries(given).filter(([name]) => !(name in SCRIPT));
  const script = Object.entries(SCRIPT).filter(([name]) => name in given);
  if (algorithm) return <Declared given={given} algorithm={algorithm} title={title} />;
  return (
    <>
      <Container header={<Header counter={`(${parameters.length})`}>{title}</Header>}>
        {parameters.length ? <KeyValuePairs columns={4} items={parameters.map(([label, value]) => ({ label, value }))} /> : "None"}
      </Container>
      {script.length > 0 && (
        <Container header={<Header>Script</Header>}>
          <KeyValuePairs columns={4} items={script.map(([name, label]) => ({ label, value: <S3Link uri={plain(given[name])} /> }))} />
        </Container>
      )}
    </>
  );
}

interface Row {
  name: string;
  value: string | undefined;
  declared: Hyperparameter | undefined;
}

/** The hyperparameters of a built-in algorithm: those that were given, and on request those that were left as they are. */
function Declared({ given, algorithm, title }: { given: Record<string, string>; algorithm: Algorithm; title: string }) {
  const [all, setAll] = useState(false);
  const known = new Map(algorithm.hyperparameters.flatMap((each) => [each.name, ...each.aliases].map((name) => [name, each] as const)));
  const rows: Row[] = Object.entries(given).map(([name, value]) => ({ name, value, declared: known.get(name) }));
  const named = new Set(rows.map((row) => row.declared?.name));
  const left = algorithm.hyperparameters.filter((each) => !named.has(each.name)).map((each) => ({ name: each.name, value: undefined, declared: each }));
  return (
    <Table<Row>
      header={
        <Header
          counter={`(${rows.length})`}
          actions={
            <Toggle checked={all} onChange={({ detail }) => setAll(detail.checked)}>
              Show those left as they are
            </Toggle>
          }
        >
          {title}
        </Header>
      }
      items={all ? [...rows, ...left] : rows}
      trackBy="name"
      wrapLines
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, minWidth: 160, cell: (row) => <span className="clary-mono">{row.name}</span> },
        { id: "value", header: "Value", minWidth: 110, cell: (row) => <Value row={row} /> },
        { id: "description", header: "What it does", minWidth: 300, cell: (row) => row.declared?.description ?? "-" },
        { id: "default", header: "Default", minWidth: 100, cell: (row) => row.declared?.default ?? "-" },
        { id: "type", header: "Type", minWidth: 140, cell: (row) => <span className="clary-keep">{row.declared ? typeOf(row.declared) : "-"}</span> },
        { id: "range", header: "Range", minWidth: 150, cell: (row) => (row.declared ? <Range parameter={row.declared} /> : "-") },
      ]}
      empty="None: everything is as the algorithm has it"
      ariaLabels={{ tableLabel: title }}
    />
  );
}

function Value({ row }: { row: Row }) {
  if (row.value === undefined) return <Box color="text-body-secondary">not given</Box>;
  const isDefault = row.declared?.default === row.value;
  return (
    <>
      <b>{row.value}</b>
      {isDefault && (
        <Box variant="small" color="text-body-secondary" display="block">
          the default
        </Box>
      )}
    </>
  );
}
