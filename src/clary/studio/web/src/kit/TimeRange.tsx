import Button from "@cloudscape-design/components/button";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Toggle from "@cloudscape-design/components/toggle";
import { useState } from "react";

import { useTab } from "./useTab";

const RANGES = [
  { value: "900", label: "Last 15 minutes" },
  { value: "3600", label: "Last hour" },
  { value: "10800", label: "Last 3 hours" },
  { value: "43200", label: "Last 12 hours" },
  { value: "86400", label: "Last day" },
  { value: "604800", label: "Last week" },
];
const PERIODS = [
  { value: "60", label: "1 minute" },
  { value: "300", label: "5 minutes" },
  { value: "900", label: "15 minutes" },
  { value: "3600", label: "1 hour" },
  { value: "86400", label: "1 day" },
];
const MOST_POINTS = 180;

export interface TimeRangeState {
  /** How far back charts look, in seconds. */
  range: number;
  /** How many seconds are one point. */
  period: number;
  live: boolean;
  chosen: { range: string; period: string };
  setRange: (range: string) => void;
  setPeriod: (period: string) => void;
  setLive: (live: boolean) => void;
}

/** How far back charts look and how fine; it stands in the address. */
export function useTimeRange(): TimeRangeState {
  const [range, setRange] = useTab("3600", "range");
  const [period, setPeriod] = useTab("auto", "period");
  const [live, setLive] = useState(true);
  const seconds = RANGES.some((each) => each.value === range) ? Number(range) : 3600;
  const fitting = PERIODS.find((each) => seconds / Number(each.value) <= MOST_POINTS) ?? { value: "3600" };
  const known = PERIODS.some((each) => each.value === period);
  return {
    range: seconds,
    period: Number(known ? period : fitting.value),
    live,
    chosen: { range: String(seconds), period: known ? period : "auto" },
    setRange,
    setPeriod,
    setLive,
  };
}

/** Chooses what `useTimeRange` tells. */
export function TimeRange({ state, again, busy }: { state: TimeRangeState; again: () => void; busy: boolean }) {
  const automatic = { value: "auto", label: `Automatic (${PERIODS.find((each) => each.value === String(state.period))?.label ?? ""})` };
  const periods = [automatic, ...PERIODS.filter((each) => Number(each.value) < state.range)];
  return (
    <SpaceBetween direction="horizontal" size="xs" alignItems="center">
      <Select
        selectedOption={RANGES.find((each) => each.value === state.chosen.range) ?? null}
        options={RANGES}
        onChange={({ detail }) => state.setRange(detail.selectedOption.value ?? "3600")}
        ariaLabel="Time range"
      />
      <Select
        selectedOption={periods.find((each) => each.value === state.chosen.period) ?? automatic}
        options={periods}
        onChange={({ detail }) => state.setPeriod(detail.selectedOption.value ?? "auto")}
        ariaLabel="Length of a period"
      />
      <Toggle checked={state.live} onChange={({ detail }) => state.setLive(detail.checked)}>
        Live
      </Toggle>
      <Button iconName="refresh" ariaLabel="Refresh the charts" loading={busy} onClick={again} />
    </SpaceBetween>
  );
}
