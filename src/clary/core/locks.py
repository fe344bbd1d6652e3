"""Locks that tell whether somebody is at work: the kernel gives one back when its holder dies, however it dies."""

from __future__ import annotations

import os


def is_held(path: str | os.PathLike[str]) -> bool:
    """Whether a process holds the lock of the file at ``path``; not if there is no such file."""
    import fcntl  # here, since a job's agent, which starts quickly, needs it only beside other agents

    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
