import { keptMetrics, type Metrics } from "../jobs/metrics";

/** A run of an experiment, which SageMaker calls a trial component. */
export interface Run extends Record<string, unknown> {
  TrialComponentName: string;
  TrialComponentArn: string;
  DisplayName?: string;
  Status?: { PrimaryStatus?: string; Message?: string };
  Source?: { SourceArn: string; SourceType?: string };
  StartTime?: number;
  EndTime?: number;
  CreationTime: number;
  Parameters?: Record<string, Parameter>;
  InputArtifacts?: Record<string, Artifact>;
  OutputArtifacts?: Record<string, Artifact>;
  Metrics?: Metric[];
  Parents?: { TrialName?: string; ExperimentName?: string }[];
}

export interface Parameter {
  StringValue?: string;
  NumberValue?: number;
}

export interface Artifact {
  Value: string;
  MediaType?: string;
}

export interface Metric {
  MetricName: string;
  SourceArn?: string;
  TimeStamp?: number;
  Min?: number;
  Max?: number;
  Avg?: number;
  Last?: number;
  Count?: number;
}

/** The members of runs that the platform itself puts among their parameters. */
export const OWN = /^SageMaker\./;

export function titleOf(run: Run): string {
  return run.DisplayName || run.TrialComponentName;
}

/** The value of a parameter: a number where it is one. */
export function valueOf(parameter: Parameter | undefined): string | number | undefined {
  return parameter?.NumberValue ?? parameter?.StringValue;
}

/** The parameters or metrics that any of some runs has, those of the first run first. */
export function namesIn(runs: Run[], of: (run: Run) => string[]): string[] {
  return [...new Set(runs.flatMap(of))];
}

export const parametersOf = (run: Run): string[] => Object.keys(run.Parameters ?? {});
export const metricsOf = (run: Run): string[] => (run.Metrics ?? []).map((metric) => metric.MetricName);

/** The last value of a metric. */
export function lastOf(run: Run, metric: string): number | undefined {
  return run.Metrics?.find((each) => each.MetricName === metric)?.Last;
}

/** All values of a run's metrics; those of a run that a job made are kept with the job. */
export async function seriesOf(run: Run, signal: AbortSignal): Promise<Metrics> {
  const sources = new Map<string, string[]>();
  for (const { MetricName, SourceArn = run.TrialComponentArn } of run.Metrics ?? []) sources.set(SourceArn, [...(sources.get(SourceArn) ?? []), MetricName]);
  const found = await Promise.all([...sources].map(([arn, names]) => keptMetrics(arn, names, signal)));
  return new Map(found.flatMap((metrics) => [...metrics]));
}

/** The page of the job that made a run. */
export function sourcePath(arn: string | undefined): string | undefined {
  const [, kind, name] = /:(training-job|processing-job|transform-job)\/(.+)$/.exec(arn ?? "") ?? [];
  return kind && name ? `/${kind}s/${encodeURIComponent(name)}` : undefined;
}
