"""Robust random cut trees in flat arrays: building, inserting, deleting.

A tree over a set of points cuts the set's bounding box in two, in a dimension drawn in proportion to the box's sides
and at a place drawn uniformly along it, and so on until every leaf is one point (or several equal ones). Inserting and
deleting keep exactly that distribution.
Reference: Guha, Mishra, Roy, Schrijvers: Robust Random Cut Forest Based Anomaly Detection On Streams, ICML 2016.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.compiled import kernel, part

Array = Any

NONE = -1


class Trees(NamedTuple):
    """All trees of a forest; with ``T`` trees of ``n`` points at most, in ``d`` dimensions.

    A node is a number: ``i`` below ``n`` is an inner one, ``n + j`` is the leaf ``j``.
    """

    low: Array
    """The least corner of every node's bounding box, float32 (T, 2 n, d); of a leaf it is the point."""
    high: Array
    """The greatest corner."""
    children: Array
    """Of the inner nodes: the one up to the cut and the one above, int32 (T, n, 2)."""
    parent: Array
    """Of every node, int32 (T, 2 n)."""
    mass: Array
    """The points below every node, int32 (T, 2 n)."""
    dimension: Array
    """In which an inner node is cut, int32 (T, n)."""
    cut: Array
    """Where, float32 (T, n)."""
    root: Array
    """int32 (T,)."""
    slots: Array
    """The leaf of each point of the sample, int32 (T, n)."""
    seen: Array
    """The points of the stream that were offered to each tree, int64 (T,)."""
    free: Array
    """Numbers of unused inner nodes and leaves, int32 (T, 2, n)."""
    unused: Array
    """How many there are of each, int32 (T, 2)."""
    state: Array
    """Of each tree's random numbers, uint64 (T,)."""

    @property
    def size(self) -> int:
        """The most points that a tree can have."""
        return int(self.slots.shape[1])

    @property
    def memory(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self)


def empty_trees(count: int, size: int, width: int, seed: int) -> Trees:
    """``count`` trees for ``size`` points of ``width`` dimensions each, with nothing in them."""
    free = np.empty((count, 2, size), np.int32)
    free[:] = np.arange(size - 1, -1, -1, dtype=np.int32)
    return Trees(
        np.zeros((count, 2 * size, width), np.float32),
        np.zeros((count, 2 * size, width), np.float32),
        np.full((count, size, 2), NONE, np.int32),
        np.full((count, 2 * size), NONE, np.int32),
        np.zeros((count, 2 * size), np.int32),
        np.zeros((count, size), np.int32),
        np.zeros((count, size), np.float32),
        np.full(count, NONE, np.int32),
        np.full((count, size), NONE, np.int32),
        np.zeros(count, np.int64),
        free,
        np.full((count, 2), size, np.int32),
        np.random.SeedSequence(seed).generate_state(count, np.uint64),
    )


def memory_needed(count: int, size: int, width: int) -> int:
    """Bytes that such trees take."""
    return count * size * (16 * width + 60)


@part
def uniform(state: Array, place: int) -> float:
    """The next random number in [0, 1) of the generator whose state is at ``place`` (splitmix64)."""
    state[place] += np.uint64(0x9E3779B97F4A7C15)
    value = state[place]
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    value ^= value >> np.uint64(31)
    return float(value >> np.uint64(11)) * 2.0**-53


@part
def random_cut(lows: Array, highs: Array, tree: int, node: int, point: Array, state: Array) -> tuple[int, float, bool]:
    """Dimension and place of a random cut of the box that holds a node's box and a point, and whether it parts the two.

    The dimension is -1 if the point is the whole box.
    """
    total = 0.0
    for axis in range(len(point)):
        total += float(max(highs[tree, node, axis], point[axis])) - float(min(lows[tree, node, axis], point[axis]))
    if total == 0.0:
        return -1, np.float32(0.0), False
    rest = uniform(state, tree) * total
    chosen, cut = -1, np.float32(0.0)
    for axis in range(len(point)):
        begin, end = min(lows[tree, node, axis], point[axis]), max(highs[tree, node, axis], point[axis])
        side = float(end) - float(begin)
        if side > 0.0:
            chosen, cut = axis, np.float32(float(begin) + max(0.0, min(rest, side)))
            if cut >= end:  # rounded up
                cut = begin
            if rest < side:
                break
        rest -= side
    parted = cut < lows[tree, node, chosen] or (cut >= highs[tree, node, chosen] and point[chosen] > cut)
    return chosen, cut, parted


@part
def _take(trees: Trees, tree: int, kind: int) -> int:
    trees.unused[tree, kind] -= 1
    return int(trees.free[tree, kind, trees.unused[tree, kind]])


@part
def _give(trees: Trees, tree: int, kind: int, number: int) -> None:
    trees.free[tree, kind, trees.unused[tree, kind]] = number
    trees.unused[tree, kind] += 1


@part
def _replace(trees: Trees, tree: int, parent: int, node: int, other: int) -> None:
    """Put ``other`` where ``node`` is below ``parent``."""
    trees.parent[tree, other] = parent
    if parent == NONE:
        trees.root[tree] = other
    elif trees.children[tree, parent, 0] == node:
        trees.children[tree, parent, 0] = other
    else:
        trees.children[tree, parent, 1] = other


