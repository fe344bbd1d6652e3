import { call, type Members } from "../../api/client";
import type { ContainerDefinition } from "../models/model";

export type Approval = "Approved" | "Rejected" | "PendingManualApproval";

export interface Person {
  UserProfileName?: string;
  IamIdentity?: { Arn?: string };
}

export interface MetricsSource {
  ContentType?: string;
  S3Uri: string;
}

/** `ModelMetrics`: files by what they tell and, within it, by their part, such as ModelQuality and Statistics. */
export type MetricsFiles = Record<string, Record<string, MetricsSource | undefined> | undefined>;

export interface InferenceSpecification extends Members {
  Containers?: ContainerDefinition[];
  SupportedContentTypes?: string[];
  SupportedResponseMIMETypes?: string[];
  SupportedRealtimeInferenceInstanceTypes?: string[];
  SupportedTransformInstanceTypes?: string[];
}

export interface ModelPackage extends Members {
  ModelPackageArn: string;
  ModelPackageGroupName?: string;
  ModelPackageVersion?: number;
  ModelPackageDescription?: string;
  ModelPackageStatus: string;
  ModelApprovalStatus?: Approval;
  ApprovalDescription?: string;
  CreationTime: number;
  LastModifiedTime?: number;
  CreatedBy?: Person;
  LastModifiedBy?: Person;
  InferenceSpecification?: InferenceSpecification;
  AdditionalInferenceSpecifications?: (InferenceSpecification & { Name: string; Description?: string })[];
  ModelMetrics?: MetricsFiles;
  DriftCheckBaselines?: MetricsFiles;
  CustomerMetadataProperties?: Record<string, string>;
  MetadataProperties?: { CommitId?: string; Repository?: string; GeneratedBy?: string; ProjectId?: string };
  ModelCard?: { ModelCardContent?: string; ModelCardStatus?: string };
  ModelLifeCycle?: { Stage?: string; StageStatus?: string; StageDescription?: string };
  Domain?: string;
  Task?: string;
  SamplePayloadUrl?: string;
  SourceUri?: string;
}

export const APPROVALS: Approval[] = ["Approved", "PendingManualApproval", "Rejected"];

export function describePackage(arn: string, signal?: AbortSignal): Promise<ModelPackage> {
  return call<ModelPackage>("sagemaker", "DescribeModelPackage", { ModelPackageName: arn }, signal);
}

/** The ARN of a version, in the account and the region that are looked at. */
export function packageArn(region: string, account: string, group: string, version: string): string {
  return `arn:aws:sagemaker:${region}:${account}:model-package/${group}/${version}`;
}

/** The page of the version that an ARN names; empty where it names none. */
export function packagePath(arn: string): string {
  const found = /:model-package\/([^/]+)\/(\d+)$/.exec(arn);
  return found ? `/model-registry/${encodeURIComponent(found[1] ?? "")}/${found[2] ?? ""}` : "";
}

/** Who did it, as short as it can be told. */
export function personName(person: Person | undefined): string {
  return person?.UserProfileName ?? person?.IamIdentity?.Arn?.split(/[:/]/).pop() ?? "-";
}
