import type { ParameterRanges } from "./tuning";

/** The values of tuned hyperparameters by their names, as hyperparameters are written. */
export type Tuned = Record<string, string>;

/** A tuned hyperparameter as an axis. */
export interface Dimension {
  name: string;
  kind: "number" | "category";
  scale: "linear" | "log" | "reverse";
  /** The ends of its range; of categories, their numbers. */
  low: number;
  high: number;
  whole: boolean;
  /** What it may be, where it is one of several. */
  values: string[];
}

/** With the scaling type Auto, a positive range is searched on a logarithmic scale if its ends are so many times apart. */
const AUTO_SPAN = 100;

export function dimensionsOf(ranges: ParameterRanges): Dimension[] {
  const number = (whole: boolean) => (range: { Name: string; MinValue: string; MaxValue: string; ScalingType?: string }): Dimension => {
    const [low, high] = [Number(range.MinValue), Number(range.MaxValue)];
    return { name: range.Name, kind: "number", scale: scaleOf(range.ScalingType, low, high), low, high, whole, values: [] };
  };
  return [
    ...(ranges.IntegerParameterRanges ?? []).map(number(true)),
    ...(ranges.ContinuousParameterRanges ?? []).map(number(false)),
    ...(ranges.CategoricalParameterRanges ?? []).map((range): Dimension => ({ name: range.Name, kind: "category", scale: "linear", low: 0, high: range.Values.length - 1, whole: true, values: range.Values })),
  ];
}

function scaleOf(type: string | undefined, low: number, high: number): Dimension["scale"] {
  if (type === "Logarithmic") return "log";
  if (type === "ReverseLogarithmic") return "reverse";
  return type !== "Linear" && low > 0 && high / low >= AUTO_SPAN ? "log" : "linear";
}

/** The value of a hyperparameter as a number: of a category, which one it is; undefined where it is none of this range. */
export function valueAt(dimension: Dimension, tuned: Tuned): number | undefined {
  const text = tuned[dimension.name];
  if (text === undefined) return undefined;
  if (dimension.kind === "category") {
    const index = dimension.values.indexOf(text);
    return index < 0 ? undefined : index;
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Where a value stands on its axis: a range that is searched on a reverse logarithmic scale is stretched towards 1. */
export function placeOf(dimension: Dimension, value: number): number {
  return dimension.scale === "reverse" ? -Math.log10(1 - value) : value;
}

/** The value that stands at a place of an axis. */
export function valueOf(dimension: Dimension, place: number): number {
  return dimension.scale === "reverse" ? 1 - 10 ** -place : place;
}

/** The axis of a dimension for ECharts; values stand on it where `placeOf` says. */
export function axisOf(dimension: Dimension, shown: (value: unknown) => string): object {
  if (dimension.kind === "category") return { type: "category", data: dimension.values.map(unquoted) };
  return {
    type: dimension.scale === "log" ? "log" : "value",
    min: placeOf(dimension, dimension.low),
    max: placeOf(dimension, dimension.high),
    ...(dimension.whole ? { minInterval: 1 } : {}),
    axisLabel: { formatter: (place: number) => shown(valueOf(dimension, place)) },
  };
}

/** A value as people read it: scripts get texts as JSON, in quotes. */
export function unquoted(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1) : text;
}
