"""Pipe mode and FastFile mode: jobs that read FIFOs and mounts, with each isolation."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from clary.compute.agent import flow
from clary.compute.agent.flow import frames
from clary.compute.isolation.select import ISOLATIONS, availability
from clary.compute.placement.local import LocalPlacement
from clary.compute.spec import ImageSpec, Input, Limits, Output
from clary.testing.contracts.jobs import Jobs, end
from clary.testing.contracts.waiting import log_text, wait_for, wait_for_end

READ = """
import os, sys
root = os.environ["CLARY_ML_ROOT"] + "/input/data/"
def read(name, epoch=0, most=-1):
    with open(f"{root}{name}_{epoch}", "rb", buffering=0) as file:
        return file.read(most) if most >= 0 else file.read()
"""


@pytest.fixture(params=list(ISOLATIONS))
def jobs(request: pytest.FixtureRequest, placement: LocalPlacement, image: ImageSpec, store: Any) -> Any:
    works, remedy = availability(request.param)
    if not works:
        pytest.skip(remedy)
    yield Jobs(placement, request.param, image, store)
    for id in placement.list():
        placement.remove(id)


def pipe(uri: str = "s3://bucket/data/", name: str = "train", **fields: Any) -> Input:
    return Input(f"input/data/{name}", uri, mode="pipe", **fields)


def run(jobs: Jobs, code: str, *inputs: Input, **fields: Any) -> str:
    """The log of a job that succeeds."""
    seen = jobs.run(READ + code, inputs=list(inputs), **fields)
    assert end(seen)["event"] == "completed", (end(seen), log_text(jobs.placement, seen.id))
    return log_text(jobs.placement, seen.id)


def test_epochs_follow_each_other(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "data/a", b"first ")
    store.put("bucket", "data/b", b"second")
    store.put("bucket", "data/folder/", b"")
    log = run(
        jobs,
        """
        assert "train_0" in os.listdir(root) and "train" not in os.listdir(root), os.listdir(root)
        for epoch in range(3):
            print(epoch, read("train", epoch))
        assert "train_0" not in os.listdir(root)
        """.replace("\n        ", "\n"),
        pipe(),
    )
    assert [line for line in log.splitlines() if line[0] in "012"] == [f"{epoch} b'first second'" for epoch in range(3)]


def test_a_reader_may_close_early_and_channels_are_independent(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "data/large", b"x" * (8 << 20))
    store.put("bucket", "other/small", b"small")
    code = """
for epoch in range(5):
    print("early", len(read("train", epoch, 1000)))
