"""Unix sockets in folders where a job can write: connected to as they are, wherever a link of their name would lead."""

from __future__ import annotations

import errno
import os
import stat


class Pinned:
    """The socket at ``path``, held for the body of a ``with`` statement, which is given a name to connect to.

    A job that put a link there would otherwise have the platform speak with another job's socket, or with the
    platform's own. Entering it raises ``OSError`` if there is no socket.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> str:
        if not hasattr(os, "O_PATH"):
            # Such a system has no sandbox for jobs either.
            self._check(os.lstat(self._path))
            return self._path
        self._file = os.open(self._path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._check(os.fstat(self._file))
        except OSError:
            os.close(self._file)
            raise
        return f"/proc/self/fd/{self._file}"

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISSOCK(status.st_mode):
            raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK), self._path)
