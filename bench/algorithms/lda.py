"""LDA beside scikit-learn's LatentDirichletAllocation: the mean logarithm of a held-out word's probability, seconds.

The corpus are the paragraphs of Python's own reference of the language (``pydoc_data.topics``, about 900), of which 400
are held out. Of each of those half of the words settle its mixture, and the other half are what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.algorithms import Row, timed

IMAGE = "lda"
BESIDE: tuple[str, ...] = ()


def measure() -> Iterator[Row]:
    """10 and 20 topics."""
    import numpy as np
    from sklearn.decomposition import LatentDirichletAllocation

    from clary_runtimes.algorithms.lda.estimator import LDA

    rows = _corpus()
    order = np.random.default_rng(0).permutation(rows.shape[0])
    train, test = rows[order[:-400]], rows[order[-400:]].astype(int)
    seen = test.copy()
    seen.data = np.random.default_rng(1).binomial(test.data, 0.5)
    rest = (test - seen).tocoo()

    def quality(model: Any) -> float:
        shares = model.transform(seen)
        likely = (shares[rest.row] * model.topics.T[rest.col]).sum(axis=1)
        return float(rest.data @ np.log(likely) / rest.data.sum())

    for topics in (10, 20):
        ours, took = timed(lambda topics=topics: LDA(topics, seed=1).fit(train))
        for passes in (10, 50):
            peer, seconds = timed(
                lambda topics=topics, passes=passes: LatentDirichletAllocation(
                    topics, random_state=0, max_iter=passes
                ).fit(train)
            )
            other = LDA(topics)
            other.topics = peer.components_ / peer.components_.sum(axis=1, keepdims=True)
            other.alpha = np.full(topics, peer.doc_topic_prior_)
            name = f"scikit-learn LatentDirichletAllocation, max_iter={passes}"
            found = quality(ours), quality(other)
            yield Row("pydoc_data.topics", f"{topics} topics", name, "pwll of held-out words", *found, took, seconds)


def _corpus() -> Any:
    import pydoc_data.topics
    import re

    from sklearn.feature_extraction.text import CountVectorizer

    parts = [part for text in pydoc_data.topics.topics.values() for part in re.split(r"\n\s*\n", text)]
    parts = [part for part in parts if len(re.findall("[a-zA-Z]{3,}", part)) >= 20]
    counter = CountVectorizer(min_df=5, max_df=0.3, stop_words="english", token_pattern="[a-zA-Z_]{3,}")
    return counter.fit_transform(parts).astype(float)