print(read("validation"), len(read("train", 5)))
"""
    log = run(jobs, code, pipe(), pipe("s3://bucket/other/", "validation"))
    assert log.count("early 1000") == 5
    assert "b'small' 8388608" in log


def test_a_reader_may_never_come(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "data/a", b"x" * (4 << 20))
    assert "unread" in run(jobs, "print('unread')", pipe())
    # Nor need it read what it has opened.
    assert "opened" in run(jobs, "file = open(root + 'train_0', 'rb'); print('opened')", pipe())


def test_objects_become_records(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "data/a", b"12345")
    store.put("bucket", "data/b", b"")
    store.put("bucket", "data/c", b"12345678")
    log = run(jobs, "print(read('train').hex())", pipe(framed=True))
    magic = struct.pack("<I", 0xCED7230A).hex()
    expected = "".join(
        f"{magic}{struct.pack('<I', len(data)).hex()}{(data + bytes(-len(data) % 4)).hex()}"
        for data in (b"12345", b"", b"12345678")
    )
    assert expected in log


def test_long_records_are_several_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "LONGEST", 8)
    heads = [(struct.unpack("<II", head)[1] >> 29, start, length) for head, start, length in frames(20)]
    assert heads == [(1, 0, 8), (2, 8, 8), (3, 16, 4)]
    assert [(struct.unpack("<II", head)[1] >> 29, length) for head, _, length in frames(8)] == [(0, 8)]


@pytest.mark.parametrize("framed", [False, True])
def test_gzip_is_unpacked_on_the_way(jobs: Jobs, store: Any, framed: bool) -> None:
    rows = b"".join(b"%d,%d\n" % (number, number * number) for number in range(100_000))
    store.put("bucket", "data/a.gz", gzip.compress(rows[:500_001]) + gzip.compress(rows[500_001:]))
    code = "import hashlib; data = read('train'); print(len(data), hashlib.sha256(data).hexdigest())"
    log = run(jobs, code, pipe(unzip=True, framed=framed))
    if framed:
        rows = struct.pack("<II", 0xCED7230A, len(rows)) + rows + bytes(-len(rows) % 4)
    assert f"{len(rows)} {hashlib.sha256(rows).hexdigest()}" in log


def test_lines_of_two_objects_are_not_joined(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "data/a", b"1,2")
    store.put("bucket", "data/b", b"3,4\n")
    store.put("bucket", "data/c", gzip.compress(b"5,6"))
    store.put("bucket", "plain/a", b"1,2")
    store.put("bucket", "plain/b", b"3,4")
    inputs = [
        Input("input/data/train", "s3://bucket/data/", mode="pipe", lines=True, keys=["data/a", "data/b"]),
        Input("input/data/zipped", "s3://bucket/data/c", mode="pipe", lines=True, unzip=True),
        Input("input/data/plain", "s3://bucket/plain/", mode="pipe"),
    ]
    log = run(jobs, "print(read('train'), read('zipped'), read('plain'))", *inputs)
    assert r"b'1,2\n3,4\n' b'5,6\n' b'1,23,4'" in log


def test_augmented_manifests_are_streamed(jobs: Jobs, store: Any) -> None:
    for number in range(3):
        store.put("images", f"{number}.jpg", b"image-%d" % number)
    lines = [{"class": number % 2, "source-ref": f"s3://images/{number}.jpg", "unused": 1} for number in range(3)]
    store.put("bucket", "m.jsonl", "\n".join(json.dumps(line) for line in lines).encode())
    source = Input(
        "input/data/train",
        "s3://bucket/m.jsonl",
        kind="augmented",
        mode="pipe",
        attributes=["source-ref", "class"],
        framed=True,
    )
    code = """
import struct
for epoch in (0, 1):
    data, found = read("train", epoch), []
    while data:
        magic, size = struct.unpack_from("<II", data)
        found.append(data[8:8 + size].decode())
        data = data[8 + size + -size % 4:]
    print(found)
