"""Measures the algorithms, each in the environment of its image, and prints a table in Markdown."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.algorithms import Row
from bench.environments import environment

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
MEASURE = "import json, sys; from importlib import import_module; " + (
    "[print(json.dumps(row), flush=True) for row in import_module('bench.algorithms.' + sys.argv[1]).measure()]"
)


def rows(name: str) -> list[Row]:
    """What the module called ``name`` measures."""
    module: Any = import_module(f"bench.algorithms.{name}")
    python = environment(module.IMAGE, module.BESIDE)
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    done = subprocess.run([python, "-c", MEASURE, name], env=variables, text=True, stdout=subprocess.PIPE, check=True)
    return [Row(*json.loads(line)) for line in done.stdout.splitlines()]


def main() -> None:
    """Measure all of them, or the one that is named."""
    parser = argparse.ArgumentParser(description="The built-in algorithms beside other libraries.")
    parser.add_argument("--only", choices=NAMES)
    arguments = parser.parse_args()
    print("| algorithm | data | hyperparameters | beside | metric | ours | theirs | s | theirs | times as fast |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in [arguments.only] if arguments.only else NAMES:
        for row in rows(name):
            quality = f"{row.metric} | {row.our_quality:.4g} | {row.their_quality:.4g}"
            speed = f"{row.our_seconds:.3g} | {row.their_seconds:.3g} | {row.their_seconds / row.our_seconds:.2g}"
            print(f"| {name} | {row.data} | {row.ours} | {row.library} | {quality} | {speed} |", flush=True)


if __name__ == "__main__":
    main()
