"""The script of the processing job: splits the Wisconsin breast cancer set into train, validation and test.

It runs in the scikit-learn image. The files have no header, and the label is the first column, as the built-in
algorithms want it: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

from sklearn.datasets import load_breast_cancer


def main() -> None:
    """Write ``<output>/{train,validation,test}/data.csv``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--validation-share", type=float, default=0.15)
    parser.add_argument("--test-share", type=float, default=0.2)
    options = parser.parse_args()

    data = load_breast_cancer()
    rows = [[int(label), *map(float, features)] for label, features in zip(data.target, data.data, strict=True)]
    random.Random(options.seed).shuffle(rows)
    test = round(len(rows) * options.test_share)
    validation = round(len(rows) * options.validation_share)
    parts = {"test": rows[:test], "validation": rows[test : test + validation], "train": rows[test + validation :]}
    for name, part in parts.items():
        folder = options.output / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "data.csv").open("w", newline="") as file:
            csv.writer(file).writerows(part)
        print(f"{name}: {len(part)} rows, {sum(row[0] for row in part)} of them benign")


if __name__ == "__main__":
    main()
