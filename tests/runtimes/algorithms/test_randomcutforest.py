"""Random Cut Forest against the definitions of its paper, computed by brute force, and on real data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clary_runtimes.algorithms.randomcutforest.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.randomcutforest.metrics import direction, metric_definitions

pytestmark = pytest.mark.slow("runtimes")

_PLAIN = """
import json, sys
import numpy as np
from clary_runtimes.algorithms.randomcutforest.estimator import RandomCutForest
from clary_runtimes.algorithms.randomcutforest.scores import displacement_in_tree, score_in_tree
from clary_runtimes.algorithms.randomcutforest.shingles import shingle
from clary_runtimes.algorithms.randomcutforest.trees import empty_trees, insert, plant

generator = np.random.default_rng(3)

class Node:
    # A tree in plain objects: what brute force works with.
    def __init__(self, trees, tree, number, up=None):
        self.up, self.children, self.number = up, [], number
        if number >= trees.size:
            self.points = [tuple(trees.low[tree, number].tolist())] * int(trees.mass[tree, number])
            return
        self.dimension, self.cut = int(trees.dimension[tree, number]), float(trees.cut[tree, number])
        self.children = [Node(trees, tree, int(child), self) for child in trees.children[tree, number]]
        self.points = [point for child in self.children for point in child.points]
        assert int(trees.mass[tree, number]) == len(self.points)
        for side, child in enumerate(self.children):
            assert all((point[self.dimension] > self.cut) == bool(side) for point in child.points)
            assert trees.parent[tree, child.number] == number
        assert trees.low[tree, number].tolist() == np.min(self.points, axis=0).tolist()
        assert trees.high[tree, number].tolist() == np.max(self.points, axis=0).tolist()

    def leaves(self, depth=0):
        if not self.children:
            return [(self, depth)]
        return [found for child in self.children for found in child.leaves(depth + 1)]

def root(trees, tree=0):
    return Node(trees, tree, int(trees.root[tree]))

def expected(node, point, depth=0):
    # Expectation of 1 / depth of the point, if it were inserted, by the boxes of the points themselves.
    low, high = np.min(node.points, axis=0), np.max(node.points, axis=0)
    whole = np.maximum(high, point) - np.minimum(low, point)
    if not whole.sum():
        mass = len(node.points)
        return (1 - mass / (2 * SIZE)) / (depth + np.log2(mass + 1))
    parted = 1 - (high - low).sum() / whole.sum()
    if not node.children:
        return 1 / (depth + 1)
    child = node.children[int(point[node.dimension] > node.cut)]
    return parted / (depth + 1) + (1 - parted) * expected(child, point, depth + 1)

def displacement(leaf):
    # Definition of the paper: over all subtrees C with the leaf, how much deeper the others lie because of C, over |C|.
    top = leaf
    while top.up:
        top = top.up
    greatest, node = 0.0, leaf
    while node.up:
        before = {id(other): depth for other, depth in top.leaves()}
        sibling = next(child for child in node.up.children if child is not node)
        above = node.up.up
        if above:
            place = above.children.index(node.up)
            above.children[place] = sibling
            after = top.leaves()
            above.children[place] = node.up
        else:
            after = sibling.leaves()
        total = sum((before[id(other)] - depth) * len(other.points) for other, depth in after)
        greatest = max(greatest, total / len(node.points))
        node = node.up
    return greatest

def planted(points, seed, size=None):
    trees = empty_trees(1, size or len(points), points.shape[1], seed)
    plant(trees, points[None], len(points), 0, 1)
    trees.seen[:] = len(points)
    return trees

def state(seed):
    return np.array([seed * 0x9E37], np.uint64)
"""

_SCORES = """
SIZE = 12
points = generator.normal(size=(SIZE, 3)).astype(np.float32)
points[4] = points[9]
asked = np.concatenate([points[:6], generator.normal(size=(6, 3)).astype(np.float32) * 3])
found = []
for seed in range(20):
    trees = planted(points, seed)
    for point in asked:
        found.append([score_in_tree(trees, 0, point), float(expected(root(trees), point) * np.log2(SIZE + 1))])
