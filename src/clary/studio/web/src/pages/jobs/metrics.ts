import type { Series } from "../../kit/Chart";
import type { LogEvent } from "../../kit/useLogs";

export interface MetricDefinition {
  Name: string;
  Regex: string;
}

/** The metrics of a job over time, found in its log by the expressions of its definition, as SageMaker finds them. */
export function metricSeries(definitions: MetricDefinition[], events: LogEvent[]): Series[] {
  return definitions
    .map(({ Name, Regex }) => ({ name: Name, points: points(Regex, events) }))
    .filter((series) => series.points.length > 0);
}

function points(expression: string, events: LogEvent[]): [number, number][] {
  let pattern: RegExp;
  try {
    pattern = new RegExp(expression);
  } catch {
    return [];
  }
  const found: [number, number][] = [];
  for (const event of events) {
    const value = Number(pattern.exec(event.message)?.[1]);
    if (event.message && Number.isFinite(value) && pattern.test(event.message)) found.push([event.timestamp, value]);
  }
  return found;
}

/** Series that belong together: `train:rmse` and `validation:rmse` in one chart. */
export function grouped(series: Series[]): { title: string; series: Series[] }[] {
  const groups = new Map<string, Series[]>();
  for (const each of series) {
    const title = each.name.replace(/^(train|training|validation|valid|val|test|eval)[:_-]/i, "");
    groups.set(title, [...(groups.get(title) ?? []), each]);
  }
  return [...groups].map(([title, members]) => ({ title, series: members }));
}
