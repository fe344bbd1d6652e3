import { call, type Members } from "../../api/client";
import { told } from "../../api/errors";

export type StageName = "model" | "config" | "endpoint" | "service";

/** What is to be deployed, and as what. */
export interface Plan {
  /** The model that is there already; or else the package that one is made of. */
  model: string;
  package?: { arn: string; role: string; isolated: boolean };
  config: string;
  endpoint: string;
  /** Whether the endpoint is there and takes another configuration. */
  exists: boolean;
  variant: string;
  instanceType: string;
}

export interface Problem {
  stage: StageName;
  message: string;
}

/** The requests of a plan, in their order. */
export function requests(plan: Plan): { stage: StageName; operation: string; members: Members }[] {
  const variant = { VariantName: plan.variant, ModelName: plan.model, InstanceType: plan.instanceType, InitialInstanceCount: 1, InitialVariantWeight: 1 };
  const container = plan.package && { ModelPackageName: plan.package.arn };
  return [
    ...(plan.package
      ? [
          {
            stage: "model" as const,
            operation: "CreateModel",
            members: {
              ModelName: plan.model,
              ExecutionRoleArn: plan.package.role,
              PrimaryContainer: container,
              ...(plan.package.isolated ? { EnableNetworkIsolation: true } : {}),
            },
          },
        ]
      : []),
    { stage: "config", operation: "CreateEndpointConfig", members: { EndpointConfigName: plan.config, ProductionVariants: [variant] } },
    {
      stage: "endpoint",
      operation: plan.exists ? "UpdateEndpoint" : "CreateEndpoint",
      members: { EndpointName: plan.endpoint, EndpointConfigName: plan.config },
    },
  ];
}

/** Do what a plan says; tells each stage as it begins, and gives what stopped it. */
export async function deploy(plan: Plan, began: (stage: StageName) => void): Promise<Problem | null> {
  for (const { stage, operation, members } of requests(plan)) {
    began(stage);
    try {
      await call("sagemaker", operation, members);
    } catch (error) {
      const { code, message } = told(error);
      return { stage, message: `${message} (${code})` };
    }
  }
  began("service");
  return null;
}

/** The page that deploys a model; no name of an endpoint is like it, for none begins with a hyphen. */
export function deployPath(what: { model: string } | { package: string }): string {
  return `/endpoints/-/deploy?${new URLSearchParams(what as Record<string, string>).toString()}`;
}
