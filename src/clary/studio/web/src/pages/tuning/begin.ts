import type { Algorithm } from "../../api/algorithms";
import type { Members } from "../../api/client";
import { newName } from "../../kit/names";
import type { ParameterRanges } from "./tuning";

/** Tuning jobs have shorter names than others: those of their training jobs begin with them. */
const LONGEST_NAME = 32;
const STRATEGY = { Strategy: "Bayesian", ResourceLimits: { MaxNumberOfTrainingJobs: 20, MaxParallelTrainingJobs: 2 } };
const TRAINING_MEMBERS = [
  "RoleArn",
  "InputDataConfig",
  "VpcConfig",
  "OutputDataConfig",
  "ResourceConfig",
  "StoppingCondition",
  "EnableNetworkIsolation",
  "EnableInterContainerTrafficEncryption",
  "EnableManagedSpotTraining",
  "CheckpointConfig",
  "RetryStrategy",
  "Environment",
];
/** What a training job is told by the tuning job that launches it. */
const OWN_HYPERPARAMETER = "_tuning_objective_metric";
const MEMBERS: Record<string, keyof ParameterRanges> = { Integer: "IntegerParameterRanges", Continuous: "ContinuousParameterRanges", Categorical: "CategoricalParameterRanges" };

/** What the form begins with where nothing is known. */
export function blank(): Members {
  return {
    HyperParameterTuningJobName: name("tuning"),
    HyperParameterTuningJobConfig: { ...STRATEGY, HyperParameterTuningJobObjective: { Type: "Maximize" } },
    TrainingJobDefinition: {
      AlgorithmSpecification: { TrainingInputMode: "File" },
      ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 1, VolumeSizeInGB: 10 },
      StoppingCondition: { MaxRuntimeInSeconds: 3600 },
    },
  };
}

/** A request that tunes what another one trains; with a built-in algorithm in the ranges that it recommends. */
export function tuningOf(training: Members, algorithm: Algorithm | undefined, metrics: string[]): Members {
  const fixed = Object.fromEntries(Object.entries((training["HyperParameters"] ?? {}) as Record<string, string>).filter(([each]) => each !== OWN_HYPERPARAMETER));
  const ranges: Record<string, Members[]> = {};
  for (const each of algorithm?.hyperparameters ?? []) {
    const member = MEMBERS[each.type];
    if (!member || !each.tunable || each.required || each.recommended.length < 2) continue;
    const values = member === "CategoricalParameterRanges" ? { Values: each.recommended } : { MinValue: each.recommended[0], MaxValue: each.recommended[1], ScalingType: "Auto" };
    ranges[member] = [...(ranges[member] ?? []), { Name: each.name, ...values }];
    for (const known of [each.name, ...each.aliases]) delete fixed[known];
  }
  // What a built-in algorithm reports is known of it.
  const { MetricDefinitions: defined, ...chosen } = (training["AlgorithmSpecification"] ?? {}) as Members;
  const specification = algorithm || defined === undefined ? chosen : { ...chosen, MetricDefinitions: defined };
  const metric = metrics.find((each) => /^val/.test(each)) ?? metrics[0];
  const declared = algorithm?.metrics.find((each) => each.name === metric)?.direction;
  return {
    HyperParameterTuningJobName: name(String(training["TrainingJobName"] ?? "tuning")),
    HyperParameterTuningJobConfig: {
      ...STRATEGY,
      HyperParameterTuningJobObjective: { Type: declared ?? (/loss|err|rmse|mae|mse/i.test(metric ?? "") ? "Minimize" : "Maximize"), MetricName: metric },
      ParameterRanges: ranges,
    },
    TrainingJobDefinition: {
      AlgorithmSpecification: specification,
      StaticHyperParameters: fixed,
      ...Object.fromEntries(TRAINING_MEMBERS.flatMap((member) => (training[member] === undefined ? [] : [[member, training[member]]]))),
    },
  };
}

/** A request like that of another tuning job, under a name of its own; going on from what `parent` found, where one is named. */
export function again(request: Members, parent?: string): Members {
  const fresh = { ...request, HyperParameterTuningJobName: name(String(request["HyperParameterTuningJobName"])) };
  return parent ? { ...fresh, WarmStartConfig: { ParentHyperParameterTuningJobs: [{ HyperParameterTuningJobName: parent }], WarmStartType: "IdenticalDataAndAlgorithm" } } : fresh;
}

function name(base: string): string {
  // The time of a name that is too long otherwise: by day and minute.
  const [, stamp = ""] = /-(\d{4}-\d{2}-\d{2}-\d{2}-\d{2})-\d{2}$/.exec(newName("x")) ?? [];
  const short = stamp.slice(5).replaceAll("-", "");
  const stem = base.replace(/-\d{8}$/, "").replace(/-\d{4}(-\d{2}){5}(-\d{3})?$/, "");
  return `${stem.slice(0, LONGEST_NAME - short.length - 1).replace(/-+$/, "")}-${short}`;
}
