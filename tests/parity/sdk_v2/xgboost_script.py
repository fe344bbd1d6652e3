"""SDK v2: an XGBoost script in the framework container, from fit to predictions."""

import pathlib
import random

import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sagemaker.xgboost import XGBoost

TRAIN = """
import argparse, json, os
import xgboost

def model_fn(folder):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(folder, "model.json"))
    return booster

def predict_fn(data, model):
    return model.predict(data, validate_features=False)

def output_fn(prediction, accept):
    return json.dumps([float(value) for value in prediction]), "application/json"

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int)
    arguments = parser.parse_args()
    folder = os.environ["SM_CHANNEL_TRAIN"]
    data = xgboost.DMatrix(os.path.join(folder, os.listdir(folder)[0]) + "?format=csv&label_column=0")
    booster = xgboost.train({"objective": "binary:logistic"}, data, arguments.rounds)
    booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"))
"""

session = sagemaker.Session()
source = random.Random(0)
features = [[source.gauss(0, 1) for _ in range(4)] for _ in range(200)]
labels = [int(row[0] + row[1] > 0) for row in features]
rows = pathlib.Path("rows.csv")
rows.write_text("\n".join(",".join(map(str, [label, *row])) for label, row in zip(labels, features, strict=False)))
pathlib.Path("train.py").write_text(TRAIN)

estimator = XGBoost(
    entry_point="train.py",
    role=sagemaker.get_execution_role(session),
    instance_count=1,
    instance_type="ml.m5.large",
    framework_version="3.0-5",
    hyperparameters={"rounds": 15},
    sagemaker_session=session,
)
location = session.upload_data(str(rows), key_prefix="parity/xgboost")
estimator.fit({"train": TrainingInput(location, content_type="text/csv")})
predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=JSONDeserializer())
scores = predictor.predict(features)
assert sum((score > 0.5) == bool(label) for score, label in zip(scores, labels, strict=False)) > 190, scores
predictor.delete_model()
predictor.delete_endpoint()
print("the story ended well")
