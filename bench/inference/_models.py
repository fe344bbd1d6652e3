"""The two models that all serve: XGBoost as Clary's built-in image trains it, scikit-learn fitted on the same rows."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.model import FEATURES, IMAGE, train

MODELS = ("sklearn", "xgboost")
_FIT = """
import sys
import joblib, numpy, xgboost
from sklearn.linear_model import LogisticRegression

folder = sys.argv[1]
table = numpy.loadtxt(f"{folder}/data.csv", delimiter=",", dtype=numpy.float32)
model = LogisticRegression().fit(table[:, 1:], table[:, 0])
joblib.dump(model, f"{folder}/model.joblib")
booster = xgboost.Booster(model_file=f"{folder}/model.ubj")
rows = table[:100, 1:]
numpy.savetxt(f"{folder}/sklearn.txt", model.predict(rows))
numpy.savetxt(f"{folder}/xgboost.txt", booster.inplace_predict(rows))
"""


@dataclass(frozen=True)
class Models:
    """Where the models are, and what they say of the first rows they were trained on."""

    folder: Path
    archive: str
    """The URI of the XGBoost model that the training job made."""
    rows: list[list[float]]
    answers: dict[str, list[float]]


def make(aws: Any, python: Path, folder: Path) -> Models:
    """Make both models in ``folder``; ``python`` has the two libraries."""
    name = "bench-models"
    archive = train(aws, name, IMAGE)
    s3 = aws.client("s3")
    data: str = s3.get_object(Bucket=name, Key="train/data.csv")["Body"].read().decode()
    (folder / "data.csv").write_text(data)
    packed = s3.get_object(Bucket=name, Key=archive.removeprefix(f"s3://{name}/"))["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        content = tar.extractfile("xgboost-model")
        assert content is not None
        (folder / "model.ubj").write_bytes(content.read())
    subprocess.run([python, "-c", _FIT, str(folder)], check=True)
    rows = [[float(cell) for cell in line.split(",")[1:]] for line in data.splitlines()[:100]]
    assert all(len(row) == FEATURES for row in rows)
    answers = {each: [float(line) for line in (folder / f"{each}.txt").read_text().split()] for each in MODELS}
    return Models(folder, archive, rows, answers)
