"""Names, ids, times, private files, and the pipe by which a child learns that its parent is gone."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from clary.core import clock, ids
from clary.core.files import write_private
from clary.core.names import arn, parse_arn


def test_an_arn_is_made_and_read() -> None:
    text = arn("sagemaker", "us-east-1", "123456789012", "training-job/a:b")
    assert text == "arn:aws:sagemaker:us-east-1:123456789012:training-job/a:b"
    parsed = parse_arn(text)
    assert (parsed.service, parsed.resource, str(parsed)) == ("sagemaker", "training-job/a:b", text)


@pytest.mark.parametrize("text", ["", "arn", "arn:aws:s3", "arn:aws::::x", "arn:aws:s3:::", "nra:aws:s3:::x"])
def test_what_is_no_arn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an ARN"):
        parse_arn(text)


def test_ids_have_their_forms_and_do_not_repeat() -> None:
    assert str(uuid.UUID(ids.request_id())) != ids.request_id()
    assert uuid.UUID(ids.request_id()).version == 4
    assert ids.unique_id("AKIA", 20).startswith("AKIA")
    assert len(ids.unique_id("AROA")) == 21
    assert len(ids.secret_key()) == 40
    assert len({ids.token(9) for _ in range(100)}) == 100
    assert len(ids.token(9)) == 9


def test_times_have_milliseconds_and_an_iso_form() -> None:
    assert round(clock.now() * 1000) == pytest.approx(clock.now() * 1000, abs=1000)
    assert clock.iso(0) == "1970-01-01T00:00:00Z"


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    write_private(file, "one")
    write_private(file, b"two")
    write_private(file, "three", replace=False)
    assert file.read_text() == "two"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_private_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "folder", "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_a_child_notices_that_its_parent_left() -> None:
    code = "import os, threading\nfrom clary.core.parent import when_parent_leaves\n"
    code += "when_parent_leaves(lambda: os._exit(7))\nthreading.Event().wait()\n"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(20) == 7
