"""Programs of the platform's own, asked by lines of JSON."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.compute import programs
from clary.compute.images.environments import ImageNotReady
from clary.compute.programs import ProgramError, Programs
from clary.compute.spec import ImageSpec
from clary.core.settings import load

ECHO = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("leave"):
        sys.exit(3)
    if asked.get("wait"):
        import time
        time.sleep(600)
    if asked.get("babble"):
        print("no JSON", flush=True)
        continue
    if asked.get("refuse"):
        print(json.dumps({"error": "not that"}), flush=True)
        continue
    secrets = sorted(name for name in os.environ if "SECRET" in name or "CLARY" in name)
    print(json.dumps({"size": len(line), "pid": os.getpid(), "secrets": secrets}), flush=True)
"""


class Images:
    """Stands for the images: every one is this Python."""

    ready = True

    def spec(self, uri: str) -> ImageSpec:
        if not self.ready:
            raise ImageNotReady(uri)
        return ImageSpec(uri, python=sys.executable)


@pytest.fixture
def images() -> Images:
    return Images()


@pytest.fixture
def asked(tmp_path: Path, images: Images, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    folder = tmp_path / "run" / "modules"
    folder.mkdir(parents=True)
    (folder / "echo.py").write_text(ECHO)
    every = Programs(load(tmp_path, environ={}), images)  # type: ignore[arg-type]
    yield lambda **question: every.ask("image", "echo", question)
    every.close()


def test_one_process_answers_many_questions(asked: Any) -> None:
    first, second = asked(text="a"), asked(text="b" * 1_000_000)
    assert first["pid"] == second["pid"] and second["size"] > 1_000_000
    assert first["secrets"] == []


@pytest.mark.parametrize("ending", ["leave", "kill"])
def test_one_that_has_ended_is_started_again(asked: Any, ending: str) -> None:
    before = asked()["pid"]
    if ending == "kill":
        os.kill(before, signal.SIGKILL)
        after = asked()["pid"]
    else:
        with pytest.raises(ProgramError, match="ended instead of answering"):
            asked(leave=True)
        after = asked()["pid"]
    assert after != before


def test_what_a_program_refuses_is_told(asked: Any) -> None:
    with pytest.raises(ProgramError, match="echo: not that"):
        asked(refuse=True)
    with pytest.raises(ProgramError, match="what is no JSON: b'no JSON'"):
        asked(babble=True)
    assert asked()["size"]


def test_one_that_does_not_answer_is_ended(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = asked()["pid"]
    monkeypatch.setattr(programs, "LONGEST_ANSWER_S", 0.2)
    with pytest.raises(ProgramError, match=r"did not answer within 0\.2 seconds"):
        asked(wait=True)
    monkeypatch.undo()
    assert asked()["pid"] != before


def test_an_environment_that_is_not_there_yet(asked: Any, images: Images) -> None:
    images.ready = False
    with pytest.raises(ImageNotReady):
        asked()
    images.ready = True
    assert asked()["size"]


def test_what_programs_say_is_for_their_owner_alone(asked: Any, tmp_path: Path) -> None:
    asked()
    assert stat.S_IMODE((tmp_path / "log" / "programs.log").stat().st_mode) == 0o600
