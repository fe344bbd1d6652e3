import type { Members } from "../../api/client";
import type { Tuned } from "./dimensions";

export type Direction = "Maximize" | "Minimize";

export interface Objective {
  Type: Direction;
  MetricName: string;
}

/** What DescribeHyperParameterTuningJob tells of a job, as far as its page reads it member by member. */
export interface TuningJobDescription extends Members {
  HyperParameterTuningJobName: string;
  HyperParameterTuningJobArn: string;
  HyperParameterTuningJobStatus: string;
  HyperParameterTuningJobConfig: {
    Strategy: string;
    HyperParameterTuningJobObjective?: Objective;
    ResourceLimits: { MaxNumberOfTrainingJobs?: number; MaxParallelTrainingJobs: number; MaxRuntimeInSeconds?: number };
    ParameterRanges?: ParameterRanges;
    TrainingJobEarlyStoppingType?: string;
    TuningJobCompletionCriteria?: {
      TargetObjectiveMetricValue?: number;
      BestObjectiveNotImproving?: { MaxNumberOfTrainingJobsNotImproving?: number };
      ConvergenceDetected?: { CompleteOnConvergence?: string };
    };
  };
  TrainingJobDefinition?: TrainingDefinition;
  TrainingJobDefinitions?: TrainingDefinition[];
  TrainingJobStatusCounters: Counters;
  BestTrainingJob?: Summary;
  OverallBestTrainingJob?: Summary;
  WarmStartConfig?: { ParentHyperParameterTuningJobs: { HyperParameterTuningJobName: string }[]; WarmStartType: string };
  Autotune?: { Mode: string };
  TuningJobCompletionDetails?: { NumberOfTrainingJobsObjectiveNotImproving?: number; ConvergenceDetectedTime?: number };
  CreationTime: number;
  HyperParameterTuningEndTime?: number;
  FailureReason?: string;
}

export interface Counters {
  Completed: number;
  InProgress: number;
  RetryableError: number;
  NonRetryableError: number;
  Stopped: number;
}

export interface ParameterRanges {
  IntegerParameterRanges?: NumberRange[];
  ContinuousParameterRanges?: NumberRange[];
  CategoricalParameterRanges?: { Name: string; Values: string[] }[];
}

export interface NumberRange {
  Name: string;
  MinValue: string;
  MaxValue: string;
  ScalingType?: string;
}

export interface TrainingDefinition extends Members {
  DefinitionName?: string;
  TuningObjective?: Objective;
  HyperParameterRanges?: ParameterRanges;
  StaticHyperParameters?: Record<string, string>;
  AlgorithmSpecification: { TrainingImage?: string; AlgorithmName?: string; TrainingInputMode?: string };
  RoleArn: string;
  ResourceConfig?: { InstanceType?: string; InstanceCount?: number };
  HyperParameterTuningResourceConfig?: { InstanceType?: string; InstanceCount?: number; InstanceConfigs?: { InstanceType: string; InstanceCount: number }[] };
  OutputDataConfig: { S3OutputPath?: string };
  EnableManagedSpotTraining?: boolean;
}

/** A training job as the tuning job tells of it. */
export interface Summary {
  TrainingJobDefinitionName?: string;
  TrainingJobName: string;
  CreationTime: number;
  TrainingStartTime?: number;
  TrainingEndTime?: number;
  TrainingJobStatus: string;
  TunedHyperParameters: Tuned;
  FailureReason?: string;
  FinalHyperParameterTuningJobObjectiveMetric?: { MetricName: string; Value: number };
}

/** One kind of training job that a tuning job launches, with what is searched for it. */
export interface Definition {
  /** Empty where there is only one, which has no name. */
  name: string;
  objective: Objective;
  ranges: ParameterRanges;
  training: TrainingDefinition;
}

/** A training job of a tuning job. */
export interface Trial {
  /** Which one it is, counted from 1. */
  number: number;
  name: string;
  definition: string;
  status: string;
  /** The value of its objective, once it has ended with one. */
  value: number | undefined;
  tuned: Tuned;
  began: number | undefined;
  ended: number | undefined;
  reason: string;
}

export function definitionsOf(job: TuningJobDescription): Definition[] {
  const config = job.HyperParameterTuningJobConfig;
  const none: Objective = { Type: "Maximize", MetricName: "" };
  return (job.TrainingJobDefinitions ?? (job.TrainingJobDefinition ? [job.TrainingJobDefinition] : [])).map((training) => ({
    name: training.DefinitionName ?? "",
    objective: training.TuningObjective ?? config.HyperParameterTuningJobObjective ?? none,
    ranges: training.HyperParameterRanges ?? config.ParameterRanges ?? {},
    training,
  }));
}

/** Trials in the order in which they were made. */
export function trialsOf(summaries: Summary[]): Trial[] {
  return [...summaries]
    .sort((a, b) => a.CreationTime - b.CreationTime || (a.TrainingJobName < b.TrainingJobName ? -1 : 1))
    .map((each, index) => ({
      number: index + 1,
      name: each.TrainingJobName,
      definition: each.TrainingJobDefinitionName ?? "",
      status: each.TrainingJobStatus,
      value: each.FinalHyperParameterTuningJobObjectiveMetric?.Value,
      tuned: each.TunedHyperParameters,
      began: each.TrainingStartTime,
      ended: each.TrainingEndTime,
      reason: each.FailureReason ?? "",
    }));
}

export function isBetter(direction: Direction, value: number, than: number): boolean {
  return direction === "Maximize" ? value > than : value < than;
}

/** How many training jobs have ended, in whatever way. */
export function endedCount(counters: Counters): number {
  return counters.Completed + counters.Stopped + failedCount(counters);
}

export function failedCount(counters: Counters): number {
  return counters.NonRetryableError + counters.RetryableError;
}
