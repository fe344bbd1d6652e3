"""SDK v2: the built-in XGBoost and Linear Learner, from a file on this machine to predictions."""

import io
import pathlib
import random
import sys

import boto3
import numpy
import sagemaker
from sagemaker import LinearLearner, image_uris
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
assert role == "arn:aws:iam::123456789012:role/ClaryExecutionRole", role
bucket = session.default_bucket()
assert bucket == "sagemaker-us-east-1-123456789012", bucket

source = random.Random(0)
features = [[source.gauss(0, 1) for _ in range(4)] for _ in range(300)]
labels = [int(row[0] + row[1] > 0) for row in features]
rows = pathlib.Path("rows.csv")
rows.write_text("\n".join(",".join(map(str, [label, *row])) for label, row in zip(labels, features, strict=False)))
train = session.upload_data(str(rows), key_prefix="parity/train")
assert train == f"s3://{bucket}/parity/train/rows.csv", train

# -- XGBoost through the generic Estimator; fit follows the job's log until its end
estimator = Estimator(
    image_uris.retrieve("xgboost", session.boto_region_name, version="3.0-5"),
    role,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/parity/output",
    hyperparameters={"objective": "binary:logistic", "num_round": 20, "eval_metric": "error"},
    base_job_name="parity-xgboost",
    tags=[{"Key": "team", "Value": "parity"}],
)
shown, sys.stdout = sys.stdout, io.StringIO()
try:
    estimator.fit({"train": TrainingInput(train, content_type="text/csv")}, logs="All")
    log = sys.stdout.getvalue()
finally:
    sys.stdout = shown
assert "train-error" in log, log
assert "Completed" in log or "Training seconds" in log, log
assert estimator.model_data.endswith("/output/model.tar.gz"), estimator.model_data
assert "train:error" in estimator.training_job_analytics.name or estimator.training_job_analytics._metric_names
assert estimator.latest_training_job.describe()["TrainingJobStatus"] == "Completed"

predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
scores = [float(value) for row in predictor.predict(features) for value in row]
hits = sum((score > 0.5) == bool(label) for score, label in zip(scores, labels, strict=False))
assert hits > 285, hits
attached = Estimator.attach(estimator.latest_training_job.name, sagemaker_session=session)
assert attached.model_data == estimator.model_data
predictor.delete_model()
predictor.delete_endpoint()

# -- Linear Learner through its own class: protobuf RecordIO up, protobuf RecordIO back
learner = LinearLearner(
    role, 1, "ml.m5.large", predictor_type="binary_classifier", epochs=5, num_models=2, sagemaker_session=session
)
values = numpy.array(features, dtype="float32")
learner.fit(learner.record_set(values, numpy.array(labels, dtype="float32")), mini_batch_size=50)
predictor = learner.deploy(1, "ml.m5.large")
answers = predictor.predict(values[:50])
found = [answer.label["predicted_label"].float32_tensor.values[0] for answer in answers]
assert sum(int(a) == b for a, b in zip(found, labels, strict=False)) >= 45, found
predictor.delete_model()
predictor.delete_endpoint()

client = boto3.client("sagemaker")
assert client.list_models()["Models"] == []
assert client.list_endpoint_configs()["EndpointConfigs"] == []
print("the story ended well")
