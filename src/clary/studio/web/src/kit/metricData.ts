import { call } from "../api/client";
import type { Series } from "./Chart";

/** One curve of CloudWatch: a metric with its dimensions and the statistic of each period. */
export interface MetricQuery {
  label: string;
  namespace: string;
  metric: string;
  /** `Sum`, `Average`, `p99` … */
  stat: string;
  dimensions: Record<string, string>;
  /** What values are multiplied with: 0.001 shows microseconds as milliseconds. */
  scale?: number;
  /** Whether a period without data counts as 0, as it does for numbers of requests. */
  zero?: boolean;
}

interface Answer {
  MetricDataResults?: { Id: string; Timestamps?: number[]; Values?: number[] }[];
  NextToken?: string;
}

const MOST_QUERIES = 500;

/** The curves of metrics between two moments (seconds since the epoch), one point for each `period` seconds. */
export async function metricData(queries: MetricQuery[], from: number, to: number, period: number, signal?: AbortSignal): Promise<Series[]> {
  const start = Math.floor(from / period) * period;
  const end = Math.ceil(to / period) * period;
  const found = new Map<string, Map<number, number>>();
  for (let first = 0; first < queries.length; first += MOST_QUERIES) {
    const asked = queries.slice(first, first + MOST_QUERIES).map((query, index) => ({
      Id: `q${first + index}`,
      MetricStat: {
        Metric: {
          Namespace: query.namespace,
          MetricName: query.metric,
          Dimensions: Object.entries(query.dimensions).map(([Name, Value]) => ({ Name, Value })),
        },
        Period: period,
        Stat: query.stat,
      },
    }));
    let token: string | undefined;
    do {
      const members = { MetricDataQueries: asked, StartTime: start, EndTime: end, ScanBy: "TimestampAscending", ...(token ? { NextToken: token } : {}) };
      const answer: Answer = await call<Answer>("cloudwatch", "GetMetricData", members, signal);
      for (const result of answer.MetricDataResults ?? []) {
        const points = found.get(result.Id) ?? new Map<number, number>();
        result.Timestamps?.forEach((at, index) => points.set(at, result.Values?.[index] ?? 0));
        found.set(result.Id, points);
      }
      token = answer.NextToken;
    } while (token);
  }
  return queries.map((query, index) => {
    const values = found.get(`q${index}`) ?? new Map<number, number>();
    const times = query.zero && values.size > 0 ? steps(start, to, period) : [...values.keys()].sort((a, b) => a - b);
    return { name: query.label, points: times.map((at) => [at * 1000, (values.get(at) ?? 0) * (query.scale ?? 1)]) };
  });
}

function steps(from: number, to: number, period: number): number[] {
  return Array.from({ length: Math.ceil((to - from) / period) }, (_, index) => from + index * period);
}
