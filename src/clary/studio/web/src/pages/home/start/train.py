"""Trains a small neural network that tells three wines apart, and serves it: the same file does both."""

import argparse
import csv
import os
import warnings
from pathlib import Path

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CLASSES = [0, 1, 2]


def model_fn(folder):
    """Load the model; the endpoint calls this once."""
    return joblib.load(Path(folder) / "model.joblib")


def read(folder):
    """The features and the labels of all CSV files of a channel; the label is the first column."""
    rows = []
    for path in sorted(Path(folder).glob("*.csv")):
        with path.open(newline="") as file:
            lines = csv.reader(file)
            next(lines)
            rows += [[float(value) for value in line] for line in lines]
    table = np.array(rows)
    return table[:, 1:], table[:, 0].astype(int)


def main():
    """Train epoch by epoch, print what each one reached, and keep the model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--neurons", type=int, default=16)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)

    features, labels = read(options.train)
    train_x, test_x, train_y, test_y = train_test_split(
        features, labels, test_size=0.3, random_state=7, stratify=labels
    )
    print(f"{len(train_y)} rows to learn from, {len(test_y)} to check with", flush=True)
    scaler = StandardScaler().fit(train_x)
    network = MLPClassifier((options.neurons,), learning_rate_init=options.learning_rate, batch_size=16, random_state=7)
    for epoch in range(1, options.epochs + 1):
        network.partial_fit(scaler.transform(train_x), train_y, classes=CLASSES)
        seen, unseen = (network.predict_proba(scaler.transform(part)) for part in (train_x, test_x))
        print(
            f"epoch={epoch}; "
            f"train:loss={log_loss(train_y, seen, labels=CLASSES):.5f}; "
            f"validation:loss={log_loss(test_y, unseen, labels=CLASSES):.5f}; "
            f"train:accuracy={accuracy_score(train_y, seen.argmax(1)):.4f}; "
            f"validation:accuracy={accuracy_score(test_y, unseen.argmax(1)):.4f};",
            flush=True,
        )
    joblib.dump(make_pipeline(scaler, network), Path(options.model_dir) / "model.joblib")


if __name__ == "__main__":
    main()
