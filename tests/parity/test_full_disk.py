"""A server on a disk of 64 MB that gets full: nothing is lost, everybody is told, and with new room all goes on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from parity_lab import BUCKET, Lab

from clary.testing.server import server
from clary.testing.small_disk import fill, small_disk


@pytest.fixture
def disk() -> Iterator[Path]:
    """An empty file system of 64 MB."""
    try:
        with small_disk(64) as folder:
            yield folder
    except PermissionError as error:
        pytest.skip(str(error))


def test_a_full_disk(disk: Path) -> None:
    with server(disk / "home") as running:
        lab = Lab(running)
        once = running.client("s3", config=Config(retries={"total_max_attempts": 1}))

        # An object that does not fit is refused, and leaves nothing behind.
        with pytest.raises(ClientError, match="not enough space left on the device") as refusal:
            once.put_object(Bucket=BUCKET, Key="large", Body=b"x" * (80 << 20))
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 507
        assert lab.get(lab.put("small", "fits")) == b"fits"

        # Jobs that write too much fail, say why, and give the room back.
        write = "head -c 100000000 /dev/zero > /opt/ml/model/large"
        shell = {"ContainerEntrypoint": ["/bin/sh", "-c", write]}
        for name, start in (
            ("command", lambda: lab.start("command", AlgorithmSpecification=shell)),
            ("script", lambda: lab.start_script("script", "open('/opt/ml/model/a', 'wb').write(b'x' * (100 << 20))")),
        ):
            start()
            reason = lab.ended(name)["FailureReason"]
            assert re.match("AlgorithmError: .*No space left on device", reason, re.DOTALL), reason
        free = os.statvfs(disk)
        assert free.f_bavail * free.f_frsize > 50 << 20

        # On a disk without a free byte what is there can still be read, and what is new is refused with the remedy.
        ballast = disk / "ballast"
        fill(ballast)

        # What the database has set aside is used up first.
        def refused() -> ClientError | None:
            try:
                lab.model(f"m{os.urandom(4).hex()}", None, Environment={f"A{i}": "a" * 1000 for i in range(10)})
            except ClientError as error:
                return error
            return None

        while (error := refused()) is None:
            pass
        assert error.response["Error"]["Code"] == "InternalFailure"
        assert "The disk that holds Clary's home folder is full" in error.response["Error"]["Message"]
        with pytest.raises(ClientError, match="not enough space left on the device"):
            once.put_object(Bucket=BUCKET, Key="more", Body=b"x" * 1_000_000)
        assert lab.get(f"s3://{BUCKET}/small") == b"fits"
        assert lab.sagemaker.describe_training_job(TrainingJobName="script")["TrainingJobStatus"] == "Failed"

        # With new room everything works again.
        ballast.unlink()
        lab.put("more", b"x" * 1_000_000)
        lab.start("after", AlgorithmSpecification={"ContainerEntrypoint": ["/bin/true"]})
        lab.completed("after")
