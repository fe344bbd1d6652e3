"""What training jobs have reported of their objective so far, value by value, read as their files grow."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clary.services.sagemaker.tuning.median import Averages


@dataclass
class _Curve:
    values: list[float] = field(default_factory=list)
    averages: Averages = field(init=False)
    offsets: dict[Path, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.averages = Averages(self.values)


class Curves:
    """The curves of the jobs of one process, by name; one that is not known is read from its beginning."""

    def __init__(self) -> None:
        self._curves: dict[str, _Curve] = {}

    def has(self, name: str) -> bool:
        """Whether something of a job was read before."""
        return name in self._curves

    def averages(self, name: str) -> Averages:
        """The running averages of what was read of a job."""
        return self._curves[name].averages

    def read(self, name: str, metric: str, files: Sequence[Path]) -> list[float]:
        """All values of ``metric`` that the hosts of a job have reported, in the order in which they were seen."""
        curve = self._curves.setdefault(name, _Curve())
        for file in files:
            self._read_on(curve, metric, file)
        return curve.values

    def forget(self, names: Sequence[str]) -> None:
        """Drop the curves of jobs that nobody asks for any more."""
        for name in names:
            self._curves.pop(name, None)

    @staticmethod
    def _read_on(curve: _Curve, metric: str, file: Path) -> None:
        start = curve.offsets.get(file, 0)
        try:
            if file.stat().st_size == start:
                return
            with file.open("rb") as stream:
                stream.seek(start)
                data = stream.read()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]  # the agent may be writing the last line
        curve.offsets[file] = start + len(whole)
        for line in whole.splitlines():
            try:
                reported = json.loads(line)
            except ValueError:
                continue  # an agent was killed while it wrote this
            if reported["name"] == metric and math.isfinite(value := float(reported["value"])):
                curve.values.append(value)
