"""``python -m clary_runtimes.algorithms.randomcutforest.compile``: call every kernel once, so that it is compiled."""

from __future__ import annotations

import numpy as np

from clary_runtimes.algorithms.randomcutforest.estimator import RandomCutForest


def main() -> None:
    """Fit and ask a small forest in every way."""
    rows = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    forest = RandomCutForest(num_trees=2, num_samples_per_tree=16).fit(rows)
    forest.codisplacement(rows)
    forest.update(rows)
    forest.process(rows)


if __name__ == "__main__":
    main()
