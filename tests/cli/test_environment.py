"""What AWS clients are told, and the profile that leaves everything else in the file alone."""

from __future__ import annotations

import configparser
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from clary.cli import environment
from clary.cli.client import Credentials
from clary.cli.installation import Installation, Running
from clary.cli.mistakes import Mistake
from clary.core.settings import load


class StandIn(Installation):
    """An installation that says it runs."""

    def require(self) -> Running:
        return Running(1, "http://127.0.0.1:7788", 7788, "0", 0.0, True, False, {})

    administrator = Credentials("AKIDEXAMPLE", "se'cret")  # type: ignore[assignment]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    home = tmp_path / "a home"
    home.mkdir()
    return StandIn(load(home, {}))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "aws" / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    return file


def test_a_shell_reads_the_lines_back(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("PYTHONPATH", "/else where")
    values = environment.credentials_and_endpoint(installation) | environment.plugin(installation)
    script = (
        environment.shell_lines(values)
        + "\n"
        + shlex.join([sys.executable, "-c", "import os, json; print(json.dumps(dict(os.environ)))"])
    )
    shown = json.loads(subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout)
    assert shown["AWS_SECRET_ACCESS_KEY"] == "se'cret"
    assert shown["PYTHONPATH"] == f"{installation.home}/plugin:/else where"
    assert "AWS_PROFILE" not in shown


def test_asking_twice_changes_nothing(installation: Installation) -> None:
    once = environment.plugin(installation, {"PYTHONPATH": "/a", "BOTOCORE_EXPERIMENTAL__PLUGINS": "x=y"})
    assert once["BOTOCORE_EXPERIMENTAL__PLUGINS"] == "x=y,clary_sts=clary_sts"
    assert environment.plugin(installation, once) == once


def test_a_proxy_is_passed_by(installation: Installation) -> None:
    assert "NO_PROXY" not in environment.plugin(installation, {})
    found = environment.plugin(installation, {"HTTP_PROXY": "http://proxy:3128"})
    assert found["NO_PROXY"] == "127.0.0.1,localhost"
    found = environment.plugin(installation, {"http_proxy": "http://proxy:3128", "no_proxy": "intranet,localhost"})
    assert found["no_proxy"] == "intranet,localhost,127.0.0.1"
    assert "no_proxy" not in environment.plugin(installation, {"http_proxy": "http://proxy:3128", "no_proxy": "*"})


def test_unset_takes_back_what_was_set(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.plugin(installation, {"PYTHONPATH": "/mine"}).items():
        monkeypatch.setenv(name, value)
    lines = environment.unset_lines(installation).splitlines()
    assert "export PYTHONPATH=/mine" in lines
    assert "unset BOTOCORE_EXPERIMENTAL__PLUGINS" in lines
    assert "unset AWS_SECRET_ACCESS_KEY" in lines


def test_a_profile_in_a_new_file(installation: Installation, config: Path) -> None:
    assert environment.write_profile(installation, "clary") == config
    parsed = configparser.ConfigParser()
    parsed.read(config)
    profile = parsed["profile clary"]
    assert profile["endpoint_url"] == "http://127.0.0.1:7788"
    assert profile["region"] == "us-east-1"
    words = shlex.split(profile["credential_process"])
    assert words[-2:] == ["--home", str(installation.home)]
    assert oct(config.stat().st_mode)[-3:] == "600"


def test_everything_else_in_the_file_stays(installation: Installation, config: Path) -> None:
    before = "# my notes\n[default]\nregion = eu-west-1\n\n[profile work]\nsso_session = x\n  s3 =\n    a = b\n"
    config.parent.mkdir()
    config.write_text(before)
    config.chmod(0o640)
    environment.write_profile(installation, "clary")
    once = config.read_text()
    assert once.startswith(before)
    with config.open("a") as file:
        file.write("output = json\n\n[profile last]\nregion = x\n")
    environment.write_profile(installation, "clary")
    text = config.read_text()
    assert text == once + "output = json\n\n[profile last]\nregion = x\n"
    assert oct(config.stat().st_mode)[-3:] == "640"


def test_a_profile_of_somebody_else_is_not_touched(installation: Installation, config: Path) -> None:
    config.parent.mkdir()
    config.write_text("[profile clary]\nregion = eu-west-1\n")
    with pytest.raises(Mistake, match="did not write"):
        environment.write_profile(installation, "clary")
    assert config.read_text() == "[profile clary]\nregion = eu-west-1\n"


def test_a_link_to_the_file_stays_a_link(installation: Installation, config: Path, tmp_path: Path) -> None:
    config.parent.mkdir()
    (tmp_path / "dotfile").write_text("")
    config.symlink_to(tmp_path / "dotfile")
    environment.write_profile(installation, "clary")
    assert config.is_symlink()
    assert "[profile clary]" in (tmp_path / "dotfile").read_text()


@pytest.mark.parametrize("name", ["", "a b", "x]", "a\nb"])
def test_names_that_are_none(installation: Installation, config: Path, name: str) -> None:
    with pytest.raises(Mistake, match="not a name"):
        environment.write_profile(installation, name)
    assert not config.exists()
