"""Latent Dirichlet Allocation: topics that are known, moments by brute force, and a real corpus beside scikit-learn."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract import CSV, RECORDIO, UNLABELLED_CSV, csv, sparse_recordio

from clary_runtimes.algorithms.lda.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.lda.metrics import direction, metric_definitions

_CODE = """
import itertools, json, re
import numpy as np
from scipy.sparse import csr_matrix
from clary_runtimes.algorithms.lda.decomposition import components
from clary_runtimes.algorithms.lda.estimator import LDA
from clary_runtimes.algorithms.lda.moments import mean, third, whiten
generator = np.random.default_rng(0)
"""

_MOMENTS = """
counts = generator.integers(0, 3, size=(7, 5))
counts[2] = [1, 0, 1, 0, 0]  # too short
alpha0 = 0.7
rows = csr_matrix(counts, dtype=float)
documents = lambda: (rows[start : start + 3] for start in range(0, 7, 3))
# By the definition: the mean over all ordered pairs and triples of different words of each document.
whole = [[word for word, count in enumerate(row) for _ in range(count)] for row in counts]
whole = [words for words in whole if len(words) >= 3]
M1 = np.mean([np.bincount(words, minlength=5) / len(words) for words in whole], axis=0)
pairs, triples = np.zeros((5, 5)), np.zeros((5, 5, 5))
for words in whole:
    for tensor, size in ((pairs, 2), (triples, 3)):
        found = list(itertools.permutations(range(len(words)), size))
        for places in found:
            tensor[tuple(words[place] for place in places)] += 1 / len(found) / len(whole)
M2 = pairs - alpha0 / (alpha0 + 1) * np.outer(M1, M1)
mixed = np.einsum("ij,k->ijk", pairs, M1)
mixed = mixed + mixed.transpose(0, 2, 1) + mixed.transpose(2, 0, 1)
M3 = triples - alpha0 / (alpha0 + 2) * mixed
M3 += 2 * alpha0**2 / (alpha0 + 1) / (alpha0 + 2) * np.einsum("i,j,k->ijk", M1, M1, M1)
first, count = mean(documents)
found = whiten(documents, first, count, alpha0, 2, 1)
W = found.matrix
small = third(documents, first, count, alpha0, W)
brute = np.einsum("ijk,ia,jb,kc->abc", M3, W, W, W)
print(json.dumps([
    float(np.abs(first - M1).max()), float(np.abs(W.T @ M2 @ W - np.eye(2)).max()),
    float(np.abs(small - brute).max()), float(np.abs(W.T @ found.inverse - np.eye(2)).max()), count - len(whole),
]))
"""

_TENSOR = """
vectors = np.linalg.qr(generator.normal(size=(6, 6)))[0]
weights = np.array([5.0, 4, 3, 2.5, 2, 1.5])
tensor = np.einsum("a,ia,ja,ka->ijk", weights, vectors, vectors, vectors)
found, directions = components(tensor, 10, 1000, 1e-8, 0)
order = np.argsort(-found)
print(json.dumps([found[order].tolist(), np.diag(vectors.T @ directions[:, order]).tolist()]))
"""

_KNOWN = """
topics = generator.dirichlet(np.full(40, 0.1), 4)
alpha = np.array([0.4, 0.3, 0.2, 0.1])
rows = np.array([generator.multinomial(60, generator.dirichlet(alpha) @ topics) for _ in range(2000)])
spectral = LDA(4, refinements=0, seed=1).fit(rows)
model = LDA(4, seed=1).fit(rows[:1500])
truth = LDA(4)
truth.topics, truth.alpha = topics, alpha
far = [np.abs(topics[:, None] - one.topics[None]).sum(axis=2).min(axis=1).max() for one in (spectral, model)]
print(json.dumps([
    far, spectral.alpha.tolist(), model.score(rows[1500:]), truth.score(rows[1500:]),
    model.transform(csr_matrix(rows[:3])).sum(axis=1).tolist(),
]))
"""

_CORPUS = """
import pydoc_data.topics
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
parts = [part for text in pydoc_data.topics.topics.values() for part in re.split(r"\\n\\s*\\n", text)]
parts = [part for part in parts if len(re.findall("[a-zA-Z]{3,}", part)) >= 20]
counter = CountVectorizer(min_df=5, max_df=0.3, stop_words="english", token_pattern="[a-zA-Z_]{3,}")
rows = counter.fit_transform(parts).astype(float)
order = np.random.default_rng(0).permutation(rows.shape[0])
train, test = rows[order[:-200]], rows[order[-200:]]
model = LDA(10, seed=1).fit(train)
peer = LatentDirichletAllocation(10, random_state=0, max_iter=10).fit(train)
other = LDA(10)
other.topics, other.alpha = peer.components_ / peer.components_.sum(axis=1, keepdims=True), np.full(10, 0.1)
print(json.dumps([rows.shape, model.score(test), other.score(test)]))
"""


@pytest.fixture(scope="module")
def lda(runtime_of: Any) -> Any:
    return runtime_of("lda", "lda")


def test_moments_are_those_of_the_definition(lda: Any) -> None:
    *differences, count = lda.evaluate(_CODE + _MOMENTS)
    assert max(differences) < 1e-9
    assert count == 0, "documents of less than three words say nothing"


def test_a_tensor_is_decomposed(lda: Any) -> None:
    weights, cosines = lda.evaluate(_CODE + _TENSOR)
    assert weights == pytest.approx([5, 4, 3, 2.5, 2, 1.5], rel=1e-4)
    assert cosines == pytest.approx([1] * 6, rel=1e-4)


def test_known_topics_are_found(lda: Any) -> None:
    (spectral, refined), alpha, found, truth, sums = lda.evaluate(_CODE + _KNOWN)
    assert refined < 0.15 and refined <= spectral
    assert alpha == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.05)
    assert found > truth - 0.02
    assert sums == pytest.approx([1] * 3)


def test_a_real_corpus_reaches_its_floor(lda: Any) -> None:
    """The paragraphs of Python's own reference of the language (``pydoc_data.topics``), beside scikit-learn."""
    (documents, words), found, peer = lda.evaluate(_CODE + _CORPUS)
    assert documents > 500 and words > 500
    assert found > peer and found > -5.7


