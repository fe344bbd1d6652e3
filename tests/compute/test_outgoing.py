"""Outputs that are to lie under a key of KMS."""

from __future__ import annotations

from typing import Any

from clary.compute.spec import Output
from clary.testing.contracts.jobs import Jobs, end

WRITES = """
import os
root = os.environ["CLARY_ML_ROOT"] + "/"
for folder in ("model", "output/data", "checkpoints"):
    os.makedirs(root + folder, exist_ok=True)
    open(root + folder + "/file", "w").write("secret")
"""


def outputs(key: str) -> list[Output]:
    return [
        Output("model", "s3://bucket/out/model.tar.gz", archive=True, key=key),
        Output("output/data", "s3://bucket/out/data", key=key),
        Output("checkpoints", "s3://bucket/checkpoints", when="always", continuous=True),
    ]


def test_outputs_are_uploaded_under_their_key(jobs: Jobs, store: Any) -> None:
    assert end(jobs.run(WRITES, outputs=outputs("alias/mine")))["event"] == "completed"
    assert store.keys("bucket") == ["checkpoints/file", "out/data/file", "out/model.tar.gz"]
    assert store.keys_of == {("bucket", f"out/{name}"): "alias/mine" for name in ("data/file", "model.tar.gz")}


def test_a_refused_key_is_named(jobs: Jobs, store: Any) -> None:
    store.refused.add("alias/mine")
    ending = end(jobs.run(WRITES, outputs=outputs("alias/mine")))
    assert (ending["event"], ending["reason"]) == ("failed", "client")
    assert ending["message"] == (
        "ClientError: Data upload failed: AccessDenied (403): User: x is not authorized to perform: kms:GenerateDataKey"
        ' on resource: y. Please ensure that the KMS key "alias/mine" exists in the region us-east-1, that it is '
        'enabled, and that the role "arn:aws:iam::123456789012:role/TestRole" has "kms:GenerateDataKey" and '
        '"kms:Decrypt" permissions on it.'
    )
