"""Two measures of how unusual a point is to a tree: the anomaly score, and collusive displacement."""

from __future__ import annotations

from typing import Any

import numpy as np

from clary_runtimes.algorithms.compiled import kernel, part
from clary_runtimes.algorithms.randomcutforest.trees import NONE, Trees, _offer, uniform

Array = Any


@part
def sides(lows: Array, highs: Array, tree: int, node: int, point: Array) -> tuple[float, float]:
    """The sum of the sides of a node's bounding box, and by how much ``point`` would make it longer."""
    inside = outside = 0.0
    for axis in range(len(point)):
        value, least, most = point[axis], lows[tree, node, axis], highs[tree, node, axis]
        inside += float(most) - float(least)
        if value < least:
            outside += float(least) - float(value)
        elif value > most:
            outside += float(value) - float(most)
    return inside, outside


@part
def score_in_tree(trees: Trees, tree: int, point: Array) -> float:
    """The expected inverse of the depth that ``point`` would have, if it were inserted, times log2(points + 1).

    The expectation over the random cuts of the insertion is exact: at a node that the insertion reaches with
    probability p, it ends with the share of the extended box's sides that lies outside the node's own box. A point that
    equals a leaf of m of the n points, at depth h, ends there with (1 - m / 2n) / (h + log2(m + 1)).
    """
    lows, highs, mass, children = trees.low, trees.high, trees.mass, trees.children
    dimensions, cuts = trees.dimension, trees.cut
    size = trees.slots.shape[1]
    node = trees.root[tree]
    if node == NONE:
        return 0.0
    points = mass[tree, node]
    reaches, score, depth = 1.0, 0.0, 0
    while True:
        inside, outside = sides(lows, highs, tree, node, point)
        if node >= size:
            if outside == 0.0:
                equal = mass[tree, node]
                score += reaches * (1.0 - equal / (2.0 * points)) / (depth + np.log2(equal + 1.0))
            else:
                score += reaches / (depth + 1.0)
            break
        parted = outside / (inside + outside)
        score += reaches * parted / (depth + 1.0)
        reaches *= 1.0 - parted
        depth += 1
        node = children[tree, node, 1 if point[dimensions[tree, node]] > cuts[tree, node] else 0]
    return score * float(np.log2(points + 1.0))


@part
def displacement_in_tree(trees: Trees, tree: int, point: Array, state: Array) -> float:
    """The collusive displacement that ``point`` would have, if it were inserted by random cuts from ``state``.

    It is the greatest, over all subtrees with the point in them, of how much deeper the other points lie because of the
    subtree, over the number of its points (definitions 3 and 4 of the paper): the mass of its sibling over its own.
    """
    lows, highs, mass, children = trees.low, trees.high, trees.mass, trees.children
    dimensions, cuts = trees.dimension, trees.cut
    size = trees.slots.shape[1]
    node = trees.root[tree]
    greatest = 0.0
    while node != NONE:
        inside, outside = sides(lows, highs, tree, node, point)
        if outside > 0.0 and (node >= size or uniform(state, 0) * (inside + outside) < outside):
            greatest = max(greatest, float(mass[tree, node]))
            break
        if node >= size:  # equal to a leaf
            break
        above = 1 if point[dimensions[tree, node]] > cuts[tree, node] else 0
        sibling = children[tree, node, 1 - above]
        node = children[tree, node, above]
        greatest = max(greatest, mass[tree, sibling] / (mass[tree, node] + 1.0))
    return greatest


@part
def _measure(trees: Trees, tree: int, point: Array, state: Array, displacement: bool) -> float:
    if displacement:
        return displacement_in_tree(trees, tree, point, state)
    return score_in_tree(trees, tree, point)


@kernel
def measure(trees: Trees, rows: Array, displacement: bool, seed: int, out: Array) -> None:
    """Add to ``out`` (rows,) what every tree finds for each of ``rows`` (rows, d)."""
    state = np.empty(1, np.uint64)
    for tree in range(trees.slots.shape[0]):
        state[0] = np.uint64(seed) + np.uint64(tree) * np.uint64(0xD1342543DE82EF95)
        for row in range(rows.shape[0]):
            out[row] += _measure(trees, tree, rows[row], state, displacement)


@kernel
def measure_stream(
    trees: Trees, rows: Array, displacement: bool, window: bool, seed: int, first: int, last: int, out: Array
) -> None:
    """As ``measure`` by some trees, but each row is offered to the trees' samples before the next is measured."""
    size = trees.slots.shape[1]
    state = np.empty(1, np.uint64)
    for tree in range(first, last):
        state[0] = np.uint64(seed) + np.uint64(tree) * np.uint64(0xD1342543DE82EF95)
        for row in range(rows.shape[0]):
            out[row] += _measure(trees, tree, rows[row], state, displacement)
            _offer(trees, tree, rows[row], window, size)
