import type { Algorithm } from "../../api/algorithms";
import type { Members } from "../../api/client";
import type { Frame } from "../../frame/session";
import { newName } from "../../kit/names";

const INSTANCE = { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 10 };
const MOST_SECONDS = { MaxRuntimeInSeconds: 3600 };

/** What CreateTrainingJob wants to train with an algorithm; what only the person knows is left empty. */
export function trainingWith(algorithm: Algorithm, { session }: Frame): Members {
  return {
    TrainingJobName: newName(algorithm.name),
    AlgorithmSpecification: { TrainingImage: algorithm.images[0], TrainingInputMode: "File" },
    RoleArn: `arn:aws:iam::${session.account}:role/ClaryExecutionRole`,
    HyperParameters: Object.fromEntries(algorithm.hyperparameters.filter((each) => each.required).map((each) => [each.name, each.default ?? each.start])),
    InputDataConfig: algorithm.channels
      .filter((channel) => channel.required)
      .map((channel) => ({
        ChannelName: channel.name,
        // What most people have.
        ContentType: channel.content_types.find((type) => type.startsWith("text/csv")) ?? channel.content_types[0],
        DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "", S3DataDistributionType: "FullyReplicated" } },
      })),
    OutputDataConfig: { S3OutputPath: "" },
    ResourceConfig: INSTANCE,
    StoppingCondition: MOST_SECONDS,
  };
}
