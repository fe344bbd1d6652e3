"""Splits the wine data into three sets, and writes what is to be known of each column."""

import argparse
import csv
import json
import random
import statistics
from pathlib import Path


def main():
    """Read the input folder, write ``train``, ``validation``, ``test`` and ``report`` below the output folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", type=Path, default=Path("/opt/ml/processing/input/data"))
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output"))
    parser.add_argument("--validation-share", type=float, default=0.15)
    parser.add_argument("--test-share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()

    with next(options.input.glob("*.csv")).open(newline="") as file:
        header, *rows = csv.reader(file)
    print(f"{len(rows)} rows with {len(header)} columns")
    random.Random(options.seed).shuffle(rows)
    test = round(len(rows) * options.test_share)
    validation = test + round(len(rows) * options.validation_share)
    for name, part in {"test": rows[:test], "validation": rows[test:validation], "train": rows[validation:]}.items():
        folder = options.output / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([header, *part])
        print(f"{name}: {len(part)} rows")

    report = {}
    for name, column in zip(header, zip(*rows, strict=True), strict=True):
        values = [float(value) for value in column]
        report[name] = {
            "minimum": min(values),
            "maximum": max(values),
            "mean": round(statistics.fmean(values), 4),
            "deviation": round(statistics.pstdev(values), 4),
        }
    folder = options.output / "report"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "columns.json").write_text(json.dumps(report, indent=2) + "\n")
    print("The report is written")


if __name__ == "__main__":
    main()
