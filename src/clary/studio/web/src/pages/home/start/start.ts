import { call, request } from "../../../api/client";
import { ApiError } from "../../../api/errors";
import { write } from "../../../api/s3";
import type { Frame } from "../../../frame/session";
import { newName } from "../../../kit/names";
import { tarGz } from "../../../kit/tar";
import prepare from "./prepare.py?raw";
import train from "./train.py?raw";
import wine from "./wine.csv?raw";

/** The account of the framework images in each region is AWS's; Clary takes any of them as the same image. */
const IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";
const INSTANCE = { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 10 };
const MOST_SECONDS = { MaxRuntimeInSeconds: 900 };
const METRICS = ["train:loss", "validation:loss", "train:accuracy", "validation:accuracy"];

/** What a quick start needs to know: the bucket that the SDK uses by default, and the role that every Clary has. */
function defaults({ session, region }: Frame): { bucket: string; role: string } {
  return {
    bucket: `sagemaker-${region}-${session.account}`,
    role: `arn:aws:iam::${session.account}:role/ClaryExecutionRole`,
  };
}

/** Upload the wine data and the script, and start a training job in script mode; gives its name. */
export async function startTraining(frame: Frame): Promise<string> {
  const { bucket, role } = defaults(frame);
  const name = newName("wine-classifier");
  await ensureBucket(bucket, frame.region);
  await write(bucket, `${name}/data/wine.csv`, new Blob([wine], { type: "text/csv" }));
  await write(bucket, `${name}/source/sourcedir.tar.gz`, await tarGz({ "train.py": train }));
  await call("sagemaker", "CreateTrainingJob", {
    TrainingJobName: name,
    RoleArn: role,
    AlgorithmSpecification: {
      TrainingImage: IMAGE,
      TrainingInputMode: "File",
      MetricDefinitions: METRICS.map((metric) => ({ Name: metric, Regex: `${metric}=([0-9.]+)` })),
    },
    // Script mode reads hyperparameters as JSON, so texts stand in quotes.
    HyperParameters: {
      sagemaker_program: JSON.stringify("train.py"),
      sagemaker_submit_directory: JSON.stringify(`s3://${bucket}/${name}/source/sourcedir.tar.gz`),
      epochs: "80",
      "learning-rate": "0.01",
      neurons: "16",
    },
    InputDataConfig: [
      {
        ChannelName: "train",
        ContentType: "text/csv",
        DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: `s3://${bucket}/${name}/data/`, S3DataDistributionType: "FullyReplicated" } },
      },
    ],
    OutputDataConfig: { S3OutputPath: `s3://${bucket}/${name}/output` },
    ResourceConfig: INSTANCE,
    StoppingCondition: MOST_SECONDS,
    Tags: [{ Key: "made-by", Value: "quick start" }],
  });
  return name;
}

/** Upload the wine data and the script, and start a processing job that splits the data; gives its name. */
export async function startProcessing(frame: Frame): Promise<string> {
  const { bucket, role } = defaults(frame);
  const name = newName("wine-preparation");
  const local = "/opt/ml/processing";
  await ensureBucket(bucket, frame.region);
  await write(bucket, `${name}/data/wine.csv`, new Blob([wine], { type: "text/csv" }));
  await write(bucket, `${name}/code/prepare.py`, new Blob([prepare], { type: "text/x-python" }));
  await call("sagemaker", "CreateProcessingJob", {
    ProcessingJobName: name,
    RoleArn: role,
    AppSpecification: { ImageUri: IMAGE, ContainerEntrypoint: ["python3", `${local}/input/code/prepare.py`], ContainerArguments: ["--seed", "7"] },
    ProcessingInputs: ["code", "data"].map((input) => ({
      InputName: input,
      S3Input: { S3Uri: `s3://${bucket}/${name}/${input}/`, LocalPath: `${local}/input/${input}`, S3DataType: "S3Prefix", S3InputMode: "File" },
    })),
    ProcessingOutputConfig: {
      Outputs: ["train", "validation", "test", "report"].map((output) => ({
        OutputName: output,
        S3Output: { S3Uri: `s3://${bucket}/${name}/output/${output}`, LocalPath: `${local}/output/${output}`, S3UploadMode: "EndOfJob" },
      })),
    },
    ProcessingResources: { ClusterConfig: INSTANCE },
    StoppingCondition: MOST_SECONDS,
    Tags: [{ Key: "made-by", Value: "quick start" }],
  });
  return name;
}

async function ensureBucket(bucket: string, region: string): Promise<void> {
  // Outside of the first region, S3 wants to be told where the bucket shall be.
  const body =
    region === "us-east-1"
      ? null
      : `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  try {
    await request(`s3/${bucket}`, { method: "PUT", body });
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "BucketAlreadyOwnedByYou")) throw error;
  }
}
