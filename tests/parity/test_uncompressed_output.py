"""Training jobs whose output is not packed, and endpoints that serve it as it lies there."""

from __future__ import annotations

import json

import pytest
from parity_lab import BUCKET, SKLEARN, Lab, labelled_rows, without_label

TRAIN = """
    import os, pathlib
    import joblib, numpy
    from sklearn.linear_model import LogisticRegression

    def model_fn(folder):
        assert (pathlib.Path(folder) / "deep" / "note.txt").read_text() == "beside the model"
        return joblib.load(pathlib.Path(folder) / "model.joblib")

    if __name__ == "__main__":
        folder = pathlib.Path(os.environ["SM_MODEL_DIR"])
        rows = numpy.loadtxt(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "rows.csv", delimiter=",")
        joblib.dump(LogisticRegression().fit(rows[:, 1:], rows[:, 0]), folder / "model.joblib")
        (folder / "deep").mkdir()
        (folder / "deep" / "note.txt").write_text("beside the model")
        (pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"]) / "facts.txt").write_text("200 rows")
    """


def keys(lab: Lab, prefix: str) -> list[str]:
    listed = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [each["Key"].removeprefix(prefix) for each in listed]


def test_an_uncompressed_model_is_a_prefix_that_an_endpoint_serves(lab: Lab) -> None:
    lab.put("train/rows.csv", "\n".join(labelled_rows(200)))
    lab.start_script(
        "plain",
        TRAIN,
        channels={"train": f"s3://{BUCKET}/train/"},
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output/", "CompressionType": "NONE"},
    )
    job = lab.completed("plain")
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == f"s3://{BUCKET}/output/plain/output/model/"
    assert job["OutputDataConfig"]["CompressionType"] == "NONE"
    assert keys(lab, "output/plain/output/") == ["data/facts.txt", "model/deep/note.txt", "model/model.joblib"]

    source = {"S3Uri": model, "S3DataType": "S3Prefix", "CompressionType": "None"}
    code = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": lab.script(TRAIN)}
    lab.model("plain", None, SKLEARN, ModelDataSource={"S3DataSource": source}, Environment=code)
    shown = lab.sagemaker.describe_model(ModelName="plain")["PrimaryContainer"]
    assert shown["ModelDataSource"]["S3DataSource"] == source
    lab.endpoint_config("plain", "plain")
    lab.sagemaker.create_endpoint(EndpointName="plain", EndpointConfigName="plain")
    endpoint = lab.endpoint_settled("plain")
    assert endpoint["EndpointStatus"] == "InService", (endpoint, lab.endpoint_log("plain"))
    answer = lab.invoke("plain", without_label(labelled_rows(5, seed=1)), Accept="application/json")
    assert len(json.loads(answer)) == 5


@pytest.mark.parametrize("ending", ["exit 0", "exit 3"])
def test_a_job_that_leaves_nothing_uploads_nothing(lab: Lab, ending: str) -> None:
    name = f"nothing-{ending[-1]}"
    lab.start(
        name,
        SKLEARN,
        AlgorithmSpecification={"ContainerEntrypoint": ["/bin/sh", "-c", ending]},
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output", "CompressionType": "NONE"},
    )
    lab.ended(name)
    assert keys(lab, f"output/{name}/") == []
