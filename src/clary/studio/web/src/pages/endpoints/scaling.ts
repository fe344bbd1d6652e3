import { call } from "../../api/client";
import { ApiError } from "../../api/errors";

const SERVICE = "application-autoscaling";
const DIMENSION = "sagemaker:variant:DesiredInstanceCount";
const NAMESPACE = "sagemaker";
const REQUESTS = "SageMakerVariantInvocationsPerInstance";
const MOST_ACTIVITIES = 20;
const METRICS: Record<string, string> = {
  [REQUESTS]: "requests a minute and instance",
  SageMakerVariantConcurrentRequestsPerModelHighResolution: "concurrent requests",
};

export interface Target {
  ResourceId: string;
  MinCapacity: number;
  MaxCapacity: number;
  SuspendedState?: Record<string, boolean>;
}

export interface Policy {
  PolicyName: string;
  PolicyType: string;
  ResourceId: string;
  TargetTrackingScalingPolicyConfiguration?: {
    TargetValue: number;
    PredefinedMetricSpecification?: { PredefinedMetricType: string };
    CustomizedMetricSpecification?: { MetricName?: string; Statistic?: string };
  };
  StepScalingPolicyConfiguration?: { AdjustmentType?: string; StepAdjustments?: { ScalingAdjustment: number }[] };
  Alarms?: { AlarmName: string }[];
}

export interface Activity {
  ActivityId: string;
  ResourceId: string;
  StartTime: number;
  StatusCode: string;
  Description?: string;
  Cause?: string;
  StatusMessage?: string;
}

export interface Alarm {
  AlarmName: string;
  StateValue: string;
  StateReason?: string;
  StateUpdatedTimestamp?: number;
  MetricName?: string;
  Dimensions?: { Name: string; Value: string }[];
}

export interface Scaling {
  targets: Target[];
  policies: Policy[];
  activities: Activity[];
  alarms: Alarm[];
}

/** How the variants of an endpoint are scaled, what was done lately, and the alarms that watch them. */
export async function scalingOf(endpoint: string, variants: string[], signal: AbortSignal): Promise<Scaling> {
  const resources = variants.map((variant) => `endpoint/${endpoint}/variant/${variant}`);
  const [targets, policies, activities, alarms] = await Promise.all([
    all<Target>(SERVICE, "DescribeScalableTargets", "ScalableTargets", { ServiceNamespace: NAMESPACE, ResourceIds: resources, ScalableDimension: DIMENSION }, signal),
    each(resources, (ResourceId) => all<Policy>(SERVICE, "DescribeScalingPolicies", "ScalingPolicies", { ServiceNamespace: NAMESPACE, ResourceId }, signal)),
    each(resources, (ResourceId) => some<Activity>("DescribeScalingActivities", "ScalingActivities", { ServiceNamespace: NAMESPACE, ResourceId, MaxResults: MOST_ACTIVITIES }, signal)),
    all<Alarm>("cloudwatch", "DescribeAlarms", "MetricAlarms", { AlarmTypes: ["MetricAlarm"] }, signal),
  ]);
  return {
    targets,
    policies,
    activities: activities.sort((one, other) => other.StartTime - one.StartTime),
    alarms: alarms.filter(({ Dimensions: dimensions = [] }) => dimensions.some(({ Name, Value }) => Name === "EndpointName" && Value === endpoint)),
  };
}

/** Lets a variant be scaled between two counts of instances. */
export async function register(endpoint: string, variant: string, least: number, most: number): Promise<void> {
  await call(SERVICE, "RegisterScalableTarget", { ...target(endpoint, variant), MinCapacity: least, MaxCapacity: most });
}

/** The policy among those of a variant that keeps its requests a minute and instance. */
export function tracking(policies: Policy[]): Policy | undefined {
  return policies.find((each) => each.TargetTrackingScalingPolicyConfiguration?.PredefinedMetricSpecification?.PredefinedMetricType === REQUESTS);
}

/** Has a variant keep so many requests a minute and instance; `before` is the policy that did so until now. */
export async function track(endpoint: string, variant: string, requests: number, before: Policy | undefined): Promise<void> {
  await call(SERVICE, "PutScalingPolicy", {
    ...target(endpoint, variant),
    PolicyName: before?.PolicyName ?? "requests-an-instance",
    PolicyType: "TargetTrackingScaling",
    TargetTrackingScalingPolicyConfiguration: {
      PredefinedMetricSpecification: { PredefinedMetricType: REQUESTS },
      ...before?.TargetTrackingScalingPolicyConfiguration,
      TargetValue: requests,
    },
  });
}

/** Has a variant keep the instances that it has; its policies go too. */
export async function release(endpoint: string, variant: string): Promise<void> {
  await call(SERVICE, "DeregisterScalableTarget", target(endpoint, variant));
}

/** The variant of a resource of Application Auto Scaling. */
export function variantOf(resource: string): string {
  return resource.split("/").at(-1) ?? resource;
}

/** What a policy does, in a few words. */
export function told(policy: Policy): string {
  const tracking = policy.TargetTrackingScalingPolicyConfiguration;
  if (tracking) {
    const metric = tracking.PredefinedMetricSpecification?.PredefinedMetricType ?? "";
    return `Keeps ${METRICS[metric] ?? tracking.CustomizedMetricSpecification?.MetricName ?? "a metric"} at ${tracking.TargetValue}`;
  }
  const steps = policy.StepScalingPolicyConfiguration?.StepAdjustments ?? [];
  return `Steps of ${steps.map(({ ScalingAdjustment: step }) => (step > 0 ? `+${step}` : String(step))).join(", ") || "-"}`;
}

function target(endpoint: string, variant: string): Record<string, string> {
  return { ServiceNamespace: NAMESPACE, ResourceId: `endpoint/${endpoint}/variant/${variant}`, ScalableDimension: DIMENSION };
}

async function each<T>(resources: string[], ask: (resource: string) => Promise<T[]>): Promise<T[]> {
  return (await Promise.all(resources.map(ask))).flat();
}

async function some<T>(operation: string, rows: string, members: Record<string, unknown>, signal: AbortSignal): Promise<T[]> {
  return ((await call(SERVICE, operation, members, signal))[rows] ?? []) as T[];
}

async function all<T>(service: string, operation: string, rows: string, members: Record<string, unknown>, signal: AbortSignal): Promise<T[]> {
  const found: T[] = [];
  let token: unknown;
  do {
    try {
      const page: Record<string, unknown> = await call(service, operation, { ...members, ...(token ? { NextToken: token } : {}) }, signal);
      found.push(...((page[rows] ?? []) as T[]));
      token = page["NextToken"];
    } catch (error) {
      // Who may not see alarms sees the rest.
      if (service !== SERVICE && error instanceof ApiError && /AccessDenied/.test(error.code)) return found;
      throw error;
    }
  } while (token);
  return found;
}
