import { call, type Members } from "../../api/client";

export type StageName = "model" | "config" | "endpoint" | "service";

/** What is to be deployed, and as what. */
export interface Plan {
  model: string;
  /** What the model is made of, as CreateModel takes it; without it, the model is there already. */
  made?: Members;
  config: string;
  endpoint: string;
  /** Whether the endpoint is there and takes another configuration. */
  exists: boolean;
  variant: string;
  instanceType: string;
}

export interface Problem {
  stage: StageName;
  error: unknown;
}

/** The requests of a plan, in their order. */
function requests(plan: Plan): { stage: StageName; operation: string; members: Members }[] {
  const variant = { VariantName: plan.variant, ModelName: plan.model, InstanceType: plan.instanceType, InitialInstanceCount: 1, InitialVariantWeight: 1 };
  return [
    ...(plan.made ? [{ stage: "model" as const, operation: "CreateModel", members: { ...plan.made, ModelName: plan.model } }] : []),
    { stage: "config", operation: "CreateEndpointConfig", members: { EndpointConfigName: plan.config, ProductionVariants: [variant] } },
    {
      stage: "endpoint",
      operation: plan.exists ? "UpdateEndpoint" : "CreateEndpoint",
      members: { EndpointName: plan.endpoint, EndpointConfigName: plan.config },
    },
  ];
}

/** Do what a plan says; tells each stage as it begins, and gives what stopped it. */
export async function deploy(plan: Plan, began: (stage: StageName) => void = () => undefined): Promise<Problem | null> {
  for (const { stage, operation, members } of requests(plan)) {
    began(stage);
    try {
      await call("sagemaker", operation, members);
    } catch (error) {
      return { stage, error };
    }
  }
  began("service");
  return null;
}

/** The page that deploys a model; no name of an endpoint is like it, for none begins with a hyphen. */
export function deployPath(what: { model: string } | { package: string }): string {
  return `/endpoints/-/deploy?${new URLSearchParams(what as Record<string, string>).toString()}`;
}
