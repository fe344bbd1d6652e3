"""The processes of a server under test, as the kernel and their log see them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Processes:
    """The edge and the control plane of one server, told by its home."""

    home: Path

    def pids(self) -> dict[str, int]:
        """Their ids; another one than before means that it died."""
        state = json.loads((self.home / "run" / "supervisor.json").read_text())
        return {name: int(state["children"][name]["pid"]) for name in ("edge", "control")}

    def memory_mb(self) -> dict[str, float]:
        """What each has in memory now, in MiB."""
        return {name: _status(pid, "VmRSS") / 1024 for name, pid in self.pids().items()}

    def peak_mb(self) -> dict[str, float]:
        """The most that each ever had in memory, in MiB."""
        return {name: _status(pid, "VmHWM") / 1024 for name, pid in self.pids().items()}

    def tracebacks(self) -> list[str]:
        """What the logs have of errors that nobody expected: where each came from, and what it says."""
        found = []
        for file in sorted((self.home / "log").glob("*.log*")):
            lines = file.read_text("utf-8", "replace").splitlines()
            for number, line in enumerate(lines):
                if line.endswith("Traceback (most recent call last):"):
                    end = next((n for n in range(number + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
                    places = [each.strip() for each in lines[number + 1 : end] if each.startswith("  File ")]
                    found.append(" < ".join((*lines[end : end + 1], *reversed(places[-4:]))))
        return found


def _status(pid: int, name: str) -> int:
    """A figure of ``/proc/PID/status``, in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)
