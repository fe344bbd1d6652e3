"""Measures the searches in an environment of their own, and prints tables in Markdown."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

from bench.environments import environment

ROOT = Path(__file__).parents[2]
BESIDE = ("optuna==5.0.0", "xgboost-cpu==3.0.5", "scikit-learn==1.9.1", "pandas<3", "matplotlib==3.11.2")


def main() -> None:
    """Hand the arguments on."""
    parser = argparse.ArgumentParser(description="Automatic model tuning beside random search and plain Optuna.")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--only", default="", help="the problems whose name has this in it")
    parser.add_argument("--plot", default="", help="where to draw the searches, as SVG")
    given = parser.parse_args()
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    wanted = [str(given.seeds), str(given.trials), given.only, given.plot]
    subprocess.run([environment("tuner", BESIDE), "-m", "bench.tuning.measure", *wanted], env=variables, check=True)


if __name__ == "__main__":
    main()
