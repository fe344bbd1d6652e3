import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import Table from "@cloudscape-design/components/table";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";

import type { ParameterRanges } from "./tuning";

interface Props {
  value: ParameterRanges;
  onChange: (value: ParameterRanges) => void;
  /** What is wrong, by the path of the member below the ranges. */
  problemAt: (path: string) => string | undefined;
  /** The static hyperparameters, none of which can be tuned. */
  fixed: string[];
  /** Makes a static hyperparameter one that can be tuned. */
  onFree: (name: string) => void;
}

interface Row {
  id: number;
  kind: Kind;
  name: string;
  low: string;
  high: string;
  scaling: string;
  /** One a line. */
  values: string;
}

type Kind = keyof ParameterRanges & `${string}Ranges`;

const KINDS: { value: Kind; label: string }[] = [
  { value: "ContinuousParameterRanges", label: "Continuous" },
  { value: "IntegerParameterRanges", label: "Integer" },
  { value: "CategoricalParameterRanges", label: "Categorical" },
];
const SCALINGS = [
  { value: "Auto", label: "Auto" },
  { value: "Linear", label: "Linear" },
  { value: "Logarithmic", label: "Logarithmic" },
  { value: "ReverseLogarithmic", label: "Reverse logarithmic" },
];

/** The ranges of tuned hyperparameters as a table whose cells can be changed. */
export function RangeEditor({ value, onChange, problemAt, fixed, onFree }: Props) {
  // The rows have an order of their own: in the request, those of a type stand together.
  const [rows, setRows] = useState(() => rowsOf(value));
  const paths = pathsOf(rows);

  function put(next: Row[]) {
    setRows(next);
    onChange({ ...value, ...rangesOf(next) });
  }

  const set = (row: Row, part: Partial<Row>) => put(rows.map((each) => (each.id === row.id ? { ...each, ...part } : each)));
  const called = (row: Row) => row.name || `range ${rows.indexOf(row) + 1}`;
  const problem = (row: Row, member: string) => problemAt(`${paths.get(row.id) ?? ""}.${member}`);
  return (
    <Table
      header={
        <Header
          counter={`(${rows.length})`}
          description="The hyperparameters that are tuned, and where the best of each is looked for"
          actions={
            <Button iconName="add-plus" formAction="none" onClick={() => put([...rows, { id: Math.max(0, ...rows.map(({ id }) => id)) + 1, kind: "ContinuousParameterRanges", name: "", low: "", high: "", scaling: "Auto", values: "" }])}>
              Add range
            </Button>
          }
        >
          Ranges
        </Header>
      }
      items={rows}
      trackBy={(row) => String(row.id)}
      columnDefinitions={[
        {
          id: "name",
          header: "Hyperparameter",
          minWidth: 190,
          cell: (row) => (
            <FormField
              errorText={
                fixed.includes(row.name) ? (
                  <>
                    It is static too.{" "}
                    <Button variant="inline-link" formAction="none" onClick={() => onFree(row.name)}>
                      Tune it instead
                    </Button>
                  </>
                ) : (
                  problem(row, "Name")
                )
              }
            >
              <Input value={row.name} onChange={({ detail }) => set(row, { name: detail.value })} ariaLabel={`Name of ${called(row)}`} spellcheck={false} />
            </FormField>
          ),
        },
        {
          id: "kind",
          header: "Type",
          minWidth: 150,
          cell: (row) => (
            <Select
              selectedOption={KINDS.find((each) => each.value === row.kind) ?? null}
              options={KINDS}
              onChange={({ detail }) => set(row, { kind: detail.selectedOption.value as Kind })}
              ariaLabel={`Type of ${called(row)}`}
              expandToViewport
            />
          ),
        },
        { id: "range", header: "Searched", minWidth: 280, cell: (row) => <Searched row={row} called={called(row)} problem={(member) => problem(row, member)} onChange={(part) => set(row, part)} /> },
        {
          id: "scaling",
          header: "Scale",
          minWidth: 170,
          cell: (row) =>
            row.kind === "CategoricalParameterRanges" ? (
              "-"
            ) : (
              <Select
                selectedOption={SCALINGS.find((each) => each.value === row.scaling) ?? null}
                options={SCALINGS}
                onChange={({ detail }) => set(row, { scaling: detail.selectedOption.value ?? "Auto" })}
                ariaLabel={`Scale of ${called(row)}`}
                expandToViewport
              />
            ),
        },
        { id: "remove", header: "Remove", minWidth: 90, cell: (row) => <Button variant="icon" iconName="remove" formAction="none" ariaLabel={`Remove ${called(row)}`} onClick={() => put(rows.filter((each) => each !== row))} /> },
      ]}
      empty={
        <Box textAlign="center" color="text-body-secondary">
          No ranges yet
        </Box>
      }
      ariaLabels={{ tableLabel: "Ranges" }}
    />
  );
}

