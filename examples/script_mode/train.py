"""Trains a classifier of flowers, and serves it: the same file does both, as in SageMaker's script mode."""

import argparse
import os
from pathlib import Path

import joblib
from humanize import intcomma
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split


def model_fn(folder):
    """Load the model; the endpoint calls this once."""
    return joblib.load(Path(folder) / "model.joblib")


def main():
    """Train and store the model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    options = parser.parse_args()

    features, labels = load_iris(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(features, labels, test_size=0.3, random_state=7)
    model = RandomForestClassifier(options.trees, random_state=7).fit(train_x, train_y)
    print(f"nodes={intcomma(sum(tree.tree_.node_count for tree in model.estimators_))};")
    print(f"accuracy={model.score(test_x, test_y):.3f};")
    joblib.dump(model, Path(options.model_dir) / "model.joblib")


if __name__ == "__main__":
    main()
