"""Components of a small symmetric tensor by alternating least squares.

Reference: T. Kolda, B. Bader: Tensor Decompositions and Applications, SIAM Review 51 (2009), section 3.4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

_RIDGE = 1e-9
"""Added to the diagonal of what is inverted, in case two components become the same."""


def components(tensor: Array, restarts: int, iterations: int, tolerance: float, seed: int) -> tuple[Array, Array]:
    """Weights (k,) and orthonormal-like vectors (k, k), as columns, whose cubes add up to ``tensor`` (k, k, k).

    The best of ``restarts`` random beginnings; each ends when the residual changes by less than ``tolerance`` times the
    tensor's norm, after ``iterations`` at most.
    """
    generator = np.random.default_rng(seed)
    size = len(tensor)
    square = float(np.square(tensor).sum()) or 1.0
    unfolded = tensor.reshape(size, -1)
    best, vectors = np.inf, np.eye(size)
    for _ in range(restarts):
        factor = np.linalg.qr(generator.normal(size=(size, size)))[0]
        residual = np.inf
        for _ in range(iterations):
            # The tensor is symmetric: what solves for one place serves for the other two.
            product = unfolded @ (factor[:, None, :] * factor[None, :, :]).reshape(-1, size)
            gram = np.square(factor.T @ factor)
            solved = np.linalg.solve(gram + _RIDGE * np.eye(size), product.T).T
            error = square - 2.0 * float((solved * product).sum()) + float((gram * (solved.T @ solved)).sum())
            factor = solved / np.maximum(np.linalg.norm(solved, axis=0), 1e-300)
            before, residual = residual, max(0.0, error) ** 0.5
            if abs(before - residual) <= tolerance * square**0.5:
                break
        if residual < best:
            best, vectors = residual, factor
    # The weight of a unit vector is the tensor applied to it three times; the sign of the vector makes it positive.
    weights = np.einsum("ijk,ia,ja,ka->a", tensor, vectors, vectors, vectors, optimize=True)
    return np.abs(weights), vectors * np.where(weights < 0, -1.0, 1.0)
