"""SDK v2: a scikit-learn script with packages of its own, from fit to predictions."""

import pathlib
import random

import numpy
import sagemaker
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.sklearn import SKLearn, SKLearnModel

TRAIN = """
import argparse, os
import joblib, pandas
import tabulate
from sklearn.ensemble import RandomForestClassifier

def model_fn(folder):
    return joblib.load(os.path.join(folder, "model.joblib"))

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--n-estimators", type=int)
    parser.add_argument("--fail", default="no")
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    arguments = parser.parse_args()
    if arguments.fail == "yes":
        raise ValueError("the script was asked to fail")
    rows = pandas.read_csv(os.path.join(arguments.train, "rows.csv"), header=None)
    model = RandomForestClassifier(arguments.n_estimators, random_state=0).fit(rows.iloc[:, 1:].values, rows[0])
    print(tabulate.tabulate([["accuracy", model.score(rows.iloc[:, 1:].values, rows[0])]]))
    print(f"train-accuracy={model.score(rows.iloc[:, 1:].values, rows[0])}")
    joblib.dump(model, os.path.join(arguments.model_dir, "model.joblib"))
"""

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
source = random.Random(0)
features = [[source.gauss(0, 1) for _ in range(4)] for _ in range(200)]
labels = [int(row[0] + row[1] > 0) for row in features]
rows = pathlib.Path("rows.csv")
rows.write_text("\n".join(",".join(map(str, [label, *row])) for label, row in zip(labels, features, strict=False)))
folder = pathlib.Path("source")
folder.mkdir()
(folder / "train.py").write_text(TRAIN)
(folder / "requirements.txt").write_text("tabulate\n")

estimator = SKLearn(
    entry_point="train.py",
    source_dir="source",
    role=role.rpartition("/")[2],  # by name: the SDK asks IAM for its ARN
    instance_type="ml.m5.large",
    framework_version="1.2-1",
    hyperparameters={"n-estimators": 20},
    metric_definitions=[{"Name": "train:accuracy", "Regex": "train-accuracy=([0-9.]+)"}],
    sagemaker_session=session,
)
estimator.fit({"train": session.upload_data(str(rows), key_prefix="parity/sklearn")})
described = estimator.latest_training_job.describe()
assert described["FinalMetricDataList"][0]["Value"] > 0.95, described

predictor = estimator.deploy(1, "ml.m5.large")
answer = predictor.predict(numpy.array(features[:50]))  # npy there and back
assert isinstance(answer, numpy.ndarray), answer
assert sum(answer == numpy.array(labels[:50])) >= 48
predictor.delete_model()
predictor.delete_endpoint()

# The same model with another program, which the SDK packs into the model's archive.
(folder / "inference.py").write_text(
    "import os, joblib, tabulate\n"
    "def model_fn(folder):\n    return joblib.load(os.path.join(folder, 'model.joblib'))\n"
    "def predict_fn(data, model):\n    return model.predict(data) + 10\n"
)
model = SKLearnModel(
    estimator.model_data, role, entry_point="inference.py", source_dir="source", framework_version="1.2-1",
    sagemaker_session=session,
)  # fmt: skip
predictor = model.deploy(1, "ml.m5.large", endpoint_name="parity-second")
assert set(predictor.predict(numpy.array(features[:50]))) == {10, 11}
predictor.delete_endpoint()

failing = SKLearn(
    entry_point="train.py", source_dir="source", role=role, instance_type="ml.m5.large", framework_version="1.2-1",
    hyperparameters={"fail": "yes"}, sagemaker_session=session,
)  # fmt: skip
try:
    failing.fit(wait=True)
except UnexpectedStatusException as error:
    assert "ValueError: the script was asked to fail" in str(error), error
    assert error.actual_status == "Failed", error
else:
    raise AssertionError("fit of a script that fails did not raise")
print("the story ended well")
