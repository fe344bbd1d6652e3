"""Built environments: one folder for each locked set of packages, made once with ``uv`` and never changed.

A build runs in a process of its own, so that nobody waits for it but the job that needs it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uv import find_uv_bin

from clary.compute.images.catalog import Image, Match, find
from clary.compute.images.overlays import LOCK, uv_environment
from clary.compute.spec import ImageSpec
from clary.core.files import write_private
from clary.core.locks import is_held
from clary.core.settings import Settings

State = Literal["ready", "building", "failed", "absent"]
RETRY_S = 30.0
"""Seconds after a failed build before ``ensure`` tries again."""
_RUNTIMES = Path(__file__).parents[3] / "clary_runtimes"


class BuildError(Exception):
    """An environment cannot be built; the message says why and what to do."""


class ImageNotReady(Exception):
    """The environment of an image is not built yet."""


@dataclass(frozen=True)
class Progress:
    """How far the environment of an image is. ``message`` is the newest line of the build, or why it failed."""

    state: State
    message: str = ""


class ImageStore:
    """The environments in ``settings.cache``; installations of one user share them."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.cache / "images"
        self._settings = settings

    def state(self, uri: str) -> State:
        """Whether the image's environment is built. Raises ``ImageNotFound`` and, in strict mode, ``ImageNotExact``."""
        return self.progress(uri).state

    def progress(self, uri: str) -> Progress:
        """How far the image's environment is, with the reason of a failure. Raises as ``state`` does."""
        return self.progress_of(find(uri, strict=self._settings.strict).image)

    def progress_of(self, image: Image) -> Progress:
        """The same for an image of the catalogue."""
        if self._is_built(image):
            return Progress("ready")
        line = _last_line(self._file(image, "log"))
        if self._building(image):
            return Progress("building", line)
        failed = self._file(image, "failed")
        with contextlib.suppress(OSError):
            return Progress("failed", failed.read_text("utf-8").strip())
        return Progress("absent")

    def failures(self, images: Iterable[Image], since: float) -> list[tuple[Image, str]]:
        """Which of these images could not be built, the last time at ``since`` or later, and why."""
        found = []
        for image in images:
            with contextlib.suppress(OSError):
                if self._file(image, "failed").stat().st_mtime >= since:
                    found.append((image, self._file(image, "failed").read_text("utf-8").strip()))
        return found

    def ensure(self, uri: str) -> Progress:
        """Start to build the image's environment if that is not under way or done, and say how far it is. Returns at
        once.

        A failed build is tried again after ``RETRY_S``. Raises ``ImageNotFound`` and ``ImageNotExact``.
        """
        image = find(uri, strict=self._settings.strict).image
        progress = self.progress_of(image)
        if progress.state in ("ready", "building"):
            return progress
        if progress.state == "failed" and time.time() - self._file(image, "failed").stat().st_mtime < RETRY_S:
            return progress
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._take(image)
        if lock is None:
            return self.progress_of(image)
        try:
            # Taken here and inherited: from now on, and until the builder's end however it comes, the state is
            # "building".
            self._file(image, "failed").unlink(missing_ok=True)
            with self._file(image, "log").open("wb") as log:
                command = [
                    sys.executable,
                    "-m",
                    "clary.compute.images.build",
                    str(self._settings.cache),
                    image.name,
                    str(lock),
                ]
                shell = ["/bin/sh", "-c", '"$@" &', "sh", *command]
                subprocess.run(
                    shell,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),
                    start_new_session=True,
                    check=True,
                    cwd="/",
                )
        finally:
            os.close(lock)
        return Progress("building")

    def spec(self, uri: str) -> ImageSpec:
        """The image as a job names it. Raises ``ImageNotReady`` unless its environment is built, ``ImageNotFound``,
        ``ImageNotExact``."""
        match: Match = find(uri, strict=self._settings.strict)
        environment = self.environment(match.image)
        if not environment.is_dir():
            raise ImageNotReady(f"The environment of {uri} is not built yet; run `clary images pull {uri}`.")
        return match.spec(environment, base_folders(environment))

    def environment(self, image: Image) -> Path:
        """Where the image's environment lies once it is built."""
        return self._folder / image.digest

    def build(self, image: Image, say: Callable[[str], None] = lambda line: None, lock: int | None = None) -> Path:
        """Build the environment now, unless it exists, and return its folder. ``say`` takes lines of progress; ``lock``
        is a held lock.

        Raises ``BuildError``.
        """
        target = self.environment(image)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._holding(image, lock):
            if not target.is_dir():
                self._make(image, target, say)
            if not self._is_built(image):
                # Code that is not compiled here is compiled by each job: slower, and no reason to have none.
                _compile(image, target, say)
                write_private(self._file(image, "compiled"), _edition(image))
        return target

    def _is_built(self, image: Image) -> bool:
        if not self.environment(image).is_dir():
            return False
        if not image.compiles:
            return True
        with contextlib.suppress(OSError):
            return self._file(image, "compiled").read_text("utf-8") == _edition(image)
        return False

    def _make(self, image: Image, target: Path, say: Callable[[str], None]) -> None:
        for left in self._folder.glob(f"{image.digest}.*/"):
            shutil.rmtree(left, ignore_errors=True)  # a builder was killed
        aside = Path(tempfile.mkdtemp(prefix=f"{image.digest}.", dir=self._folder))
        try:
            _build(image, aside / "environment", target, say)
            # A virtual environment names its own folder in few places, and those name the target already.
            (aside / "environment").rename(target)
        except BuildError as error:
            write_private(self._file(image, "failed"), str(error))
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        self._file(image, "failed").unlink(missing_ok=True)

    def _file(self, image: Image, kind: str) -> Path:
        return self._folder / f"{image.digest}.{kind}"

    def _take(self, image: Image) -> int | None:
        lock = os.open(self._file(image, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    def _building(self, image: Image) -> bool:
        return is_held(self._file(image, "lock"))

    @contextlib.contextmanager
    def _holding(self, image: Image, lock: int | None) -> Iterator[None]:
        own = os.open(self._file(image, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) if lock is None else lock
        try:
            fcntl.flock(own, fcntl.LOCK_EX)
            yield
        finally:
            os.close(own)


def _edition(image: Image) -> str:
    """Names the code that is compiled: it is compiled again when Clary's own has changed."""
    folder = _RUNTIMES.parent.joinpath(*image.compiles.split(".")).parent
    stamps = [(file.name, stat.st_mtime_ns, stat.st_size) for file in folder.glob("*.py") for stat in [file.stat()]]
    return json.dumps(sorted(stamps))


def _compile(image: Image, target: Path, say: Callable[[str], None]) -> None:
    say(f"Compiling code for {image.name}.")
    done = subprocess.run(
        [str(target / "bin" / "python"), "-m", image.compiles],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(_RUNTIMES.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        say(f"It cannot be compiled now: {done.stderr.strip()[-300:]}")


def base_folders(environment: Path) -> list[str]:
    """Folders outside the environment that its interpreter needs: the Python installation that it was made from."""
    try:
        document: dict[str, str] = json.loads((environment / "clary-base.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return sorted({document["base_prefix"]} - {"/usr", "/usr/local"})


def _build(image: Image, folder: Path, target: Path, say: Callable[[str], None]) -> None:
    uv = find_uv_bin()
    python = sys.executable if f"{sys.version_info.major}.{sys.version_info.minor}" == image.python else image.python
    say(f"Building the environment of {image.name} ({len(image.requirements)} packages).")
    _run([uv, "venv", "--no-project", "--python", python, "--prompt", image.name, str(folder)], image, say)
    lock = folder / LOCK
    lock.write_text("\n".join(image.requirements) + "\n", "utf-8")
    if image.requirements:
        install = [
            uv,
            "pip",
            "install",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--compile-bytecode",
            "--python",
            str(folder / "bin" / "python"),
        ]
        local = [each for each in image.requirements if "+" in each]
        if local and not _from_folders([*install, *local]):
            _run([*install, "--index-url", image.index, *local], image, say)
        _run([*install, "--requirement", str(lock)], image, say)
    base = subprocess.run(
        [
            str(folder / "bin" / "python"),
            "-I",
            "-c",
            "import json, sys; print(json.dumps({'base_prefix': sys.base_prefix}))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    (folder / "clary-base.json").write_text(base.stdout, "utf-8")
    for file in (folder / "bin").iterdir():
        if file.is_file() and not file.is_symlink():
            with contextlib.suppress(UnicodeDecodeError):
                text = file.read_text("utf-8")
                if str(folder) in text:
                    file.write_text(text.replace(str(folder), str(target)), "utf-8")
    if _RUNTIMES.is_dir():
        command = [str(folder / "bin" / "python"), "-I", "-m", "compileall", "-q", str(_RUNTIMES)]
        subprocess.run(
            command, capture_output=True, check=False
        )  # saves a little time at each start; a read-only package stays as it is
    say(f"Built the environment of {image.name}.")


def _from_folders(install: list[str]) -> bool:
    """Whether the packages come from folders of this machine (``UV_FIND_LINKS``), where no index is needed."""
    done = subprocess.run([*install, "--no-index"], env=uv_environment(), capture_output=True, check=False)
    return done.returncode == 0


def _run(command: list[str], image: Image, say: Callable[[str], None]) -> None:
    lines: list[str] = []
    try:
        process = subprocess.Popen(
            command,
            env=uv_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except OSError as error:
        raise BuildError(f"{command[0]}: {error.strerror}") from error
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            say(lines[-1])
    if process.returncode:
        raise BuildError(_explain(image, "\n".join(lines[-20:])))


def _explain(image: Image, text: str) -> str:
    short = " ".join(text.split())[-600:]
    if any(
        each in text
        for each in (
            "error sending request",
            "Failed to fetch",
            "dns error",
            "no internet",
            "offline",
            "Could not connect",
        )
    ):
        return (
            f"The packages of {image.name} cannot be fetched: {short} If this machine has no internet, run `clary"
            f" images export {image.name}`"
            " on one that has, and `clary images import` here; or put the wheels into a folder and name it in"
            " UV_FIND_LINKS."
        )
    if "No interpreter found" in text or "No Python" in text:
        return (
            f"There is no Python {image.python} for {image.name}: {short} Install it, for example with `uv python"
            f" install {image.python}`."
        )
    return f"The environment of {image.name} cannot be built: {short}"


def _last_line(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 4096))
            lines = [line.strip() for line in stream.read().decode("utf-8", "replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return lines[-1] if lines else ""
