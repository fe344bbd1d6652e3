"""A log file that is set aside when it grows too large."""

from __future__ import annotations

import os
from pathlib import Path


class RotatingLog:
    """Appends bytes to ``path``; past ``limit`` bytes the file becomes ``path.1``, that one ``path.2``, up to ``keep``.

    A file is set aside at the end of a line only, so that no line is torn.
    """

    def __init__(self, path: Path, limit: int = 10 << 20, keep: int = 3) -> None:
        self.path = path
        self.limit = limit
        self.keep = keep
        self._open()

    def _open(self) -> None:
        self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size

    def write(self, data: bytes) -> None:
        """Append ``data``. A full disk loses the lines rather than the process that writes them."""
        if self._size + len(data) > self.limit and (end := data.find(b"\n") + 1):
            self._append(data[:end])
            self._rotate()
            data = data[end:]
        self._append(data)

    def _append(self, data: bytes) -> None:
        try:
            while data:
                written = os.write(self._fd, data)
                self._size += written
                data = data[written:]
        except OSError:
            return

    def _rotate(self) -> None:
        try:
            for number in range(self.keep, 0, -1):
                older = self.path.with_name(f"{self.path.name}.{number}")
                newer = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
                if newer.exists():
                    newer.replace(older)
        except OSError:
            # Without the right to rename, the file just grows on.
            self._size = 0
            return
        os.close(self._fd)
        self._open()

    def tail(self, lines: int) -> str:
        """The last ``lines`` lines."""
        with self.path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            return b"\n".join(file.read().splitlines()[-lines:]).decode("utf-8", "replace")
