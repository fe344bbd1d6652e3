import type { Noun } from "../api/model";

/** The nouns of SageMaker with pages made by hand, which are reached by their names. */
const BY_HAND: Record<string, string> = {
  TrainingJob: "/training-jobs",
  ProcessingJob: "/processing-jobs",
  TransformJob: "/transform-jobs",
  HyperParameterTuningJob: "/tuning-jobs",
  Experiment: "/experiments",
  Endpoint: "/endpoints",
  EndpointConfig: "/endpoint-configs",
  Model: "/models",
  ModelPackageGroup: "/model-registry",
  ModelPackage: "/model-registry",
};

/** The path below Studio of a resource that a row of a list or an answer shows. */
export function resourcePath(service: string, noun: Noun, row: Record<string, unknown>): string {
  const names = noun.names.map((member) => String(row[member] ?? ""));
  const arn = row[noun.arn];
  const complete = names.every(Boolean);
  const byHand = service === "sagemaker" && complete ? BY_HAND[noun.noun] : undefined;
  if (byHand) return `${byHand}/${names.map(encodeURIComponent).join("/")}`;
  const tail = complete ? names.map(encodeURIComponent).join("/") : encodeURIComponent(String(arn ?? names.at(-1) ?? ""));
  return `/explorer/${service}/${noun.noun}/of/${tail}`;
}
