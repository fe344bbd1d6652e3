import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Multiselect from "@cloudscape-design/components/multiselect";
import { useState } from "react";

import { type Dimension, unquoted } from "../dimensions";
import type { Brush, Intervals } from "./brush";

interface Props {
  dimensions: Dimension[];
  metric: string;
  brush: Brush;
  onChange: (axis: number, intervals: Intervals) => void;
}

/** Chooses the same parts of the axes as a mouse does that is drawn along them. */
export function BrushFields({ dimensions, metric, brush, onChange }: Props) {
  const names = [...dimensions.map(({ name }) => name), metric];
  return (
    <div className="clary-brush">
      {names.map((name, axis) => {
        const dimension = dimensions[axis];
        const intervals = brush[axis] ?? [];
        return (
          <FormField key={axis} label={name}>
            {dimension?.kind === "category" ? (
              <Categories name={name} dimension={dimension} intervals={intervals} onChange={(next) => onChange(axis, next)} />
            ) : (
              <Ends name={name} interval={intervals[0]} onChange={(next) => onChange(axis, next)} />
            )}
          </FormField>
        );
      })}
    </div>
  );
}

function Ends({ name, interval, onChange }: { name: string; interval: [number, number] | undefined; onChange: (intervals: Intervals) => void }) {
  const [low = -Infinity, high = Infinity] = interval ?? [];
  // What is typed stays as it is, unless the mouse has chosen something else.
  const [typed, setTyped] = useState(["", ""]);
  const text = (index: number, end: number, open: number) => (read(typed[index], open) === end ? (typed[index] ?? "") : Number.isFinite(end) ? String(Number(end.toPrecision(4))) : "");
  const [from, to] = [text(0, low, -Infinity), text(1, high, Infinity)];
  function set(next: [string, string]) {
    setTyped(next);
    const ends: [number, number] = [next[0] === from ? low : read(next[0], -Infinity), next[1] === to ? high : read(next[1], Infinity)];
    onChange(ends.some(Number.isFinite) ? [ends] : []);
  }
  return (
    <div className="clary-ends">
      <Input type="number" step="any" value={from} placeholder="from" ariaLabel={`${name} from`} onChange={({ detail }) => set([detail.value, to])} />
      <Input type="number" step="any" value={to} placeholder="to" ariaLabel={`${name} to`} onChange={({ detail }) => set([from, detail.value])} />
    </div>
  );
}

function read(text: string | undefined, open: number): number {
  return text === undefined || text.trim() === "" || Number.isNaN(Number(text)) ? open : Number(text);
}

function Categories({ name, dimension, intervals, onChange }: { name: string; dimension: Dimension; intervals: Intervals; onChange: (intervals: Intervals) => void }) {
  const options = dimension.values.map((value, index) => ({ value: String(index), label: unquoted(value) }));
  const chosen = options.filter((_, index) => intervals.some(([low, high]) => low <= index && index <= high));
  return (
    <Multiselect
      selectedOptions={chosen}
      options={options}
      onChange={({ detail }) => onChange(detail.selectedOptions.map((option): [number, number] => [Number(option.value), Number(option.value)]))}
      placeholder="any"
      ariaLabel={name}
      hideTokens
      inlineTokens
      expandToViewport
    />
  );
}
