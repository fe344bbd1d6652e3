"""The edge is killed in the middle of uploads; they are tried again and are whole at the end."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

pytestmark = pytest.mark.slow("survival")

MIB = 1 << 20

LARGE = """
import os, pathlib
(pathlib.Path(os.environ["CLARY_ML_ROOT"]) / "model" / "large").write_bytes(os.urandom(96 << 20))
"""


class Fateful(io.BytesIO):
    """A body; something happens once when it has been read up to ``at``, after ``armed`` was set."""

    armed = False

    def __init__(self, data: bytes, at: int, fate: Callable[[], None]) -> None:
        super().__init__(data)
        self._at = at
        self._fate = fate
        self._over = False

    def arm(self, **_: object) -> None:
        self.armed = True

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.armed and not self._over and self.tell() >= self._at:
            self._over = True
            self._fate()
        return data


def stored(plant: Any, key: str) -> str:
    body = plant.client("s3").get_object(Bucket="survival", Key=key)["Body"]
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(MIB):
        digest.update(chunk)
    return digest.hexdigest()


@pytest.mark.parametrize("victims", [["edge"], ["edge", "control"]], ids=" and ".join)
def test_a_put(plant: Any, victims: list[str]) -> None:
    data = random.Random(1).randbytes(32 * MIB)
    s3 = plant.client("s3")
    s3.put_object(Bucket="survival", Key="key", Body=b"before")
    seen: list[str] = []

    def fate() -> None:
        plant.kill(*victims)
        seen.append(stored(plant, "key"))

    body = Fateful(data, 16 * MIB, fate)
    # The same object is read before, for its checksum and its signature.
    s3.meta.events.register("before-send.s3.PutObject", body.arm)
    answer = s3.put_object(Bucket="survival", Key="key", Body=body)
    assert answer["ResponseMetadata"]["RetryAttempts"] >= 1
    assert stored(plant, "key") == hashlib.sha256(data).hexdigest()
    assert seen == [hashlib.sha256(b"before").hexdigest()], "half an object was seen"


def test_a_multipart_upload(plant: Any) -> None:
    data = random.Random(2).randbytes(64 * MIB)
    transfer = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=3)
    body = Fateful(data, 32 * MIB, lambda: plant.kill("edge"))
    body.arm()
    plant.client("s3").upload_fileobj(body, "survival", "key", Config=transfer)
    assert stored(plant, "key") == hashlib.sha256(data).hexdigest()
    assert plant.client("s3").list_multipart_uploads(Bucket="survival").get("Uploads", []) == []


def test_a_completion_whose_answer_was_lost(plant: Any) -> None:
    s3 = plant.client("s3")
    upload = {"Bucket": "survival", "Key": "key"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    parts = []
    for number, size in ((1, 5 * MIB), (2, 100)):
        tag = s3.upload_part(**upload, PartNumber=number, Body=bytes(size))["ETag"]
        parts.append({"PartNumber": number, "ETag": tag})
    first = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    plant.kill("edge")
    again = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert again["ETag"] == first["ETag"]
    assert s3.head_object(Bucket="survival", Key="key")["ContentLength"] == 5 * MIB + 100


@pytest.mark.parametrize("victims", [["edge"], ["supervisor", "edge", "control"]], ids=" and ".join)
def test_the_upload_of_a_jobs_model(plant: Any, wait_until: Any, victims: list[str]) -> None:
    plant.train("job", script=LARGE)
    s3 = plant.client("s3")

    def under_way() -> bool:
        uploads = s3.list_multipart_uploads(Bucket="survival").get("Uploads", [])
        return bool(uploads) and "Parts" in s3.list_parts(
            Bucket="survival", Key=uploads[0]["Key"], UploadId=uploads[0]["UploadId"]
        )

    wait_until(under_way)
    plant.kill(*victims)
    assert plant.placement.observe(plant.job()).terminal is None, "the upload had ended already"
    if "supervisor" in victims:
        plant.up()
    described = plant.await_end("job")
    assert described["TrainingJobStatus"] == "Completed", described
    assert "Restarting" not in [each["Status"] for each in described["SecondaryStatusTransitions"]]
    assert len(plant.model(described)["large"]) == 96 * MIB
    assert s3.list_multipart_uploads(Bucket="survival").get("Uploads", []) == []
