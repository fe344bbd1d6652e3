"""Run a measurement by its name: ``python -m bench api``; without a name, all of them."""

from __future__ import annotations

import runpy
import sys

NAMES = {
    "algorithms": "bench.algorithms",
    "api": "bench.api",
    "decisions": "bench.decisions",
    "first-line": "bench.first_line",
    "inference": "bench.inference",
    "memory": "bench.memory",
    "objects": "bench.objects",
    "queue": "bench.queue",
    "studio": "bench.studio",
    "transform": "bench.transform",
    "tuning": "bench.tuning",
}


def main() -> int:
    """Run what the first argument names; the rest are its own arguments."""
    wanted = sys.argv[1:2] or list(NAMES)
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"no measurement {unknown[0]!r}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    rest = sys.argv[2:]
    for name in wanted:
        print(f"== {name}", flush=True)
        sys.argv = [NAMES[name], *rest]
        runpy.run_module(NAMES[name], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
