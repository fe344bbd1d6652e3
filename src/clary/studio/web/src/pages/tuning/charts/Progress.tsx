import Box from "@cloudscape-design/components/box";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";

import { shown } from "../../../kit/Chart";
import { useDrawing } from "../../../kit/useDrawing";
import { isBetter, type Trial } from "../tuning";
import { axisStyle, BEST, FAILED, KINDS, kindOf, said, scatter, themed, TOOLTIP, type TrialsChart } from "./points";

/** Each trial as a point, those without a value at the foot, and the best value up to then as a line. */
export function Progress({ trials, best, direction, metric }: TrialsChart) {
  const [over, setOver] = useState<"number" | "time">("number");
  const ended = trials.filter((trial) => trial.ended !== undefined);
  const x = (trial: Trial) => (over === "number" ? trial.number : 1000 * (trial.ended ?? 0));
  const reached = ended.filter((trial) => trial.value !== undefined).sort((a, b) => x(a) - x(b));
  const without = ended.filter((trial) => trial.value === undefined);
  const line: [number, number][] = [];
  for (const trial of reached) {
    const value = trial.value ?? 0;
    const before = line.at(-1)?.[1];
    line.push([x(trial), before === undefined || isBetter(direction, value, before) ? value : before]);
  }
  const last = line.at(-1);
  const end = Math.max(...ended.map(x));
  if (last && last[0] < end) line.push([end, last[1]]);

  const { place } = useDrawing(
    (ink) => {
      const style = axisStyle(ink);
      const point = (trial: Trial, y: number) => ({ value: [x(trial), y], said: said(trial, metric) });
      return {
        animation: false,
        grid: { left: 72, right: 24, top: 40, bottom: 46 },
        legend: { top: 0, textStyle: { color: ink.text } },
        tooltip: { ...TOOLTIP, formatter: ({ data }: { data: { said?: string } }) => data.said ?? "" },
        xAxis: {
          type: over === "number" ? "value" : "time",
          name: over === "number" ? "Trial" : "Ended at",
          nameLocation: "middle",
          nameGap: 28,
          scale: true,
          ...(over === "number" ? { min: 0, minInterval: 1 } : {}),
          ...style,
          splitLine: { show: false },
          axisLabel: { color: ink.text, hideOverlap: true },
        },
        yAxis: [
          { type: "value", name: metric, nameLocation: "middle", nameGap: 52, scale: true, boundaryGap: ["2%", "10%"], ...style, axisLabel: { color: ink.text, formatter: shown } },
          // Where those stand that have no value.
          { type: "value", min: 0, max: 1, show: false },
        ],
        series: [
          { name: "Best so far", type: "line", step: "end", symbol: "none", color: themed(BEST.colour), lineStyle: { width: 2 }, data: line, tooltip: { show: false } },
          ...KINDS.map((kind) =>
            scatter(
              kind,
              reached.filter((trial) => kindOf(trial) === kind && trial.name !== best).map((trial) => point(trial, trial.value ?? 0)),
            ),
          ),
          scatter(
            BEST,
            reached.filter((trial) => trial.name === best).map((trial) => point(trial, trial.value ?? 0)),
          ),
          {
            ...scatter(
              FAILED,
              without.map((trial) => point(trial, 0.02)),
            ),
            yAxisIndex: 1,
          },
        ].filter((series) => series.data.length > 0),
      };
    },
    [JSON.stringify(ended), best, direction, metric, over],
  );

  const summary = [`${reached.length} trials with a value`, without.length > 0 ? `${without.length} without one` : "", `best ${shown(last?.[1])}`].filter(Boolean).join(", ");
  return (
    <SpaceBetween size="xs">
      <div className="clary-chart-head">
        <Box variant="h3">{metric} over time</Box>
        <SegmentedControl
          label="Over"
          selectedId={over}
          onChange={({ detail }) => setOver(detail.selectedId === "time" ? "time" : "number")}
          options={[
            { id: "number", text: "Trials" },
            { id: "time", text: "Time" },
          ]}
        />
      </div>
      <div className="clary-chart" ref={place} role="img" aria-label={`${metric} over time. ${summary}`} />
    </SpaceBetween>
  );
}
