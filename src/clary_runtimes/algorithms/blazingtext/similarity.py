"""How well vectors agree with what people say of pairs of words: WordSimilarity-353.

The pairs are read from gensim's own data, which come with the environment; nothing is copied.
Source: Finkelstein et al., "Placing Search in Context: The Concept Revisited", 2002
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from clary_runtimes.algorithms.blazingtext.words import WordVectors

NAME = "EN-WS-353-ALL.txt"


def evaluate(vectors: WordVectors) -> dict[str, Any]:
    """What ``eval.json`` holds: Spearman's rank correlation (``mean_rho``), the pairs, and those with unknown words.

    ``mean_rho`` is 0 where fewer than two pairs are known, or all of them are alike.
    """
    known = set(vectors.words)
    pairs = _pairs()
    # The pairs are in the case of English; corpora are mostly in lower case.
    spelt = ((_known(one, known), _known(two, known), rank) for one, two, rank in pairs)
    found = [(one, two, rank) for one, two, rank in spelt if one is not None and two is not None]
    rho = 0.0
    if len(found) > 1:
        first = vectors.transform([one for one, _, _ in found])
        second = vectors.transform([two for _, two, _ in found])
        lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        rho = float(
            spearmanr((first * second).sum(axis=1) / np.maximum(lengths, 1e-12), [pair[2] for pair in found])[0]
        )
    rho = rho if rho == rho else 0.0
    result = {"not_found": len(pairs) - len(found), "spearmans_rho": rho, "total_pairs": len(pairs)}
    return {NAME: result, "mean_rho": rho}


def _known(word: str, known: set[str]) -> str | None:
    return next((form for form in (word, word.lower()) if form in known), None)


def _pairs() -> list[tuple[str, str, float]]:
    specification = importlib.util.find_spec("gensim")
    assert specification is not None and specification.origin is not None
    path = Path(specification.origin).parent / "test" / "test_data" / "wordsim353.tsv"
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    return [(one, two, float(rank)) for one, two, rank in rows]
