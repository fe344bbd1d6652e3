import SegmentedControl from "@cloudscape-design/components/segmented-control";
import Slider from "@cloudscape-design/components/slider";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Toggle from "@cloudscape-design/components/toggle";
import { useState } from "react";

export interface ChartView {
  log: boolean;
  smoothing: number;
  x: "step" | "time";
}

/** How the curves of a page are drawn; kept in this browser. */
export function useChartView(): [ChartView, (view: ChartView) => void] {
  const [view, setView] = useState<ChartView>(() => {
    const initial: ChartView = { log: false, smoothing: 0, x: "step" };
    try {
      return { ...initial, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<ChartView>) };
    } catch {
      return initial;
    }
  });
  return [
    view,
    (changed) => {
      localStorage.setItem(KEY, JSON.stringify(changed));
      setView(changed);
    },
  ];
}

const KEY = "clary-charts";

interface Props {
  view: ChartView;
  onChange: (view: ChartView) => void;
  /** Whether points have times. */
  times: boolean;
}

/** Steps or times, smoothing, and a logarithmic scale. */
export function ChartControls({ view, onChange, times }: Props) {
  return (
    <SpaceBetween direction="horizontal" size="l" alignItems="center">
      {times && (
        <SegmentedControl
          label="Over"
          selectedId={view.x}
          onChange={({ detail }) => onChange({ ...view, x: detail.selectedId as ChartView["x"] })}
          options={[
            { id: "step", text: "Steps" },
            { id: "time", text: "Time" },
          ]}
        />
      )}
      <Toggle checked={view.log} onChange={({ detail }) => onChange({ ...view, log: detail.checked })}>
        Logarithmic
      </Toggle>
      <div className="clary-smoothing">
        <span>Smoothing</span>
        <div>
          <Slider
            value={view.smoothing}
            min={0}
            max={0.99}
            step={0.01}
            onChange={({ detail }) => onChange({ ...view, smoothing: detail.value })}
            ariaLabel="Smoothing"
            valueFormatter={(value) => value.toFixed(2)}
            hideFillLine
          />
        </div>
      </div>
    </SpaceBetween>
  );
}
