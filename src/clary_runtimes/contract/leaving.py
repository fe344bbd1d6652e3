"""The end of a process without the interpreter's own."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from typing import NoReturn


def leave(status: int) -> NoReturn:
    """End the process with this status, after what a Python program does at its end: threads are waited for, exit
    functions run, output is written.

    The interpreter itself is not taken down: a thread of pyarrow's that lets go of a Python object just then aborts the
    process, and a job that has trained its model would have failed.
    """
    with contextlib.suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the interpreter's end does
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
