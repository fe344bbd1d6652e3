"""What the logs of the processes say has happened lately, read from their ends."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

LARGEST_READ = 2 << 20
"""Bytes of the end of a log that are looked through; what was before is left out."""

_ERROR = re.compile(rb"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} (?:ERROR|CRITICAL) ", re.MULTILINE)
_DEATH = re.compile(rb"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\S+) ended with ", re.MULTILINE)


def errors(log: Path, since: float) -> int:
    """How many lines at ERROR and above a process has logged since then."""
    begun = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since)).encode()
    # Times of this form are in order as they are written.
    return sum(match[1] >= begun for match in _found(log, _ERROR))


def deaths(log: Path, since: float) -> Counter[str]:
    """How often each process has ended and was started again since then, by the supervisor's log."""
    begun = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since)).encode()
    return Counter(match[2].decode() for match in _found(log, _DEATH) if match[1] >= begun)


def _found(log: Path, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - LARGEST_READ))
            text = file.read(LARGEST_READ)
    except FileNotFoundError:
        return
    yield from pattern.finditer(text)
