import type { Members } from "../../api/client";
import type { MetricDefinition } from "./metrics";

/** What DescribeTrainingJob tells of a job, as far as its page reads it member by member. */
export interface TrainingJobDescription extends Members {
  TrainingJobName: string;
  TrainingJobArn: string;
  TrainingJobStatus: string;
  TuningJobArn?: string;
  SecondaryStatus: string;
  AlgorithmSpecification: { TrainingImage?: string; AlgorithmName?: string; TrainingInputMode?: string; MetricDefinitions?: MetricDefinition[] };
  HyperParameters?: Record<string, string>;
  InputDataConfig?: Channel[];
  OutputDataConfig?: { S3OutputPath?: string; CompressionType?: string };
  ModelArtifacts?: { S3ModelArtifacts?: string };
  CheckpointConfig?: { S3Uri?: string; LocalPath?: string };
  ResourceConfig?: Instances & { InstanceGroups?: Instances[]; VolumeSizeInGB?: number; KeepAlivePeriodInSeconds?: number };
  StoppingCondition?: { MaxRuntimeInSeconds?: number; MaxWaitTimeInSeconds?: number; MaxPendingTimeInSeconds?: number };
  EnableManagedSpotTraining?: boolean;
  RetryStrategy?: { MaximumRetryAttempts?: number };
  WarmPoolStatus?: { Status: string; ResourceRetainedBillableTimeInSeconds?: number; ReusedByJob?: string };
  CreationTime: number;
  TrainingStartTime?: number;
  TrainingEndTime?: number;
  TrainingTimeInSeconds?: number;
  BillableTimeInSeconds?: number;
  ExperimentConfig?: { ExperimentName?: string };
  SecondaryStatusTransitions?: Transition[];
  FinalMetricDataList?: { MetricName: string; Value: number; Timestamp: number }[];
}

export interface Channel {
  ChannelName: string;
  DataSource?: {
    S3DataSource?: { S3Uri?: string; S3DataType?: string; S3DataDistributionType?: string; AttributeNames?: string[] };
    FileSystemDataSource?: { FileSystemId?: string; FileSystemType?: string; DirectoryPath?: string };
  };
  ContentType?: string;
  CompressionType?: string;
  RecordWrapperType?: string;
  InputMode?: string;
  ShuffleConfig?: { Seed?: number };
}

export interface Transition {
  Status: string;
  StartTime: number;
  EndTime?: number;
  StatusMessage?: string;
}

/** How often a job came to a stage. */
export function timesIn(stage: string, job: TrainingJobDescription): number {
  return (job.SecondaryStatusTransitions ?? []).filter((step) => step.Status === stage).length;
}

/** Whether something of a job that has ended can still change: its warm pool waits for the next job, or runs it. */
export function isPoolOpen(job: TrainingJobDescription): boolean {
  return ["Available", "InUse"].includes(job.WarmPoolStatus?.Status ?? "");
}

export interface Instances {
  InstanceCount?: number;
  InstanceType?: string;
}

/** The instances of a job by type: of its groups, or all alike. */
export function instancesOf(job: TrainingJobDescription): { type: string; count: number }[] {
  const groups = job.ResourceConfig?.InstanceGroups ?? [job.ResourceConfig ?? {}];
  return groups.map((group) => ({ type: group.InstanceType ?? "-", count: group.InstanceCount ?? 1 }));
}

/** How many instances those are together. */
export function instanceCount(job: TrainingJobDescription): number {
  return instancesOf(job).reduce((sum, each) => sum + each.count, 0);
}

export function shownInstances(job: TrainingJobDescription): string {
  return instancesOf(job)
    .map(({ type, count }) => `${count} × ${type}`)
    .join(" + ");
}