@part
def insert(trees: Trees, tree: int, point: Array, slot: int) -> None:
    """Insert ``point`` as the ``slot``-th of the sample (algorithm 2 of the paper)."""
    lows, highs, mass, children = trees.low, trees.high, trees.mass, trees.children
    size = trees.slots.shape[1]
    node = trees.root[tree]
    parent = NONE
    while node != NONE:
        axis, cut, parted = random_cut(lows, highs, tree, node, point, trees.state)
        if axis < 0:  # equal to a leaf
            mass[tree, node] += 1
            trees.slots[tree, slot] = node - size
            return
        if parted:
            inner = _take(trees, tree, 0)
            for place in range(len(point)):
                lows[tree, inner, place] = min(lows[tree, node, place], point[place])
                highs[tree, inner, place] = max(highs[tree, node, place], point[place])
            trees.dimension[tree, inner], trees.cut[tree, inner] = axis, cut
            mass[tree, inner] = mass[tree, node] + 1
            _replace(trees, tree, parent, node, inner)
            above = 1 if point[axis] > cut else 0
            children[tree, inner, 1 - above] = node
            trees.parent[tree, node] = inner
            leaf = _take(trees, tree, 1)
            children[tree, inner, above] = size + leaf
            parent = inner
            break
        for place in range(len(point)):
            lows[tree, node, place] = min(lows[tree, node, place], point[place])
            highs[tree, node, place] = max(highs[tree, node, place], point[place])
        mass[tree, node] += 1
        parent = node
        node = children[tree, node, 1 if point[trees.dimension[tree, node]] > trees.cut[tree, node] else 0]
    else:
        leaf = _take(trees, tree, 1)
        trees.root[tree] = size + leaf
    for place in range(len(point)):
        lows[tree, size + leaf, place] = highs[tree, size + leaf, place] = point[place]
    mass[tree, size + leaf] = 1
    trees.parent[tree, size + leaf] = parent
    trees.slots[tree, slot] = leaf


@part
def delete(trees: Trees, tree: int, slot: int) -> None:
    """Delete the ``slot``-th point of the sample (algorithm 1 of the paper)."""
    lows, highs, mass, children = trees.low, trees.high, trees.mass, trees.children
    size = trees.slots.shape[1]
    leaf = trees.slots[tree, slot]
    trees.slots[tree, slot] = NONE
    mass[tree, size + leaf] -= 1
    node = trees.parent[tree, size + leaf]
    shrinks = mass[tree, size + leaf] == 0
    if shrinks:
        _give(trees, tree, 1, leaf)
        if node == NONE:
            trees.root[tree] = NONE
            return
        other = children[tree, node, 1 if children[tree, node, 0] == size + leaf else 0]
        above = trees.parent[tree, node]
        _replace(trees, tree, above, node, other)
        _give(trees, tree, 0, node)
        node = above
    while node != NONE:
        mass[tree, node] -= 1
        if shrinks:
            one, two = children[tree, node, 0], children[tree, node, 1]
            shrinks = False
            for place in range(lows.shape[2]):
                least = min(lows[tree, one, place], lows[tree, two, place])
                most = max(highs[tree, one, place], highs[tree, two, place])
                shrinks |= least != lows[tree, node, place] or most != highs[tree, node, place]
                lows[tree, node, place], highs[tree, node, place] = least, most
        node = trees.parent[tree, node]


@kernel
def plant(trees: Trees, rows: Array, count: int, first: int, last: int) -> None:
    """Build the trees from ``first`` to before ``last``, each of the first ``count`` of its ``rows`` (T, n, d)."""
    for tree in range(first, last):
        for slot in range(count):
            insert(trees, tree, rows[tree, slot], slot)


@kernel
def sample(state: Array, chosen: Array, rows: Array, seen: int) -> None:
    """Offer ``rows`` to a reservoir of every tree: each row of the stream is in it with the same probability.

    ``chosen`` (T, n, d) holds the reservoirs, ``seen`` counts the rows that were offered before.
    """
    size = chosen.shape[1]
    for tree in range(chosen.shape[0]):
        for row in range(rows.shape[0]):
            number = seen + row
            slot = number if number < size else int(uniform(state, tree) * (number + 1))
            if slot < size:
                chosen[tree, slot] = rows[row]


@kernel
def remember(trees: Trees, rows: Array, window: bool, first: int, last: int) -> None:
    """Offer ``rows`` to the samples of some trees, one after the other.

    ``window`` keeps the latest points, else every point of the stream is kept with the same probability.
    """
    size = trees.slots.shape[1]
    for tree in range(first, last):
        for row in range(rows.shape[0]):
            _offer(trees, tree, rows[row], window, size)


@part
def _offer(trees: Trees, tree: int, point: Array, window: bool, size: int) -> None:
    number = trees.seen[tree]
    trees.seen[tree] += 1
    if number < size:
        insert(trees, tree, point, number)
        return
    slot = number % size if window else int(uniform(trees.state, tree) * (number + 1))
    if slot < size:
        delete(trees, tree, slot)
        insert(trees, tree, point, slot)
