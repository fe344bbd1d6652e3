"""The doctor's findings, where the cause can be made here."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from clary.cli import doctor
from clary.cli.doctor import Check
from clary.cli.installation import Installation
from clary.core.settings import load


def find(home: Path, name: str, port: int = 0) -> Check:
    return next(check for check in doctor.examine(Installation(load(home, {}, port=port))) if check.name == name)


def test_a_good_machine(tmp_path: Path) -> None:
    checks = doctor.examine(Installation(load(tmp_path / "home", {}, port=0)))
    assert [check for check in checks if check.state == "fail"] == []
    assert json.loads(doctor.as_json(checks))["ok"] is True
    assert len(doctor.render(checks).splitlines()) >= len(checks)


def test_secrets_that_others_can_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    assert find(tmp_path, "Home").state == "ok"
    (secrets / "master.key").write_bytes(b"")
    (secrets / "master.key").chmod(0o644)
    found = find(tmp_path, "Home")
    assert found.state == "fail"
    assert found.remedy == f"chmod go-rwx {secrets / 'master.key'}"


def test_a_home_too_deep_for_sockets(tmp_path: Path) -> None:
    assert find(tmp_path / ("x" * 100), "Sockets").state == "fail"


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = find(tmp_path, "Port", taken.getsockname()[1])
    assert found.state == "fail"
    assert "--port" in found.remedy


def test_a_machine_without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find(tmp_path, "bubblewrap")
    assert found.state == "warn"
    assert "install bubblewrap" in found.remedy


def test_bubblewrap_that_the_kernel_forbids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(doctor, "_kernel", lambda name: "1" if "apparmor" in name else "")
    found = find(tmp_path, "bubblewrap")
    assert "uid map: Permission denied" in found.text
    assert "/etc/apparmor.d/bwrap" in found.remedy


def test_limits_without_control_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "parents", dict)
    found = find(tmp_path, "Limits")
    assert (found.state, found.remedy) == ("warn", "systemd-run --user --scope clary up")
    for folders, version in ((["/m", "/p", "/c"], 1), (["/u"] * 3, 2)):
        groups = dict(zip(("memory", "pids", "cpu"), folders, strict=True))
        monkeypatch.setattr(doctor, "parents", lambda groups=groups: groups)
        assert f"(version {version})" in find(tmp_path, "Limits").text


def test_a_proxy_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "intranet")
    assert find(tmp_path, "Proxy").state == "warn"
    monkeypatch.setenv("NO_PROXY", "intranet,127.0.0.1")
    assert find(tmp_path, "Proxy").state == "ok"