"""
    assert run(jobs, code, source).count("['image-0', '0', 'image-1', '1', 'image-2', '0']") == 2


def test_a_lost_connection_is_taken_up_where_it_was_lost(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "data/a", bytes(range(256)) * 10_000)
    store.cuts = 3
    log = run(jobs, "print(read('train') == bytes(range(256)) * 10_000)", pipe())
    assert "True" in log and store.cuts == 0


def test_files_of_this_machine_are_streamed_from_where_they_are(jobs: Jobs, store: Any, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"blob" * 1_000_000)
    store.local["bucket", "data/a"] = tmp_path / "blob"
    store.put("bucket", "data/a", b"blob" * 1_000_000)
    code = "data = read('train'); print(len(data), data == b'blob' * 1_000_000)"
    assert "4000000 True" in run(jobs, code, pipe())
    log = run(jobs, "data = read('train'); print(len(data), data[8:] == b'blob' * 1_000_000)", pipe(framed=True))
    assert "4000008 True" in log


def test_an_object_that_is_gone_fails_the_job_and_not_the_reader(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "data/a", b"x" * 100)
    store.put("bucket", "m.json", b'[{"prefix": "s3://bucket/data/"}, "a", "missing"]')
    source = Input("input/data/train", "s3://bucket/m.json", kind="manifest", mode="pipe")
    seen = jobs.run(
        READ + "print('all of it', len(read('train')))",
        inputs=[source],
        outputs=[Output("model", "s3://bucket/model.tar.gz", archive=True, optional=False)],
    )
    assert end(seen)["event"] == "failed"
    assert end(seen)["message"].startswith('ClientError: Data download failed: The object "s3://bucket/data/missing"')
    assert 'the manifest "s3://bucket/m.json" names' in end(seen)["message"]
    assert "all of it" not in log_text(jobs.placement, seen.id)
    assert "model.tar.gz" not in store.keys("bucket")


def test_what_is_no_gzip_data_is_said_so(jobs: Jobs, store: Any) -> None:
    for data in (b"plain text", gzip.compress(b"x" * 1000)[:-12]):
        store.put("bucket", "data/a", data)
        seen = jobs.run(READ + "read('train')", inputs=[pipe(unzip=True)])
        assert 'The object "s3://bucket/data/a" cannot be decompressed' in end(seen)["message"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (pipe("s3://bucket/nothing/"), 'No S3 objects found under S3 URL "s3://bucket/nothing/"'),
        (pipe("s3://bucket/m.json", kind="manifest"), '"s3://bucket/m.json" cannot be used: line 1'),
        (pipe("s3://bucket/none.json", kind="manifest"), 'No S3 objects found under S3 URL "s3://bucket/none.json"'),
        (pipe("s3://bucket/m.json", kind="augmented", attributes=["a"]), "line 1: it is not JSON"),
    ],
)
def test_what_cannot_be_streamed_fails_before_the_start(jobs: Jobs, store: Any, source: Input, message: str) -> None:
    store.put("bucket", "m.json", b"nonsense")
    seen = jobs.run("", inputs=[source])
    assert end(seen)["message"].startswith("ClientError: Data download failed: ")
    assert message in end(seen)["message"]
    assert "running" not in [each["event"] for each in seen.events]


def test_a_stop_reaches_a_job_that_reads(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "data/a", b"x" * 1000)
    code = """
epoch = 0
while True:
    read("train", epoch)
    epoch += 1
    if epoch == 3:
        print("reading", flush=True)
"""
    spec = jobs.start(jobs.python(READ + code, inputs=[pipe()]))
    jobs.says(spec.id, "reading")
    jobs.placement.stop(spec.id)
    assert end(wait_for_end(jobs.placement, spec.id))["event"] == "stopped"
    wait_for(lambda: not jobs.placement.observe(spec.id).alive)


def test_a_pipe_that_the_job_replaces_is_not_written_to(jobs: Jobs, store: Any, tmp_path: Path) -> None:
    store.put("bucket", "data/a", b"x" * 1000)
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    code = f"""
os.unlink(root + "train_0"); os.symlink({str(victim)!r}, root + "train_0"); print("replaced")
"""
    assert "replaced" in run(jobs, code, pipe(), limits=Limits(grace_s=1))
    assert victim.read_bytes() == b"kept"


def test_fast_files_are_not_copied_into_a_sandbox(jobs: Jobs, store: Any, tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"blob" * 500_000)
    store.local["bucket", "data/sub/large"] = blob
    store.put("bucket", "data/sub/large", blob.read_bytes())
    store.put("bucket", "data/small", b"small")
    code = f"""
where = root + "train/"
print(open(where + "small", "rb").read(), open(where + "sub/large", "rb").read() == b"blob" * 500_000)
print("same", os.stat(where + "sub/large").st_ino == {blob.stat().st_ino})
try:
    open(where + "sub/large", "r+b").write(b"changed")
except OSError as error:
    print("refused", error.strerror)
try:
    open(where + "new", "wb")
except OSError as error:
    print("refused", error.strerror)
"""
    log = run(jobs, code, Input("input/data/train", "s3://bucket/data/", mode="lazy"))
    assert "b'small' True" in log
    assert f"same {jobs.isolation == 'bubblewrap'}" in log
    assert log.count("refused Read-only file system") == (2 if jobs.isolation == "bubblewrap" else 0)
    assert blob.read_bytes() == b"blob" * 500_000