print(json.dumps(found))
"""

_SIMULATED = """
SIZE = 10
points = generator.normal(size=(SIZE, 2)).astype(np.float32)
point = np.array([3, 3], np.float32)
inverse, displaced, simulated = [], [], []
trees = planted(points, 5, SIZE + 1)
score = score_in_tree(trees, 0, point) / np.log2(SIZE + 1)
for seed in range(4000):
    copy = type(trees)(*(array.copy() for array in trees))
    copy.state[0] = seed * 77 + 1
    insert(copy, 0, point, SIZE)
    leaf, depth = next(found for found in root(copy).leaves() if found[0].points == [tuple(point.tolist())])
    inverse.append(1 / depth)
    if seed < 1500:
        displaced.append(displacement(leaf))
        simulated.append(displacement_in_tree(trees, 0, point, state(seed)))
def mean(values):
    return [float(np.mean(values)), float(np.std(values) / len(values) ** 0.5)]
equal = []
for seed in range(10):
    trees = planted(points, seed, SIZE + 1)
    before = [displacement_in_tree(trees, 0, other, state(1)) for other in points]
    for number, other in enumerate(points):
        copy = type(trees)(*(array.copy() for array in trees))
        insert(copy, 0, other, SIZE)
        leaf = next(leaf for leaf, _ in root(copy).leaves() if leaf.points[0] == tuple(other.tolist()))
        equal.append([before[number], displacement(leaf)])
print(json.dumps([score, mean(inverse), mean(displaced), mean(simulated), equal]))
"""

_STREAM = """
forest = RandomCutForest(5, 32, seed=1, threads=1)
rows = generator.normal(size=(300, 4)).astype(np.float32).round(1)  # some are equal
for start in range(0, 300, 7):
    forest.update(rows[start : start + 7], window=True)
    for tree in range(5):
        root(forest._trees, tree)
window = sorted(map(tuple, rows[-32:].tolist()))
kept = [sorted(root(forest._trees, tree).points) == window for tree in range(5)]

even = RandomCutForest(400, 16, seed=2, threads=1)
even.update(np.arange(160, dtype=np.float32)[:, None])
batch = RandomCutForest(400, 16, seed=2, threads=1).fit_batches(
    np.arange(160, dtype=np.float32)[start : start + 50, None] for start in range(0, 160, 50)
)
ages = [float(np.mean([root(one._trees, tree).points for tree in range(400)])) for one in (even, batch)]
square = np.array([[0, 0], [3, 0], [0, 1], [3, 1]], np.float32)
axes = [root(planted(square, seed)).dimension for seed in range(2000)]
print(json.dumps([kept, ages, sum(axes) / len(axes)]))
"""

_SERIES = """
from pathlib import Path
steps = np.sin(np.arange(600) / 5).astype(np.float32)
steps[480:484] = 0
forest = RandomCutForest(50, 64, shingle_size=8, seed=1).fit(steps[:400])
scores = forest.score(steps)
streamed = RandomCutForest(50, 64, shingle_size=8, seed=1)
parts = np.concatenate([streamed.process(steps[start : start + 50]) for start in range(0, 600, 50)])
by = RandomCutForest(50, 64, shingle_size=8, seed=1).process(steps, "codisplacement")
forest.save(Path(sys.argv[1]) / "model")
again = RandomCutForest.load(Path(sys.argv[1]) / "model")
print(json.dumps([
    shingle(np.arange(4), 3).tolist(), int(np.isnan(scores).sum()), int(np.isnan(parts).sum()),
    [int(np.nanargmax(found[200:]) + 200) for found in (scores, parts, by)],
    bool((again.score(steps)[7:] == scores[7:]).all()), again.threshold == forest.threshold,
    forest.predict(steps[478:490]).tolist()[-1], again.update(steps[:20]).width,
]))
"""

_AUC = """
table = np.loadtxt(sys.argv[1], delimiter=",")
anomalies, usual = table[table[:, 0] == 0][:20], table[table[:, 0] == 1]
rows = np.concatenate([anomalies, usual])
features = ((rows[:, 1:] - rows[:, 1:].mean(axis=0)) / rows[:, 1:].std(axis=0)).astype(np.float32)
forest = RandomCutForest(seed=1).fit(features)
def area(scores):
    return float((scores[:20, None] > scores[None, 20:]).mean())
