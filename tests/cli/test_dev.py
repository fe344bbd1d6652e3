"""The script ``dev``, as far as it can be tried without installing anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def dev(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ROOT / "dev"), *words], capture_output=True, text=True, check=False, cwd="/")


def test_the_scripts_are_posix_shell() -> None:
    for script in (ROOT / "dev", ROOT / ".ci" / "run"):
        assert script.read_text().startswith("#!/bin/sh\n")
        subprocess.run(["/bin/sh", "-n", str(script)], check=True)


def test_help_and_mistakes() -> None:
    assert "usage: ./dev COMMAND" in dev("help").stdout
    assert dev("nonsense").returncode == 2


def test_shards_are_found() -> None:
    assert "docs" in dev("shards").stdout.split()


def test_the_lock_file_names_no_other_registry() -> None:
    registries = {line for line in (ROOT / "uv.lock").read_text().splitlines() if "registry = " in line}
    assert registries == {'source = { registry = "https://pypi.org/simple" }'}
