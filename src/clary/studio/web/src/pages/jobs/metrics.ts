import { useMemo, useRef } from "react";

import { call } from "../../api/client";
import type { LogEvent } from "../../kit/useLogs";

export interface MetricDefinition {
  Name: string;
  Regex: string;
}

/** A value of a metric: which one it is, counted from 0, and when it was written, in milliseconds, where that is known. */
export interface Point {
  step: number;
  at: number | undefined;
  value: number;
}

export type Metrics = Map<string, Point[]>;

const MOST_QUERIES = 100;

/**
 * The metrics of a job, found in its log by the expressions of its definition, as SageMaker finds them.
 *
 * Only lines that came since the last time are looked at: a built-in algorithm has eighty expressions.
 */
export function useLoggedMetrics(definitions: MetricDefinition[] | undefined, events: LogEvent[]): Metrics {
  const expressions = JSON.stringify(definitions ?? []);
  const kept = useRef({ expressions: "", seen: 0, first: undefined as LogEvent | undefined, found: new Map() as Metrics });
  return useMemo(() => {
    const before = kept.current;
    const goesOn = before.expressions === expressions && before.first === events[0] && before.seen <= events.length;
    const seen = goesOn ? before.seen : 0;
    const found: Metrics = goesOn ? new Map(before.found) : new Map();
    for (const { Name, Regex } of JSON.parse(expressions) as MetricDefinition[]) {
      const points = measured(Regex, events.slice(seen), found.get(Name)?.length ?? 0);
      if (points.length > 0) found.set(Name, [...(found.get(Name) ?? []), ...points]);
    }
    kept.current = { expressions, seen: events.length, first: events[0], found };
    return found;
  }, [expressions, events]);
}

function measured(expression: string, events: LogEvent[], steps: number): Point[] {
  let pattern: RegExp;
  try {
    pattern = new RegExp(expression);
  } catch {
    // Written for another engine.
    return [];
  }
  const found: Point[] = [];
  for (const event of events) {
    const text = pattern.exec(event.message)?.[1];
    const value = Number(text);
    if (text && Number.isFinite(value)) found.push({ step: steps + found.length, at: event.timestamp, value });
  }
  return found;
}

/** The metrics that a job or a run has left, step by step; `arn` is that of the job or of the trial component. */
export async function keptMetrics(arn: string, names: string[], signal?: AbortSignal): Promise<Metrics> {
  const found: Metrics = new Map();
  for (let first = 0; first < names.length; first += MOST_QUERIES) {
    const asked = names.slice(first, first + MOST_QUERIES);
    const answer = await call<{ MetricQueryResults: { XAxisValues: number[]; MetricValues: number[] }[] }>(
      "sagemaker-metrics",
      "BatchGetMetrics",
      {
        MetricQueries: asked.map((name) => ({ MetricName: name, ResourceArn: arn, MetricStat: "Last", Period: "IterationNumber", XAxisType: "IterationNumber" })),
      },
      signal,
    );
    answer.MetricQueryResults.forEach((result, index) => {
      const points = result.XAxisValues.map((step, at) => ({ step, at: undefined, value: result.MetricValues[at] ?? Number.NaN }));
      if (points.length > 0) found.set(asked[index] ?? "", points);
    });
  }
  return found;
}

/** Metrics that belong together: `train:rmse` and `validation:rmse` in one chart. */
export function titleOf(name: string): string {
  return name.replace(/^(train|training|validation|valid|val|test|eval)[:_-]/i, "");
}

/** The names of metrics by the chart that they stand in. */
export function grouped(names: string[]): { title: string; names: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const name of names) groups.set(titleOf(name), [...(groups.get(titleOf(name)) ?? []), name]);
  return [...groups].map(([title, members]) => ({ title, names: members }));
}
