"""Numbers in the text format that Prometheus reads, and what a process tells of itself.

The library prometheus-client was measured and not taken: a counter and a histogram cost 20 µs a request with it and
0.24 s of each start, and what several processes count would have to be put together all the same.

Reference: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Kind = Literal["counter", "gauge", "histogram", "summary"]
Labels = Mapping[str, str]

_STARTED = time.time()
_LOADED = time.process_time()


class Sample(NamedTuple):
    """One number. ``suffix`` is what its name has beyond that of its family: ``_bucket``, ``_sum``, ``_count``."""

    labels: Labels
    value: float
    suffix: str = ""


class Family(NamedTuple):
    """A metric: numbers of one name that their labels tell apart."""

    name: str
    kind: Kind
    help: str
    samples: Sequence[Sample]


def single(name: str, kind: Kind, text: str, value: float) -> Family:
    """A metric with one number."""
    return Family(name, kind, text, [Sample({}, value)])


def labelled(families: Iterable[Family], **labels: str) -> list[Family]:
    """The same with further labels on every number."""
    return [
        family._replace(samples=[each._replace(labels={**labels, **each.labels}) for each in family.samples])
        for family in families
    ]


def merged(families: Iterable[Family]) -> list[Family]:
    """Families of one name as one: the format has each name once."""
    found: dict[str, Family] = {}
    for family in families:
        before = found.get(family.name)
        found[family.name] = family if before is None else before._replace(samples=[*before.samples, *family.samples])
    return list(found.values())


def render(families: Iterable[Family]) -> bytes:
    """The text, in UTF-8."""
    lines = []
    for name, kind, text, samples in merged(families):
        lines.append(f"# HELP {name} {_escaped(text)}\n# TYPE {name} {kind}\n")
        for labels, value, suffix in samples:
            told = ",".join(f'{key}="{_quoted(each)}"' for key, each in labels.items())
            lines.append(f"{name}{suffix}{f'{{{told}}}' if told else ''} {_number(value)}\n")
    return "".join(lines).encode("utf-8", "replace")


def plain(families: Iterable[Family]) -> list[Any]:
    """Families as JSON has them, for another process."""
    return [[*family[:3], [[dict(each.labels), each.value, each.suffix] for each in family[3]]] for family in families]


def read(document: Iterable[Any]) -> list[Family]:
    """What ``plain`` gave."""
    return [Family(name, kind, text, [Sample(*each) for each in samples]) for name, kind, text, samples in document]


def usage() -> list[Family]:
    """What this process takes of the machine, under the names that all clients of Prometheus give it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    found = [
        single(
            "process_cpu_seconds_total", "counter", "User and system CPU time.", round(used.ru_utime + used.ru_stime, 3)
        ),
        single("process_start_time_seconds", "gauge", "Start of the process, Unix time.", round(_STARTED - _LOADED, 3)),
    ]
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        memory = pages * os.sysconf("SC_PAGE_SIZE")
        files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are not wanted, only how many there are
        found.append(single("process_open_fds", "gauge", "Open file descriptors.", files))
    except OSError:
        pass  # not Linux: the most memory that was used stands for what is used
    return [*found, single("process_resident_memory_bytes", "gauge", "Memory in use.", memory)]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1 << 53 else repr(float(value))
