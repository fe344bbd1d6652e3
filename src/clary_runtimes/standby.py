"""``python -m clary_runtimes.standby MODULE …``: import modules, wait for a job, and become its process.

The job comes as one JSON document on standard input: ``{"command": ["python", "-m", …], "environment": {…}}``. What a
running interpreter can be without a difference (a module, a script or ``-c`` code in this Python), it is; anything else
replaces the process, as ``exec`` does.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import IO, Any

READY = b"\0ready\n"
"""What standard output says when the imports are done."""

is_standby = False
"""Whether this process was one that waited, so that its forks have all that it has imported."""

_READ_BY_LIBRARIES = (
    *("PYTHON", "LD_", "OMP_", "OPENBLAS_", "MKL_", "KMP_", "NUMEXPR_", "NUMBA_", "CUDA_", "NCCL_"),
    *("TORCH", "PYTORCH_", "TF_", "XLA_", "MALLOC_", "GLIBC_", "LC_", "LANG", "TZ"),
)
"""How variables begin that count when the interpreter or a library starts, and not after."""


def main() -> None:
    """Wait, and run what comes. Ends the process."""
    began = dict(os.environ)
    for name in (*_ours(), *sys.argv[1:]):
        # What cannot be imported says so in the job that needs it.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    sys.stderr.flush()
    sys.stdout.flush()
    os.write(1, READY)
    job = json.loads(sys.stdin.buffer.read())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open
    # In the module that others import, which is not the one that `python -m` runs.
    vars(importlib.import_module("clary_runtimes.standby"))["is_standby"] = True
    # Some libraries set variables for others when they are imported.
    theirs = {name: value for name, value in os.environ.items() if began.get(name) != value}
    os.environ.clear()
    os.environ.update(began)
    become(job["command"], job["environment"], theirs)


def _ours() -> list[str]:
    """The modules that run this image's jobs."""
    from clary_runtimes.algorithms import registry

    algorithm = registry.find(os.environ.get("CLARY_RUNTIME", ""))
    trains = [algorithm.training_module] if algorithm is not None else []
    return ["clary_runtimes.train", "clary_runtimes.frameworks.script", *trains]


def become(command: Sequence[str], environment: Mapping[str, str], imported: Mapping[str, str] | None = None) -> None:
    """Go on as ``command`` with ``environment``; does not return.

    ``imported`` are variables that come with what this process has imported.
    """
    changed = {name for name in {*os.environ, *environment} if os.environ.get(name) != environment.get(name)}
    same = not any(name.startswith(_READ_BY_LIBRARIES) and name != "PYTHONPATH" for name in changed)
    before = os.environ.get("PYTHONPATH", "")
    os.environ.clear()
    os.environ.update(environment)
    program = _program(command) if same else None
    if program is None:
        try:
            os.execvpe(command[0], list(command), dict(environment))
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
            os._exit(127 if isinstance(error, FileNotFoundError) else 126)
    for name, value in (imported or {}).items():
        os.environ.setdefault(name, value)
    _path(before, environment.get("PYTHONPATH", ""))
    sys.exit(_run(*program, list(command)))


def start(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes] | Forked:
    """Start ``command`` in ``folder``, with a pipe for its standard error.

    It is a fork of this process if that is a standby, with everything imported.
    """
    if is_standby and _program(command, folder) is not None:
        return Forked(command, folder, environment)
    return subprocess.Popen(command, cwd=folder, env=dict(environment), stderr=subprocess.PIPE)


class Forked:
    """A child that has all that this process has imported; otherwise as ``subprocess.Popen``."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            try:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                os.dup2(writer, 2)
                os.close(reader)
                os.close(writer)
                os.chdir(folder)
                become(command, environment)
            except SystemExit as end:
                _leave(end)
            except BaseException:  # noqa: BLE001 - nothing of the parent's stack may run in the child
                sys.excepthook(*sys.exc_info())
                _leave(SystemExit(1))
        os.close(writer)
        self.stderr: IO[bytes] = os.fdopen(reader, "rb")

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        self.stderr.close()

    def send_signal(self, number: int) -> None:
        """Send a signal to the child, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait for its end: the exit status, or minus the signal that ended it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _leave(end: SystemExit) -> None:
    """End a forked child as ``end`` says."""
    from clary_runtimes.contract.leaving import leave

    code = end.code
    if isinstance(code, str):
        print(code, file=sys.stderr)
    leave(code if isinstance(code, int) else bool(code))


def _program(command: Sequence[str], folder: Path | None = None) -> tuple[str, str] | None:
    """What ``command`` runs in this Python: ``("module", name)``, ``("script", path)`` or ``("code", text)``.

    None if it is something else.
    """
    python, ours = shutil.which(command[0]), Path(sys.executable)
    if python is None or len(command) < 2 or not (ours.samefile(python) and ours.parent.samefile(Path(python).parent)):
        return None
    if command[1] in ("-m", "-c") and len(command) > 2:
        return ("module" if command[1] == "-m" else "code", command[2])
    if command[1].startswith("-") or not ((folder or Path()) / command[1]).is_file():
        return None
    return "script", command[1]


def _path(before: str, after: str) -> None:
    """Let ``sys.path`` be what ``PYTHONPATH`` makes of it."""
    known = [each for each in before.split(os.pathsep) if each]
    rest = [each for each in sys.path[1:] if each not in known]
    sys.path[1:] = [*(each for each in after.split(os.pathsep) if each), *rest]
    importlib.invalidate_caches()


def _run(kind: str, what: str, command: list[str]) -> int:
    """Run a program as ``__main__``; the exit status of one that ends by itself."""
    module = ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.orig_argv = command
    if kind == "module":
        sys.path[0] = str(Path.cwd())
        sys.argv = ["-m", *command[3:]]
        code = _of_module(module, what)
    elif kind == "script":
        path = str(Path(what).absolute())
        sys.path[0] = str(Path(what).resolve().parent)
        sys.argv = list(command[1:])
        module.__file__ = path
        with tokenize.open(path) as file:
            code = _compiled(file.read(), path)
    else:
        sys.path[0] = ""
        sys.argv = ["-c", *command[3:]]
        code = _compiled(what, "<string>")
    if code is None:
        return 1
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 - it is the job's program
    except Exception as error:  # noqa: BLE001 - it is shown as the interpreter shows it, without the frame of this file
        _show(error)
        return 1
    return 0


def _of_module(module: ModuleType, name: str) -> CodeType | None:
    """The code of what ``python -m`` runs, with the names that it expects in ``module``."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except (ImportError, ValueError) as error:
        print(f"{sys.executable}: Error while finding module specification for {name!r} ({error})", file=sys.stderr)
        return None
    loader: Any = spec.loader if spec is not None else None
    code = loader.get_code(spec.name) if spec is not None and hasattr(loader, "get_code") else None
    if spec is None or code is None:
        print(f"{sys.executable}: No module named {name}", file=sys.stderr)
        return None
    module.__spec__, module.__loader__, module.__package__ = spec, loader, spec.parent
    if spec.origin:
        module.__file__ = sys.argv[0] = spec.origin
    return code  # type: ignore[no-any-return]


def _compiled(text: str, name: str) -> CodeType | None:
    try:
        return compile(text, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        _show(error)
        return None


def _show(error: Exception) -> None:
    frames = error.__traceback__.tb_next if error.__traceback__ is not None else None
    sys.excepthook(type(error), error.with_traceback(frames), frames)


if __name__ == "__main__":
    main()
