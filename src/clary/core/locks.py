"""Locks that tell whether somebody is at work: the kernel gives one back when its holder dies, however it dies."""

from __future__ import annotations

import os


class Held:
    """Holds the lock of the file at ``path`` for the body of a ``with`` statement, after whoever else holds it: other
    threads, and other processes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path

    def __enter__(self) -> None:
        import fcntl  # see below

        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


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