print(json.dumps([area(forest.score(features)), area(forest.codisplacement(features))]))
"""


@pytest.fixture(scope="module")
def randomcutforest(runtime_of: Any) -> Any:
    return runtime_of("randomcutforest", "randomcutforest")


def test_scores_are_the_expectation_over_the_cuts(randomcutforest: Any) -> None:
    found = randomcutforest.evaluate(_PLAIN + _SCORES)
    assert len(found) == 240
    for score, brute in found:
        assert score == pytest.approx(brute, rel=1e-5)


def test_scores_and_displacements_agree_with_insertions(randomcutforest: Any) -> None:
    score, inverse, displaced, simulated, equal = randomcutforest.evaluate(_PLAIN + _SIMULATED)
    assert inverse[1] > 0 and displaced[1] > 0, "the point must be one whose place is random"
    assert abs(inverse[0] - score) < 4 * inverse[1]
    assert abs(displaced[0] - simulated[0]) < 4 * (displaced[1] ** 2 + simulated[1] ** 2) ** 0.5
    for found, brute in equal:
        assert found == pytest.approx(brute)


def test_trees_on_a_stream_stay_what_they_are(randomcutforest: Any) -> None:
    kept, ages, share = randomcutforest.evaluate(_PLAIN + _STREAM)
    assert all(kept)
    assert all(abs(age - 79.5) < 3 for age in ages), "every point is kept with the same probability"
    assert abs(share - 1 / 4) < 0.04, "a box of 3 by 1 is cut along its shorter side once in four"


def test_series_are_shingled(randomcutforest: Any, tmp_path: Path) -> None:
    points, missing, streamed, where, same, threshold, flag, width = randomcutforest.evaluate(
        _PLAIN + _SERIES, str(tmp_path)
    )
    assert points == [[0, 1, 2], [1, 2, 3]]
    assert missing == streamed == 7
    assert all(480 <= place < 492 for place in where)
    assert same and threshold and width == 8 and flag in (0, 1)


def test_breast_cancer_reaches_its_floor(randomcutforest: Any, datasets: Path) -> None:
    """20 malignant samples among all benign ones of the training part of scikit-learn's ``breast_cancer``."""
    for area in randomcutforest.evaluate(_PLAIN + _AUC, str(datasets / "breast_cancer-train.csv")):
        assert area > 0.85


def test_a_job_finds_what_is_marked(randomcutforest: Any, ml_root: Path) -> None:
    rows = [f"{n * 7 % 101},{n * 13 % 97},{n * 5 % 89}" for n in range(3000)]
    marked = [f"0,{row}" for row in rows[:300]] + [f"1,{500 + n},{-300 - n},{700 + n}" for n in range(6)]
    job = randomcutforest.job(ml_root).channel("train", "\n".join(rows) + "\n", "text/csv;label_size=0")
    job.channel("test", "\n".join(marked) + "\n", "text/csv;label_size=1")
    log = job.succeed({"feature_dim": "3", "num_trees": "50", "eval_metrics": '["precision_recall_fscore"]'})
    found = {entry["Name"]: re.findall(entry["Regex"], log) for entry in metric_definitions()}
    assert float(found["test:f1"][-1]) > 0.7 and float(found["test:recall"][-1]) == 1.0
    assert float(found["test:negative_recall"][-1]) > 0.98 and not found["test:accuracy"]
    assert direction("test:f1") == "Maximize"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "'feature_dim' is a required property"),
        (
            {"feature_dim": "10001"},
            "Hyperparameter feature_dim: '10001' is not valid, it must be an integer in [1, 10000]",
        ),
        (
            {"feature_dim": "1", "num_trees": "2000"},
            "Hyperparameter num_trees: '2000' is not valid, it must be an integer in [50, 1000]",
        ),
        (
            {"feature_dim": "1", "eval_metrics": "[]"},
            "Hyperparameter eval_metrics: '[]' is not valid, it must be a list of accuracy or precision_recall_fscore",
        ),
    ],
)
def test_hyperparameters_refused(given: dict[str, str], message: str) -> None:
    assert SPECIFICATION.validate(given) == [message]


def test_hyperparameters_default() -> None:
    values = SPECIFICATION.parse({"feature_dim": "2"})
    assert (values["num_trees"], values["num_samples_per_tree"]) == (100, 256)
    assert values["eval_metrics"] == ["accuracy", "precision_recall_fscore"]
    assert SPECIFICATION.parse({"feature_dim": "2", "eval_metrics": "accuracy"})["eval_metrics"] == ["accuracy"]
    assert json.loads(SPECIFICATION.parameters["eval_metrics"].default or "") == values["eval_metrics"]
