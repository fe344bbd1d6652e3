import type { Members } from "../../api/client";
import { newName } from "../../kit/names";
import type { Transition } from "./training";

/** What DescribeTransformJob tells of a job, as far as its page reads it member by member. */
export interface TransformJobDescription extends Members {
  TransformJobName: string;
  TransformJobStatus: string;
  ModelName: string;
  TransformInput: {
    DataSource?: { S3DataSource?: { S3DataType?: string; S3Uri?: string } };
    ContentType?: string;
    SplitType?: string;
    CompressionType?: string;
  };
  TransformOutput: { S3OutputPath?: string; Accept?: string; AssembleWith?: string };
  TransformResources: { InstanceType?: string; InstanceCount?: number };
  DataProcessing?: { InputFilter?: string; OutputFilter?: string; JoinSource?: string };
  BatchStrategy?: string;
  MaxPayloadInMB?: number;
  MaxConcurrentTransforms?: number;
  ModelClientConfig?: { InvocationsTimeoutInSeconds?: number; InvocationsMaxRetries?: number };
  CreationTime: number;
  TransformStartTime?: number;
  TransformEndTime?: number;
  FailureReason?: string;
  ExperimentConfig?: { ExperimentName?: string };
}

/** What the form begins with that transforms a data set by a model. */
export function transformOf(model: string): Members {
  return {
    TransformJobName: newName(model),
    ModelName: model,
    TransformInput: { DataSource: { S3DataSource: { S3DataType: "S3Prefix" } }, ContentType: "text/csv", SplitType: "Line" },
    TransformOutput: { Accept: "text/csv", AssembleWith: "Line" },
    TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 1 },
  };
}

/** The stages of a transform job, told by its times. */
export function stagesOf(job: TransformJobDescription): Transition[] {
  const { CreationTime: created, TransformStartTime: began, TransformEndTime: ended, TransformJobStatus: status } = job;
  const stages: Transition[] = [{ Status: "Starting", StartTime: created, StatusMessage: "The model's server starts", ...until(began ?? ended) }];
  if (began !== undefined) stages.push({ Status: "Transforming", StartTime: began, ...until(ended) });
  if (ended !== undefined) stages.push({ Status: status, StartTime: ended, ...(job.FailureReason ? { StatusMessage: job.FailureReason } : {}) });
  return stages;
}

function until(end: number | undefined): { EndTime?: number } {
  return end === undefined ? {} : { EndTime: end };
}
