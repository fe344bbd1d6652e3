"""What the agent writes down: events for the platform, the job's log, and the metrics found in it."""

from __future__ import annotations

import os
import time
from _socket import AF_UNIX, SOCK_DGRAM, socket

from clary.compute.agent.documents import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from clary.compute.spec import MetricDefinition

LONGEST_LINE = 256 * 1024
"""Bytes of a log line; CloudWatch Logs takes events up to 256 KiB."""
LONGEST_MATCHED = 8 * 1024
"""Bytes of a line that metric expressions see: some expressions take quadratic time, or worse."""
SLOWEST_MATCH_S = 2.0
TAIL = 60

_DURABLE = frozenset({"running", "serving", "completed", "failed", "stopped"})


class Journal:
    """The events of one attempt: JSON lines, appended, each followed by a datagram that wakes the control plane."""

    def __init__(self, folder: str, id: str, attempt: int, wake: str) -> None:
        self._id = id.encode()
        self._attempt = attempt
        self._wake = wake
        self._file = os.open(
            os.path.join(folder, "events.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        self._reserve = os.path.join(folder, "reserve")
        try:
            with open(self._reserve, "wb") as file:
                file.write(
                    b"\0" * 65536
                )  # given back when the disk is full, so that the job's end can still be written
        except OSError:
            pass

    def event(self, name: str, **details: object) -> None:
        """Append the event ``name``. Raises ``OSError`` if it cannot be written."""
        said = {key: printable(value) if isinstance(value, str) else value for key, value in details.items()}
        document = {"time": round(time.time(), 3), "event": name, "attempt": self._attempt, **said}
        line = (dumps(document) + "\n").encode()
        try:
            os.write(self._file, line)
        except OSError:
            if os.path.exists(self._reserve):
                os.unlink(self._reserve)
            os.write(self._file, b"\n" + line)
        if name in _DURABLE:
            os.fsync(self._file)
        if self._wake:
            try:
                wake = socket(AF_UNIX, SOCK_DGRAM)
                try:
                    wake.setblocking(False)
                    wake.sendto(self._id, self._wake)
                finally:
                    wake.close()
            except OSError:
                pass  # nobody listens: the control plane looks at the folder when it is back


class Log:
    """The job's log. Bytes of the process go in; lines with a time come out, and metrics with them."""

    def __init__(self, folder: str, metrics: Sequence[MetricDefinition] = (), name: str = "log") -> None:
        self._file = os.open(os.path.join(folder, name), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._metrics_file = os.path.join(folder, "metrics.jsonl")
        end_line(self._file)
        self._pending = b""
        self.tail: list[str] = []
        """The last lines of the process."""
        self.full = False
        """Whether the disk was too full for a line."""
        self._metrics = metrics
        self._patterns: list[tuple[str, re.Pattern[str]]] | None = None

    def note(self, text: str) -> None:
        """Write a line of the platform's own."""
        self._write([printable(text).replace("\n", " ")])

    def feed(self, data: bytes) -> None:
        """Take output of the process, cut anywhere. A carriage return ends a line too, as progress bars use it."""
        data = self._pending + data
        if b"\r" in data:
            # A return at the very end may be the first half of a line end.
            ended = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n")
            data = data[:-1].replace(b"\r", b"\n") + b"\r" if ended else data.replace(b"\r", b"\n")
        *lines, self._pending = data.split(b"\n")
        while len(self._pending) > LONGEST_LINE:
            lines.append(self._pending[:LONGEST_LINE])
            self._pending = self._pending[LONGEST_LINE:]
        if lines:
            self._lines(lines)

    def flush(self) -> None:
        """Write a last line that has no end."""
        if self._pending:
            pending, self._pending = self._pending.rstrip(b"\r"), b""
            self._lines([pending])

    def _lines(self, lines: list[bytes]) -> None:
        texts = []
        for line in lines:
            for start in range(0, len(line) or 1, LONGEST_LINE):
                texts.append(line[start : start + LONGEST_LINE].decode("utf-8", "replace"))
        self.tail = (self.tail + texts[-TAIL:])[-TAIL:]
        self._write(texts)
        if self._metrics:
            self._read_metrics(texts)

    def _write(self, texts: list[str]) -> None:
        now = int(time.time() * 1000)
        data = memoryview("".join([f"{now} {text}\n" for text in texts]).encode())
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            self.full = True

    def _compile(self) -> list[tuple[str, re.Pattern[str]]]:
        import re

        patterns = []
        for metric in self._metrics:
            try:
                patterns.append((metric.name, re.compile(metric.regex)))
            except re.error as error:
                self.note(f"The metric {metric.name!r} is not read: its regular expression is wrong ({error}).")
        return patterns

    def _read_metrics(self, texts: list[str]) -> None:
        if self._patterns is None:
            self._patterns = self._compile()
        found = []
        for text in texts:
            for index, (name, pattern) in enumerate(self._patterns):
                began = time.perf_counter()
                match = pattern.search(text[:LONGEST_MATCHED])
                if time.perf_counter() - began > SLOWEST_MATCH_S:
                    del self._patterns[index]
                    self.note(
                        f"The metric {name!r} is not read any more: its regular expression took more than"
                        f" {SLOWEST_MATCH_S:g} s for a line."
                    )
                    break
                if match is not None and pattern.groups and match[1] is not None:
                    try:
                        value = float(match[1])
                    except ValueError:
                        continue
                    found.append(dumps({"name": name, "value": value, "time": round(time.time(), 3)}) + "\n")
        if found:
            try:
                file = os.open(self._metrics_file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                try:
                    end_line(file)
                    os.write(file, "".join(found).encode())
                finally:
                    os.close(file)
            except OSError:
                self.full = True


def printable(text: str) -> str:
    """``text`` with question marks for what UTF-8 cannot say: names of files are any bytes."""
    return text.encode("utf-8", "replace").decode()


def end_line(file: int) -> None:
    """End the last line of a file that an agent was killed, or a machine stopped, while writing."""
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            os.write(file, b"\n")
    except OSError:
        pass  # the disk is full: what follows cannot be written either
