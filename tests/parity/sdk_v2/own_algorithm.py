"""SDK v2: an algorithm of one's own with ``AlgorithmEstimator``, from fit to predictions."""

import json
import pathlib
import random

import boto3
import sagemaker
from sagemaker.algorithm import AlgorithmEstimator
from sagemaker.deserializers import CSVDeserializer
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer

session = sagemaker.Session()
image = sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
rounds = {"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "100"}}
channel = {
    "Name": "train",
    "IsRequired": True,
    "SupportedContentTypes": ["text/csv"],
    "SupportedInputModes": ["File"],
}
arn = boto3.client("sagemaker").create_algorithm(
    AlgorithmName="boosting",
    TrainingSpecification={
        "TrainingImage": image,
        "SupportedTrainingInstanceTypes": ["ml.m5.large"],
        "SupportedHyperParameters": [
            {"Name": "num_round", "Type": "Integer", "Range": rounds, "IsTunable": True, "IsRequired": True},
            {"Name": "objective", "Type": "FreeText", "DefaultValue": "binary:logistic"},
        ],
        "TrainingChannels": [channel],
    },
    InferenceSpecification={
        "Containers": [{"Image": image}],
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
)["AlgorithmArn"]

source = random.Random(0)
features = [[source.gauss(0, 1) for _ in range(4)] for _ in range(200)]
labels = [int(row[0] + row[1] > 0) for row in features]
rows = pathlib.Path("rows.csv")
rows.write_text("\n".join(",".join(map(str, [label, *row])) for label, row in zip(labels, features, strict=False)))

estimator = AlgorithmEstimator(
    arn,
    role=sagemaker.get_execution_role(session),
    instance_count=1,
    instance_type="ml.m5.large",
    sagemaker_session=session,
)
estimator.set_hyperparameters(num_round=15)
location = session.upload_data(str(rows), key_prefix="parity/own")
estimator.fit({"train": TrainingInput(location, content_type="text/csv")})
again = AlgorithmEstimator.attach(estimator.latest_training_job.name, sagemaker_session=session)
assert again.algorithm_arn == arn and again.model_data == estimator.model_data
predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
scores = [float(score) for row in predictor.predict(features) for score in row]
assert sum((score > 0.5) == bool(label) for score, label in zip(scores, labels, strict=False)) > 190, json.dumps(scores)
predictor.delete_model()
predictor.delete_endpoint()
print("the story ended well")