def test_a_job_from_sparse_records(lda: Any, ml_root: Path, serve: Any) -> None:
    def document(n: int) -> dict[int, float]:
        return {place + 10 * (n % 3): float((n * (place + 3)) % 4) for place in range(10)}

    rows = [document(n) for n in range(300)]
    job = lda.job(ml_root).channel("train", sparse_recordio(rows, 30), RECORDIO)
    job.channel("test", sparse_recordio(rows[:60], 30), RECORDIO)
    log = job.succeed({"num_topics": "3", "feature_dim": "30", "mini_batch_size": "300"})
    [regex] = [entry["Regex"] for entry in metric_definitions() if entry["Name"] == "test:pwll"]
    # Ten words of a topic that are all as likely have log(1 / 10) = -2.3.
    assert float(re.findall(regex, log)[-1]) > -2.4
    server = serve(lda, ml_root).wait()
    keys = json.dumps({"instances": [{"data": {"features": {"keys": [0, 3], "shape": [30], "values": [2, 5]}}}]})
    [sparse] = server.invoke(keys, "application/json").json()["predictions"]
    dense = server.invoke(csv([[2, 0, 0, 5] + [0] * 26]), CSV).json()["predictions"][0]
    assert sparse == dense and max(sparse["topic_mixture"]) > 0.8
    empty = server.invoke(csv([[0] * 30]), CSV).json()["predictions"][0]["topic_mixture"]
    assert sum(empty) == pytest.approx(1)


def test_more_topics_than_the_corpus_tells_apart(lda: Any, ml_root: Path) -> None:
    job = lda.job(ml_root).channel("train", "3,1,0,2\n1,4,1,0\n2,2,2,2\n", UNLABELLED_CSV)
    job.succeed({"num_topics": "4", "feature_dim": "4", "mini_batch_size": "3"})
    assert [path.name for path in (ml_root / "model").iterdir()] == ["model_algo-1"]


def test_hyperparameters() -> None:
    values = SPECIFICATION.parse({"num_topics": "5", "feature_dim": "10", "mini_batch_size": "100"})
    assert (values["alpha0"], values["max_restarts"], values["max_iterations"], values["tol"]) == (1.0, 10, 1000, 1e-8)
    messages = SPECIFICATION.validate({"num_topics": "0", "feature_dim": "10"})
    assert messages == [
        "'mini_batch_size' is a required property",
        "Hyperparameter num_topics: '0' is not valid, it must be an integer in [1, +inf)",
    ]
    assert direction("test:pwll") == "Maximize"
