"""Packages that a script asks for in its ``requirements.txt``: a cached, read-only folder laid over an environment.

Only wheels are installed, since this runs outside the sandbox and a source distribution runs code when it is built. The
standard
library is enough here: the agent uses it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

LOCK = "clary-requirements.txt"
"""In an environment's folder: what is installed there, one ``name==version`` a line."""

_OPTION = re.compile(
    r"^(--pre|--prefer-binary|--only-binary[ =]\S+|(-i|--index-url|--extra-index-url|-f|--find-links)[ =]https?://\S+)$"
)
_WHEEL = re.compile(r"^[A-Za-z0-9._-]+(\[[^]]*\])?\s*@\s*https://\S+\.whl(#\S+)?\s*(;.*)?$")
_NAMED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^]]*\])?\s*([=<>!~(;].*)?$")


class OverlayError(Exception):
    """The packages cannot be installed; the message says why and what to do."""


def build(overlays: str, uv: str, environment: str, python: str, content: str, note: Callable[[str], None]) -> str:
    """The folder with the packages that ``content`` (a requirements file) adds to ``environment``; empty if it adds
    none.

    The folder lies in ``overlays`` and is built once for each environment and content. ``note`` takes lines for the
    job's log.
    Raises ``OverlayError``.
    """
    lines = check(content)
    if not lines:
        return ""
    key = hashlib.sha256("\n".join([Path(environment).name, python, *lines]).encode()).hexdigest()[:32]
    root = Path(overlays)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = root / key
    with (root / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            note("Installing the packages of requirements.txt.")
            aside = Path(tempfile.mkdtemp(prefix=f"{key}.", dir=root))
            try:
                _install(aside, uv, environment, python, lines)
                (aside / "packages").rename(target)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    return str(target) if any(target.iterdir()) else ""


def check(content: str) -> list[str]:
    """The lines of a requirements file that mean something.

    Raises ``OverlayError`` for those that would read this machine's files or run code here.
    """
    lines = []
    for line in content.replace("\\\n", " ").splitlines():
        text = re.sub(r"(^|\s)#.*$", "", line).strip()
        text = re.sub(r"\s+--hash[ =]\S+", "", text)
        if not text:
            continue
        if not (_OPTION.match(text) or _WHEEL.match(text) or _NAMED.match(text)):
            raise OverlayError(
                f"The line {text!r} of requirements.txt is not taken: only packages by name and version, wheels by"
                " https address and"
                " index addresses are. Write the packages out, or put the code into the source folder."
            )
        lines.append(text)
    return lines


def _install(aside: Path, uv: str, environment: str, python: str, lines: list[str]) -> None:
    packages = aside / "packages"
    packages.mkdir()
    wanted = aside / "requirements.txt"
    wanted.write_text("\n".join(lines) + "\n", "utf-8")
    try:
        present = [line for line in (Path(environment) / LOCK).read_text("utf-8").splitlines() if line]
    except OSError:
        present = []
    named = {_normal(match[1]) for line in lines if (match := _NAMED.match(line))}
    # What is there and not asked for by name keeps its version, or the rest of the environment would not fit any more.
    constraints = aside / "constraints.txt"
    kept = [line for line in present if _normal(line.partition("==")[0]) not in named]
    constraints.write_text("\n".join(kept), "utf-8")
    # A version with a local part (torch's `+cpu`) is in no public index: it stays, and is not looked for.
    overrides = aside / "overrides.txt"
    overrides.write_text("\n".join(f"{line}; python_version < '3'" for line in kept if "+" in line), "utf-8")
    resolve = [
        uv,
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--no-annotate",
        "--only-binary",
        ":all:",
        "--python",
        python,
        "--override",
        str(overrides),
        str(wanted),
    ]
    pinned, problem = _run([*resolve, "--constraint", str(constraints)])
    if problem:
        pinned, problem = _run(resolve)
    if not problem:
        options = [line for line in lines if _OPTION.match(line)]
        missing = [line for line in pinned.splitlines() if line and not line.startswith("-") and line not in present]
        if not missing:
            return
        wanted.write_text("\n".join([*options, *missing]) + "\n", "utf-8")
        install = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--link-mode",
            "copy",
            "--compile-bytecode",
        ]
        _, problem = _run([*install, "--python", python, "--target", str(packages), "--requirement", str(wanted)])
    if problem:
        raise OverlayError(
            f"The packages of requirements.txt cannot be installed: {problem} Only wheels are taken; if this"
            " machine has no internet, put"
            " the wheels into a folder and name it in UV_FIND_LINKS."
        )


def _run(command: list[str]) -> tuple[str, str]:
    try:
        done = subprocess.run(
            command, env=uv_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        return "", f"{command[0]}: {error.strerror}."
    if done.returncode == 0:
        return done.stdout, ""
    return "", " ".join(done.stderr.split())[-700:] or f"exit code {done.returncode}."


def uv_environment() -> dict[str, str]:
    """Variables for ``uv``: pip's ``PIP_FIND_LINKS`` is handed on, which uv does not read by itself."""
    environment = dict(os.environ)
    if "PIP_FIND_LINKS" in environment and "UV_FIND_LINKS" not in environment:
        environment["UV_FIND_LINKS"] = ",".join(environment["PIP_FIND_LINKS"].split())
    environment.pop("VIRTUAL_ENV", None)
    environment.pop("PYTHONPATH", None)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).strip().lower()
