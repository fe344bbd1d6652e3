import { call, type Members } from "../../api/client";
import type { DeploymentConfig } from "./deployment";

export interface Endpoint extends Members {
  EndpointName: string;
  EndpointArn: string;
  EndpointStatus: string;
  EndpointConfigName?: string;
  FailureReason?: string;
  CreationTime: number;
  LastModifiedTime: number;
  ProductionVariants?: VariantSummary[];
  PendingDeploymentSummary?: PendingDeployment;
  LastDeploymentConfig?: DeploymentConfig;
  DataCaptureConfig?: { EnableCapture?: boolean; CaptureStatus?: string; CurrentSamplingPercentage?: number; DestinationS3Uri?: string };
}

/** An update that is under way. */
export interface PendingDeployment {
  EndpointConfigName: string;
  StartTime?: number;
  ProductionVariants?: VariantSummary[];
}

export interface VariantSummary {
  VariantName: string;
  DeployedImages?: { SpecifiedImage?: string; ResolvedImage?: string }[];
  CurrentWeight?: number;
  DesiredWeight?: number;
  CurrentInstanceCount?: number;
  DesiredInstanceCount?: number;
  CurrentServerlessConfig?: Serverless;
  DesiredServerlessConfig?: Serverless;
  VariantStatus?: { Status: string; StatusMessage?: string }[];
}

export interface Serverless {
  MemorySizeInMB?: number;
  MaxConcurrency?: number;
  ProvisionedConcurrency?: number;
}

export interface EndpointConfig extends Members {
  EndpointConfigName: string;
  EndpointConfigArn: string;
  CreationTime: number;
  ProductionVariants: Variant[];
}

export interface Variant extends Members {
  VariantName: string;
  ModelName?: string;
  InstanceType?: string;
  InitialInstanceCount?: number;
  InitialVariantWeight?: number;
  ServerlessConfig?: Serverless;
}

export const STATUSES = ["Creating", "InService", "Updating", "SystemUpdating", "RollingBack", "OutOfService", "Deleting", "Failed", "UpdateRollbackFailed"];

/** Whether an endpoint is on its way from one state to another. */
export function isMoving(status: string): boolean {
  return ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"].includes(status);
}

export function describeEndpoint(name: string, signal?: AbortSignal): Promise<Endpoint> {
  return call<Endpoint>("sagemaker", "DescribeEndpoint", { EndpointName: name }, signal);
}

export function describeConfig(name: string, signal?: AbortSignal): Promise<EndpointConfig> {
  return call<EndpointConfig>("sagemaker", "DescribeEndpointConfig", { EndpointConfigName: name }, signal);
}

/** The share of the requests that each variant gets, as whole percents; nothing where no variant has a weight. */
export function shares(variants: { VariantName: string; weight: number }[]): Record<string, string> {
  const all = variants.reduce((sum, each) => sum + each.weight, 0);
  return Object.fromEntries(variants.map((each) => [each.VariantName, all > 0 ? `${Math.round((100 * each.weight) / all)} %` : "-"]));
}

/** The endpoints that serve a configuration. */
export async function endpointsOf(config: string, signal?: AbortSignal): Promise<Endpoint[]> {
  const found = await call<{ Results?: { Endpoint?: Endpoint }[] }>(
    "sagemaker",
    "Search",
    { Resource: "Endpoint", SearchExpression: { Filters: [{ Name: "EndpointConfigName", Operator: "Equals", Value: config }] }, MaxResults: 100 },
    signal,
  );
  return (found.Results ?? []).flatMap(({ Endpoint: each }) => (each ? [each] : []));
}
