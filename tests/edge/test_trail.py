"""The files that the trail is written to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clary.core.settings import load
from clary.edge.trail import Call, Segments, Trail
from clary.services.cloudtrail.kept import DAY_MS, segment_path, segments
from clary.services.iam.principals import root_principal
from clary.wire.http import Request

MONDAY = 20_000 * DAY_MS


def lines(folder: Path, kind: str = "write") -> list[str]:
    return [line for path in sorted(folder.glob(f"{kind}-*")) for line in path.read_text().splitlines()]


def test_a_file_is_gone_on_with_on_the_same_day(tmp_path: Path) -> None:
    for number in range(3):
        file = Segments(tmp_path, "write", 1 << 20, 90)
        file.write(MONDAY + number, b"%d {}\n" % number)
        file.close()
    assert segments(tmp_path, "write") == [MONDAY]
    file = Segments(tmp_path, "write", 1 << 20, 90)
    file.write(MONDAY + DAY_MS, b"3 {}\n")
    assert segments(tmp_path, "write") == [MONDAY, MONDAY + DAY_MS]
    assert lines(tmp_path) == [f"{number} {{}}" for number in range(4)]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_oldest_make_room(tmp_path: Path) -> None:
    file, other = Segments(tmp_path, "write", 4000, 90), Segments(tmp_path, "read", 4000, 90)
    other.write(MONDAY, b"0 {}\n")
    for number in range(1000):
        file.write(MONDAY + number, b"%d {}\n" % number)
        assert sum(path.stat().st_size for path in tmp_path.glob("write-*")) <= 4000 + 20
    kept = lines(tmp_path)
    assert kept[-1] == "999 {}" and len(kept) > 250
    assert kept == [f"{number} {{}}" for number in range(1000 - len(kept), 1000)]
    assert lines(tmp_path, "read") == ["0 {}"]


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    file = Segments(tmp_path, "write", 1 << 20, 7)
    for day in range(20):
        file.write(MONDAY + day * DAY_MS, b"%d {}\n" % day)
    assert lines(tmp_path) == [f"{day} {{}}" for day in range(12, 20)]


def test_a_clock_that_is_set_back_changes_no_order(tmp_path: Path) -> None:
    file = Segments(tmp_path, "write", 1 << 20, 90)
    for number, moment in enumerate((MONDAY + DAY_MS, MONDAY, MONDAY + 2 * DAY_MS)):
        file.write(moment, b"%d {}\n" % number)
    assert lines(tmp_path) == ["0 {}", "1 {}", "2 {}"]


def test_half_a_line_is_ended_before_the_next(tmp_path: Path) -> None:
    segment_path(tmp_path, "write", MONDAY).write_bytes(b"0 {}\n1 {")
    file = Segments(tmp_path, "write", 1 << 20, 90)
    file.write(MONDAY + 1, b"2 {}\n")
    assert lines(tmp_path) == ["0 {}", "1 {", "2 {}"]


def test_a_disk_that_is_full_stops_no_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trail = _trail(tmp_path)
    (tmp_path / "trail").write_text("no folder")
    for _ in range(3):
        trail.keep(_call())
    assert caplog.text.count("are missing in the trail") == 1
    (tmp_path / "trail").unlink()
    trail.keep(_call())
    assert len(lines(tmp_path / "trail", "read")) == 1


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from clary.edge.trail import Segments\n"
        f"file = Segments(Path(sys.argv[1]), 'write', 1 << 20, 90)\n"
        f"for number in range(100): file.write({MONDAY} + number, b'%d {{}}\\n' % number)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], env=dict(os.environ), timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert lines(tmp_path) == [f"{number} {{}}" for number in range(100)]


def test_strangers_fill_no_room_of_changes(tmp_path: Path) -> None:
    trail = _trail(tmp_path)
    known, stranger, swapped = _call(), _call(), _call()
    known.by(root_principal("123456789012"), "AKIAX")
    stranger.error = ("IncompleteSignature", "'my password' is no signature")
    swapped.access_key = "a" * 40
    for call in (known, stranger, swapped):
        trail.keep(call)
    [kept] = [json.loads(line.partition(" ")[2]) for line in lines(tmp_path / "trail")]
    assert kept["userIdentity"]["type"] == "Root"
    assert kept["userIdentity"]["accessKeyId"] == "AKIAX"
    first, second = (json.loads(line.partition(" ")[2]) for line in lines(tmp_path / "trail", "read"))
    assert first["errorCode"] == "IncompleteSignature"
    assert "errorMessage" not in first
    assert second["userIdentity"] == {"type": "Unknown", "accessKeyId": "HIDDEN_DUE_TO_SECURITY_REASONS"}


def test_a_record_has_an_end(tmp_path: Path) -> None:
    trail = _trail(tmp_path)
    told = {"eventName": "CreateModel", "requestParameters": {"modelName": "\x01" * 100_000}}
    trail.keep(_call(), json.dumps(told))
    [line] = lines(tmp_path / "trail", "read")
    assert json.loads(line.partition(" ")[2])["requestParameters"]["omitted"] is True
    assert len(line) < 2_000


def test_calls_of_data_are_recorded_if_wished(tmp_path: Path) -> None:
    for wished in (True, False):
        trail = _trail(tmp_path, audit_data=wished)
        call = _call()
        call.of("sagemaker-runtime", "InvokeEndpoint", "us-east-1")
        trail.keep(call)
        assert len(lines(tmp_path / "trail", "data")) == 1


def _trail(home: Path, **settings: bool) -> Trail:
    return Trail(load(home, environ={}, **settings), None)  # type: ignore[arg-type]


def _call() -> Call:
    call = Call(Request("POST", "/", headers={"user-agent": "x" * 9_000}, client="127.0.0.1"), "id")
    call.of("sagemaker", "CreateModel", "us-east-1")
    return call
