"""What a training job writes for TensorBoard, and TensorBoard on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, SKLEARN, Lab, eventually

from clary.compute.agent.serving import free_port

SCRIPT = """
    import pathlib, struct, time

    def crc(data):
        value = 0xFFFFFFFF
        for byte in data:
            value ^= byte
            for _ in range(8):
                value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        value ^= 0xFFFFFFFF
        return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF

    def varint(number):
        out = b""
        while number > 127:
            out += bytes([number & 127 | 128])
            number >>= 7
        return out + bytes([number])

    def text(field, data):
        return bytes([field << 3 | 2]) + varint(len(data)) + data

    def record(event):
        head = struct.pack("<Q", len(event))
        return head + struct.pack("<I", crc(head)) + event + struct.pack("<I", crc(event))

    def event(step, rest):
        return record(b"\\x09" + struct.pack("<d", time.time()) + b"\\x10" + varint(step) + rest)

    def scalar(name, value):
        return text(5, text(1, text(1, name) + b"\\x15" + struct.pack("<f", value)))

    folder = pathlib.Path("/opt/ml/output/tensorboard")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "events.out.tfevents.1.host", "wb") as file:
        file.write(event(0, text(3, b"brain.Event:2")))
        for step in range(5):
            file.write(event(step, scalar(b"loss", 1 / (1 + step))))
            file.flush()
    """
EVENTS = {"S3OutputPath": f"s3://{BUCKET}/boards"}


def test_events_are_in_the_store_and_in_tensorboard(lab: Lab) -> None:
    lab.start_script("drawn", SCRIPT, TensorBoardOutputConfig=EVENTS)
    job = lab.completed("drawn")
    assert job["TensorBoardOutputConfig"] == EVENTS
    prefix = "boards/drawn/tensorboard-output/"
    [events] = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    assert events["Key"] == f"{prefix}events.out.tfevents.1.host"
    with shown(lab, "drawn") as port:
        address = f"http://127.0.0.1:{port}/data/plugin/scalars/scalars?run=.&tag=loss"

        def points() -> list[float]:
            try:
                with urllib.request.urlopen(address, timeout=10) as answer:
                    return [round(value, 4) for _, _, value in json.load(answer)]
            except OSError:
                return []

        assert eventually(points, "TensorBoard shows the curve") == [1.0, 0.5, 0.3333, 0.25, 0.2]


@contextmanager
def shown(lab: Lab, name: str) -> Iterator[int]:
    """``clary tensorboard``, and the port that it listens on."""
    port = free_port()
    command = [sys.executable, "-m", "clary.cli", "tensorboard", name, "--port", str(port)]
    environment = {**os.environ, "CLARY_HOME": str(lab.server.home)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    ("name", "message"), [("none", "there is no training job 'none'"), ("plain", "has no TensorBoardOutputConfig")]
)
def test_jobs_that_have_nothing_to_show(lab: Lab, name: str, message: str) -> None:
    lab.start("plain", SKLEARN, AlgorithmSpecification={"ContainerEntrypoint": ["true"]})
    command = [sys.executable, "-m", "clary.cli", "--home", str(lab.server.home), "tensorboard", name]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1 and message in ended.stderr


def test_a_folder_that_cannot_be(lab: Lab) -> None:
    with pytest.raises(ClientError, match="TensorBoardOutputConfig: LocalPath 'relative' must be"):
        lab.start("wrong", SKLEARN, TensorBoardOutputConfig={**EVENTS, "LocalPath": "relative"})
