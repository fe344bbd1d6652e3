"""Running the user's training program as a process of its own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from types import FrameType
from typing import IO

from clary_runtimes import standby
from clary_runtimes.contract.errors import ALGORITHM_FAILED, REASON_LIMIT, SUCCESS, UserError, shorten, write_failure
from clary_runtimes.contract.training import TrainingInput
from clary_runtimes.frameworks.environment import script_environment
from clary_runtimes.frameworks.source import MODULES, training_source

_KEPT_LINES = 200
_TRACEBACK = "Traceback (most recent call last):"


def run_script(job: TrainingInput) -> int:
    """Run the program that ``sagemaker_program`` names, in its source folder; returns the exit status of this process.

    A failure leaves ``ExecuteUserScriptError`` with the traceback for ``FailureReason``; SIGTERM is passed on, and a
    script that ends because of it leaves no such reason. Raises ``UserError`` if there is no program.
    """
    script = script_environment(job)
    if not script.program:
        raise UserError("Hyperparameter sagemaker_program is not set: there is no script to run")
    source = training_source(job.folders, script.submit_directory)
    command = _command(source, script.program, script.arguments, script.prefix)
    for folder in (job.folders.model, job.folders.output_data):
        folder.mkdir(parents=True, exist_ok=True)
    # Where the interpreter lies is this machine's matter.
    shown = shlex.join("python3" if word == sys.executable else word for word in command)
    print(f"Invoking script with the following command:\n\n{shown}\n", flush=True)
    status, errors, stopped = _run(command, source, {**os.environ, **script.variables, **_python(source)})
    if status == 0:
        print("Reporting training SUCCESS", flush=True)
        return SUCCESS
    if stopped:
        return 128 + signal.SIGTERM if status == -signal.SIGTERM else status
    reason = failure_reason(status, errors, shown)
    print(f"Reporting training FAILURE\n{reason}", file=sys.stderr, flush=True)
    write_failure(job.folders.failure, reason)
    return ALGORITHM_FAILED


def failure_reason(status: int, errors: str, command: str) -> str:
    """The text for the failure file, in the form of the official toolkit.

    The message is shortened in its middle so that the whole fits into what ``FailureReason`` shows.
    """
    code = 128 - status if status < 0 else status
    extra = 'ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"\n' if status == -signal.SIGKILL else ""
    frame = f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage ""\n{extra}Command "{shorten(command, 200)}"'
    # The platform puts "AlgorithmError: " before and ", exit code: 1" behind.
    message = shorten(errors.strip(), REASON_LIMIT - len(frame) - 40)
    return frame.replace('ErrorMessage ""', f'ErrorMessage "{message}"', 1)


def _command(source: Path, program: str, arguments: list[str], prefix: list[str]) -> list[str]:
    if prefix and not program.endswith(".py"):
        raise UserError(f"Only a script in Python can be distributed, and the entry point is {program}")
    if program.endswith(".sh") or not program.endswith(".py"):
        path = source / program
        if not path.is_file():
            raise UserError(f"The entry point {program} is not in the source folder")
        if not os.access(path, os.X_OK):
            try:
                path.chmod(path.stat().st_mode | 0o111)
            except OSError:  # the folder may be mounted read-only
                return ["/bin/sh", program, *arguments]
        return ["/bin/sh", "-c", shlex.join([f"./{program}", *arguments])]
    if (source / "setup.py").is_file():
        module = program.removesuffix(".py").replace("/", ".")
        return [*(prefix or [sys.executable]), "-m", module, *arguments]
    if not (source / program).is_file():
        raise UserError(f"The entry point {program} is not in the source folder")
    return [*(prefix or [sys.executable]), program, *arguments]


def _python(source: Path) -> dict[str, str]:
    path = [str(source), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)), str(MODULES)]
    return {"PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str, bool]:
    """The exit status (negative: the signal), what standard error says of the failure, and whether SIGTERM came."""
    stopped = threading.Event()
    children: list[subprocess.Popen[bytes] | standby.Forked] = []

    def forward(number: int, frame: FrameType | None) -> None:
        stopped.set()
        for child in children:
            child.send_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, forward)
    try:
        with standby.start(command, folder, environment) as process:
            children.append(process)
            if stopped.is_set():  # it came before there was a child to pass it to
                process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            lines = _tee(process.stderr)
            status = process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
    return status, _last_error(lines), stopped.is_set()


def _tee(stream: IO[bytes]) -> list[str]:
    """Pass standard error on as it comes, and keep its last lines."""
    kept: deque[bytes] = deque(maxlen=_KEPT_LINES)
    for line in stream:
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
        kept.append(line)
    return [line.decode("utf-8", errors="replace") for line in kept]


def _last_error(lines: list[str]) -> str:
    """The last traceback among ``lines`` with what follows it; without one, the last ten lines."""
    for number in range(len(lines) - 1, -1, -1):
        if _TRACEBACK in lines[number]:
            return "".join(lines[number:])
    return re.sub(r"\n{2,}", "\n", "".join(lines[-10:]))
