import type { Members } from "../../api/client";
import { newName } from "../../kit/names";
import { deploy } from "../models/deployment";

/** Make a model, a configuration and an endpoint of what a completed training job has left; gives their name. */
export async function deployTrained(job: Members): Promise<string> {
  const name = newName(String(job["TrainingJobName"]));
  const problem = await deploy({ model: name, made: modelOf(job), config: name, endpoint: name, exists: false, variant: "AllTraffic", instanceType: "ml.m5.large" });
  if (problem) throw problem.error;
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
