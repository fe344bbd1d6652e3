import Box from "@cloudscape-design/components/box";

import { useDrawing } from "./useDrawing";

export interface Series {
  name: string;
  /** Pairs of x and y; x is milliseconds since the epoch where the chart is over time. */
  points: [number, number][];
}

interface Props {
  title: string;
  series: Series[];
  /** What x is. */
  x?: "time" | "number";
  xName?: string;
  yName?: string;
  log?: boolean;
  /** How much of the past a point is mixed with: 0 not at all, to 0.99. */
  smoothing?: number;
  kind?: "line" | "bar";
  /** The first and the last x that are shown, whether or not there are points. */
  between?: [number, number];
  /** What stands where there is no point. */
  empty?: string;
  /** What y is measured in, behind each number of the tooltip. */
  unit?: string;
  /** Whether y begins at 0, as it should for counts. */
  fromZero?: boolean;
  /** Whether series stand on each other, so that their sum can be seen. */
  stacked?: boolean;
}

/** Colours that a name keeps wherever it is shown, told apart by people who see colours otherwise too (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a68c9", "#a6761d"];

/** Curves over time or steps, with a crosshair that reads all of them. The table below it is for those who read. */
export function Chart({ title, series, x = "time", xName = "", yName = "", log = false, smoothing = 0, kind = "line", between, empty = "", unit = "", fromZero = false, stacked = false }: Props) {
  const [first, last] = between ?? [];
  const { place } = useDrawing(
    ({ text: ink, line }) => {
      const axis = { axisLine: { lineStyle: { color: line } }, axisLabel: { color: ink }, splitLine: { lineStyle: { color: line } }, nameTextStyle: { color: ink } };
      return {
        animation: false,
        color: series.map((each) => colour(each.name, series)),
        grid: { left: 56, right: 18, top: 34, bottom: xName ? 44 : 30 },
        legend: { top: 0, type: "scroll", textStyle: { color: ink }, icon: "roundRect" },
        tooltip: { trigger: "axis", axisPointer: { type: "cross", label: { backgroundColor: "#0f766e" } }, confine: true, valueFormatter: (value: unknown) => (unit ? `${shown(value)} ${unit}` : shown(value)) },
        xAxis: { type: x === "time" ? "time" : "value", name: xName, nameLocation: "middle", nameGap: 28, scale: true, min: first, max: last, ...axis, axisLabel: { color: ink, hideOverlap: true }, splitLine: { show: false } },
        yAxis: { type: log ? "log" : "value", name: yName, scale: !fromZero, ...axis, axisLabel: { color: ink, formatter: shown } },
        series: series.map((each) => ({
          name: each.name,
          type: kind,
          ...(stacked ? { stack: "all" } : {}),
          ...(kind === "bar" ? { barMaxWidth: 24 } : {}),
          showSymbol: each.points.length < 30,
          symbolSize: 5,
          data: smooth(log ? each.points.filter(([, y]) => y > 0) : each.points, smoothing),
        })),
      };
    },
    [series, x, xName, yName, log, smoothing, kind, first, last, unit, fromZero, stacked],
  );

  const summary = series.map((each) => `${each.name}: ${each.points.length} points, last ${shown(each.points.at(-1)?.[1])}`).join("; ");
  return (
    <figure style={{ margin: 0 }}>
      <figcaption>
        <Box variant="h3">{title}</Box>
      </figcaption>
      <div style={{ position: "relative" }}>
        <div className="clary-chart" ref={place} role="img" aria-label={`${title}. ${summary || "No data"}`} />
        {empty && series.every((each) => each.points.length === 0) && (
          <div className="clary-chart-empty">
            <Box color="text-body-secondary">{empty}</Box>
          </div>
        )}
      </div>
    </figure>
  );
}

/** The colour of a name: the same for the same set of names, whatever their order. */
export function colour(name: string, all: { name: string }[]): string {
  const sorted = all.map((each) => each.name).sort();
  return COLOURS[sorted.indexOf(name) % COLOURS.length] ?? "#0072b2";
}

/** A number as short as it can be told. */
export function shown(value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e7)) return value.toExponential(3).replace(/\.?0+e/, "e");
  return Number(value.toPrecision(5)).toLocaleString(undefined, { maximumFractionDigits: 5 });
}

function smooth(points: [number, number][], weight: number): [number, number][] {
  if (weight <= 0 || points.length < 3) return points;
  let past = points[0]?.[1] ?? 0;
  return points.map(([at, value]) => {
    past = past * weight + value * (1 - weight);
    return [at, past];
  });
}
