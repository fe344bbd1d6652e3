import { call, type Members } from "../../api/client";
import { type Endpoint, describeConfig } from "../endpoints/endpoint";

export interface ContainerDefinition extends Members {
  ContainerHostname?: string;
  Image?: string;
  ModelDataUrl?: string;
  ModelDataSource?: { S3DataSource?: { S3Uri?: string } };
  Environment?: Record<string, string>;
  Mode?: string;
  ModelPackageName?: string;
  Framework?: string;
  FrameworkVersion?: string;
}

export interface Model extends Members {
  ModelName: string;
  ModelArn: string;
  PrimaryContainer?: ContainerDefinition;
  Containers?: ContainerDefinition[];
  ExecutionRoleArn?: string;
  EnableNetworkIsolation?: boolean;
  CreationTime: number;
}

export function describeModel(name: string, signal?: AbortSignal): Promise<Model> {
  return call<Model>("sagemaker", "DescribeModel", { ModelName: name }, signal);
}

/** The containers of a model in the order in which a request goes through them. */
export function containersOf(model: { PrimaryContainer?: ContainerDefinition; Containers?: ContainerDefinition[] }): ContainerDefinition[] {
  return model.PrimaryContainer ? [model.PrimaryContainer] : (model.Containers ?? []);
}

/** Where the artifacts of a container are. */
export function artifactsOf(container: ContainerDefinition | undefined): string {
  return container?.ModelDataUrl ?? container?.ModelDataSource?.S3DataSource?.S3Uri ?? "";
}

/** The part of an image's address that people know it by. */
export function shortImage(image: string | undefined): string {
  return image?.split("/").pop() ?? "";
}

/** The endpoints that serve a model now. */
export async function servedBy(name: string, signal?: AbortSignal): Promise<Endpoint[]> {
  const found = await call<{ Results?: { Model?: { Endpoints?: Endpoint[] } }[] }>(
    "sagemaker",
    "Search",
    { Resource: "Model", SearchExpression: { Filters: [{ Name: "ModelName", Operator: "Equals", Value: name }] } },
    signal,
  );
  return found.Results?.[0]?.Model?.Endpoints ?? [];
}

export interface ConfigUse {
  name: string;
  created: number;
  variants: string[];
}

const MOST_CONFIGS = 100;
const AT_ONCE = 6;

/**
 * The endpoint configurations that name a model.
 *
 * No List operation can be asked for them, so the newest ones are looked into; `all` tells whether those were all.
 */
export async function configsWith(model: string, signal?: AbortSignal): Promise<{ uses: ConfigUse[]; all: boolean }> {
  const listed = await call<{ EndpointConfigs: { EndpointConfigName: string; CreationTime: number }[]; NextToken?: string }>(
    "sagemaker",
    "ListEndpointConfigs",
    { SortBy: "CreationTime", SortOrder: "Descending", MaxResults: MOST_CONFIGS },
    signal,
  );
  const uses: ConfigUse[] = [];
  const left = [...listed.EndpointConfigs];
  async function look() {
    for (let row = left.shift(); row; row = left.shift()) {
      // It may have been deleted in between.
      const config = await describeConfig(row.EndpointConfigName, signal).catch(() => null);
      const variants = (config?.ProductionVariants ?? []).filter((each) => each.ModelName === model).map((each) => each.VariantName);
      if (variants.length) uses.push({ name: row.EndpointConfigName, created: row.CreationTime, variants });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return { uses: uses.sort((one, other) => other.created - one.created), all: !listed.NextToken };
}
