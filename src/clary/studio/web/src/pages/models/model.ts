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

const CONFIGS_AT_ONCE = 100;
const DESCRIBED_AT_ONCE = 6;

/** What is known of the endpoint configurations that name a model, after some of all configurations were looked into. */
export interface ConfigUses {
  uses: ConfigUse[];
  /** How many configurations were looked into, the newest first. */
  looked: number;
  /** Where to go on; empty when all were looked into. */
  next: string;
}

/**
 * Look for the endpoint configurations that name a model, from where `before` ended, until `most` more were looked into.
 *
 * Neither List nor Search can be asked for them, so each configuration is looked into.
 */
export async function configsWith(model: string, before: ConfigUses | undefined, most: number, signal?: AbortSignal): Promise<ConfigUses> {
  const found: ConfigUses = before ? { ...before, uses: [...before.uses] } : { uses: [], looked: 0, next: "" };
  const end = found.looked + most;
  do {
    const listed = await call<{ EndpointConfigs: { EndpointConfigName: string; CreationTime: number }[]; NextToken?: string }>(
      "sagemaker",
      "ListEndpointConfigs",
      { SortBy: "CreationTime", SortOrder: "Descending", MaxResults: CONFIGS_AT_ONCE, ...(found.next ? { NextToken: found.next } : {}) },
      signal,
    );
    const left = [...listed.EndpointConfigs];
    async function look() {
      for (let row = left.shift(); row; row = left.shift()) {
        // It may have been deleted in between.
        const config = await describeConfig(row.EndpointConfigName, signal).catch(() => null);
        const variants = (config?.ProductionVariants ?? []).filter((each) => each.ModelName === model).map((each) => each.VariantName);
        if (variants.length) found.uses.push({ name: row.EndpointConfigName, created: row.CreationTime, variants });
      }
    }
    await Promise.all(Array.from({ length: DESCRIBED_AT_ONCE }, look));
    signal?.throwIfAborted();
    found.looked += listed.EndpointConfigs.length;
    found.next = listed.NextToken ?? "";
  } while (found.next && found.looked < end);
  found.uses.sort((one, other) => other.created - one.created);
  return found;
}
