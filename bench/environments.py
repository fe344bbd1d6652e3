"""Virtual environments for what is measured, each made once a machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

IMAGES = Path(__file__).parents[1] / "src" / "clary" / "images"


def environment(image: str, beside: tuple[str, ...]) -> Path:
    """The Python of an environment with the locked packages of an image, and others."""
    locked = tomllib.loads((IMAGES / f"{image}.toml").read_text("utf-8"))["requirements"]
    return environment_of(image, [*locked, *beside])


def environment_of(name: str, wanted: Sequence[str], overrides: Sequence[str] = ()) -> Path:
    """The Python of an environment with these packages and what they need; ``overrides`` replace what they ask for."""
    digest = hashlib.sha256("\n".join([sys.version, *wanted, *overrides]).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("CLARY_CACHE") or Path.home() / ".cache" / "clary") / "bench-envs"
    folder = cache / f"{name}-{digest}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes may want it at the same time
        if not (folder / "ready").exists():
            _make(folder, wanted, overrides)
    return folder / "bin" / "python"


def _make(folder: Path, wanted: Sequence[str], overrides: Sequence[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [
        *uv,
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        str(folder / "bin" / "python"),
        *wanted,
    ]
    if overrides:
        (folder / "overrides").write_text("\n".join(overrides))
        install += ["--override", str(folder / "overrides")]
    subprocess.run(install, check=True)
    (folder / "ready").touch()
