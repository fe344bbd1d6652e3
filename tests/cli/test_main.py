"""Every mistake is answered with a sentence and an exit status, and never with a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clary.cli.main import run


def clary(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clary.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("CLARY_")} | environ,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["env"],
        ["env", "--write-profile", "clary"],
        ["credentials"],
        ["logs", "a-job"],
    ],
)
def test_nothing_runs(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words, "--home", str(tmp_path / "none")]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"clary: there is no Clary in {tmp_path}/none")
    assert f"clary up --home {tmp_path}/none" in shown.err


def test_status_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--home", str(tmp_path)]) == 1
    assert "not running" in capsys.readouterr().out
    assert run(["status", "--json", "--home", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out)["running"] is False


def test_down_of_nothing_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down", "--home", str(tmp_path)]) == 0
    assert "not running" in capsys.readouterr().out


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = clary("up", "--home", str(file))
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert str(file) in done.stderr


def test_a_wrong_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "settings.toml").write_text("region = 'eu-west-1'\nports = 1\n")
    assert run(["status", "--home", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "clary: unknown setting: ports\n"


@pytest.mark.parametrize("words", [["up", "--port", "99999"], ["up", "--port", "x"], [], ["nonsense"], ["logs"]])
def test_words_that_make_no_command(words: list[str]) -> None:
    done = clary(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: clary")


def test_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version", "--home", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["running"] is None


def test_quick_commands_import_little() -> None:
    script = "import sys, clary.cli.main as m; m.run(['status', '--home', '/nonexistent']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"boto3", "botocore", "rich", "asyncio", "sqlalchemy", "clary.compute"}


def test_images_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", "list", "--json", "--home", str(tmp_path)]) == 0
    names = {image["name"] for image in json.loads(capsys.readouterr().out)}
    assert {"scikit-learn-1.2", "xgboost-1.7"} <= names


def test_an_unknown_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", "pull", "sagemaker-xgbost:1.7-1", "--home", str(tmp_path)]) == 1
    assert "sagemaker-xgboost:1.7-1" in capsys.readouterr().err


def test_an_archive_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", "import", str(tmp_path / "no.tar"), "--home", str(tmp_path)]) == 1
    assert "no.tar" in capsys.readouterr().err