function Searched({ row, called, problem, onChange }: { row: Row; called: string; problem: (member: string) => string | undefined; onChange: (part: Partial<Row>) => void }) {
  if (row.kind === "CategoricalParameterRanges") {
    return (
      <FormField errorText={problem("Values")} constraintText="One a line">
        <Textarea value={row.values} onChange={({ detail }) => onChange({ values: detail.value })} rows={3} ariaLabel={`Values of ${called}`} spellcheck={false} />
      </FormField>
    );
  }
  return (
    <div className="clary-ends">
      <FormField errorText={problem("MinValue")}>
        <Input value={row.low} onChange={({ detail }) => onChange({ low: detail.value })} placeholder="from" inputMode="decimal" ariaLabel={`${called} from`} />
      </FormField>
      <FormField errorText={problem("MaxValue")}>
        <Input value={row.high} onChange={({ detail }) => onChange({ high: detail.value })} placeholder="to" inputMode="decimal" ariaLabel={`${called} to`} />
      </FormField>
    </div>
  );
}

function rowsOf(ranges: ParameterRanges): Row[] {
  const numbers = (["ContinuousParameterRanges", "IntegerParameterRanges"] as const).flatMap((kind) =>
    (ranges[kind] ?? []).map((each) => ({ kind, name: each.Name, low: each.MinValue, high: each.MaxValue, scaling: each.ScalingType ?? "Auto", values: "" })),
  );
  const categories = (ranges.CategoricalParameterRanges ?? []).map((each) => ({ kind: "CategoricalParameterRanges" as const, name: each.Name, low: "", high: "", scaling: "Auto", values: each.Values.join("\n") }));
  return [...numbers, ...categories].map((row, index) => ({ ...row, id: index + 1 }));
}

function rangesOf(rows: Row[]): ParameterRanges {
  const numbers = (kind: Kind) =>
    rows.filter((row) => row.kind === kind).map(({ name, low, high, scaling }) => ({ Name: name.trim(), MinValue: low.trim(), MaxValue: high.trim(), ScalingType: scaling }));
  const found: ParameterRanges = {
    ContinuousParameterRanges: numbers("ContinuousParameterRanges"),
    IntegerParameterRanges: numbers("IntegerParameterRanges"),
    CategoricalParameterRanges: rows
      .filter((row) => row.kind === "CategoricalParameterRanges")
      .map(({ name, values }) => ({ Name: name.trim(), Values: values.split("\n").map((line) => line.trim()).filter(Boolean) })),
  };
  // Those without rows are left out.
  return Object.fromEntries(Object.entries(found).map(([kind, some]: [string, unknown[]]) => [kind, some.length > 0 ? some : undefined])) as ParameterRanges;
}

/** Where each row stands in the request. */
function pathsOf(rows: Row[]): Map<number, string> {
  const counted = new Map<Kind, number>();
  return new Map(
    rows.map((row) => {
      const index = counted.get(row.kind) ?? 0;
      counted.set(row.kind, index + 1);
      return [row.id, `${row.kind}.${index}`];
    }),
  );
}
