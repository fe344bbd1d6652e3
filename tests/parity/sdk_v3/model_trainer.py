"""SDK v3: a scikit-learn script with `ModelTrainer`, its packages from requirements.txt, and a command of one's own."""

import io
import pathlib
import random
import tarfile

import boto3
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.training.configs import Compute, InputData, SourceCode, StoppingCondition
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.train import ModelTrainer

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TRAIN = """
import argparse, json, os
import joblib, pandas, tabulate
from sklearn.linear_model import LogisticRegression

parser = argparse.ArgumentParser()
parser.add_argument("--regularisation", type=float)
parser.add_argument("--fail", default="no")
arguments = parser.parse_args()
if arguments.fail == "yes":
    raise ValueError("the script was asked to fail")
rows = pandas.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "rows.csv"), header=None)
model = LogisticRegression(C=arguments.regularisation).fit(rows.iloc[:, 1:].values, rows[0])
print(tabulate.tabulate([["accuracy", model.score(rows.iloc[:, 1:].values, rows[0])]]))
joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
"""

source = random.Random(0)
features = [[source.gauss(0, 1) for _ in range(4)] for _ in range(200)]
rows = "\n".join(",".join(map(str, [int(row[0] + row[1] > 0), *row])) for row in features)
folder = pathlib.Path("source")
folder.mkdir()
(folder / "train.py").write_text(TRAIN)
(folder / "requirements.txt").write_text("tabulate\n")
data = pathlib.Path("data")
data.mkdir()
(data / "rows.csv").write_text(rows)

session = Session()
role = get_execution_role(session)
assert role == "arn:aws:iam::123456789012:role/ClaryExecutionRole", role
s3, logs = boto3.client("s3"), boto3.client("logs")


def log(job):
    group = "/aws/sagemaker/TrainingJobs"
    [stream] = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job.training_job_name)["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    return "\n".join(event["message"] for event in events["events"])


def trainer(**changes):
    return ModelTrainer(
        training_image=IMAGE,
        role=role,
        sagemaker_session=session,
        base_job_name="parity",
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        **changes,
    )


scripted = trainer(
    source_code=SourceCode(source_dir="source", entry_script="train.py", requirements="requirements.txt"),
    hyperparameters={"regularisation": 0.5},
)
scripted.train(input_data_config=[InputData(channel_name="train", data_source="data")])
job = scripted._latest_training_job
assert job.training_job_status == "Completed", job
assert "accuracy  " in log(job), log(job)
bucket, _, key = job.model_artifacts.s3_model_artifacts.removeprefix("s3://").partition("/")
content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
with tarfile.open(fileobj=io.BytesIO(content)) as archive:
    assert archive.getnames() == ["model.joblib"]

# A command instead of a script.
commanded = trainer(source_code=SourceCode(source_dir="source", command="ls && echo spoken > $SM_MODEL_DIR/word.txt"))
commanded.train(logs=False)
assert "train.py" in log(commanded._latest_training_job)

failing = trainer(source_code=SourceCode(source_dir="source", entry_script="train.py"), hyperparameters={"fail": "yes"})
try:
    failing.train()
except FailedStatusError as error:
    # The SDK's own program in the job writes the reason; the script's words are in the log.
    assert "returned non-zero exit status 1" in str(error), error
    assert "ValueError: the script was asked to fail" in log(failing._latest_training_job)
else:
    raise AssertionError("train of a script that fails did not raise")
print("the story ended well")
