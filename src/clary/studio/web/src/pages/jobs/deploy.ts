import { call, type Members } from "../../api/client";
import { newName } from "../../kit/names";

/** Make a model, a configuration and an endpoint of what a completed training job has left; gives their name. */
export async function deploy(job: Members): Promise<string> {
  const name = newName(String(job["TrainingJobName"]));
  await call("sagemaker", "CreateModel", { ...modelOf(job), ModelName: name });
  await call("sagemaker", "CreateEndpointConfig", {
    EndpointConfigName: name,
    ProductionVariants: [{ VariantName: "AllTraffic", ModelName: name, InstanceType: "ml.m5.large", InitialInstanceCount: 1 }],
  });
  await call("sagemaker", "CreateEndpoint", { EndpointName: name, EndpointConfigName: name });
  return name;
}

/** What CreateModel wants to serve what a training job has trained. */
export function modelOf(job: Members): Members {
  const parameters = (job["HyperParameters"] ?? {}) as Record<string, string>;
  const program = plain(parameters["sagemaker_program"]);
  const source = plain(parameters["sagemaker_submit_directory"]);
  return {
    ModelName: job["TrainingJobName"],
    ExecutionRoleArn: job["RoleArn"],
    PrimaryContainer: {
      Image: (job["AlgorithmSpecification"] as Members | undefined)?.["TrainingImage"],
      ModelDataUrl: (job["ModelArtifacts"] as Members | undefined)?.["S3ModelArtifacts"],
      // A script that trained serves too: its functions are in the same archive.
      ...(program && source ? { Environment: { SAGEMAKER_PROGRAM: program, SAGEMAKER_SUBMIT_DIRECTORY: source } } : {}),
    },
  };
}

/** Script mode reads hyperparameters as JSON, so texts stand in quotes. */
export function plain(json: string | undefined): string {
  try {
    return String(JSON.parse(json ?? '""'));
  } catch {
    return json ?? "";
  }
}
