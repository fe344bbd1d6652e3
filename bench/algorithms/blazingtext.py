"""BlazingText beside gensim and fastText: plurals among a word's ten nearest, labels of docstrings, seconds.

The corpus are Python's own reference of the language (``pydoc_data.topics``) and the docstrings of its standard
library; labels are the modules of the docstrings. Everything runs with two threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.algorithms import Row, timed

IMAGE = "blazingtext"
BESIDE = ("fasttext-wheel==0.9.2",)
THREADS = 2
EPOCHS = 10


def measure() -> Iterator[Row]:
    """Each mode, with vectors of 100 numbers."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        docstrings = _docstrings()
        corpus = Path(folder) / "corpus"
        corpus.write_text("".join(" ".join(words) + "\n" for words in [*_reference(), *(w for _, w in docstrings)]))
        yield from _vectors(corpus)
        yield from _labels(docstrings, Path(folder))


def _vectors(corpus: Path) -> Iterator[Row]:
    import fasttext
    from gensim.models import Word2Vec

    from clary_runtimes.algorithms.blazingtext.words import WordVectors

    data = f"{len(corpus.read_text().split())} words"
    for mode, subwords in (("skipgram", False), ("cbow", False), ("batch_skipgram", False), ("skipgram", True)):
        ours, took = timed(
            lambda mode=mode, subwords=subwords: WordVectors(
                mode, subwords=subwords, buckets=200000, epochs=EPOCHS, threads=THREADS
            ).fit(corpus)
        )
        quality = _plurals(ours.words, ours.transform(ours.words))
        name = f"{mode}, subwords" if subwords else mode
        theirs, seconds = timed(
            lambda mode=mode, subwords=subwords: fasttext.train_unsupervised(
                str(corpus), model="cbow" if mode == "cbow" else "skipgram", dim=100, epoch=EPOCHS, thread=THREADS,
                minn=3 if subwords else 0, maxn=6 if subwords else 0, bucket=200000, verbose=0, lr=0.05,
            )
        )  # fmt: skip
        peer = _plurals(theirs.words, theirs.get_input_matrix()[: len(theirs.words)] if not subwords else _each(theirs))
        yield Row(data, name, "fastText", "plurals found", quality, peer, took, seconds)
        if mode == "batch_skipgram":
            other, seconds = timed(
                lambda: Word2Vec(
                    corpus_file=str(corpus),
                    sg=1,
                    vector_size=100,
                    epochs=EPOCHS,
                    workers=THREADS,
                    sample=1e-4,
                    alpha=0.05,
                )
            )
            peer = _plurals(other.wv.index_to_key, other.wv.vectors)
            yield Row(data, name, "gensim Word2Vec, sg=1", "plurals found", quality, peer, took, seconds)


def _labels(docstrings: list[tuple[str, list[str]]], folder: Path) -> Iterator[Row]:
    import fasttext
    import numpy as np

    from clary_runtimes.algorithms.blazingtext.classifier import TextClassifier

    order = np.random.default_rng(0).permutation(len(docstrings))
    lines = [f"__label__{docstrings[n][0]} {' '.join(docstrings[n][1])}\n" for n in order]
    train, test = folder / "train", folder / "test"
    cut = len(lines) * 3 // 4
    train.write_text("".join(lines[:cut]))
    test.write_text("".join(lines[cut:]))
    theirs, seconds = timed(
        lambda: fasttext.train_supervised(
            str(train), dim=100, epoch=20, lr=0.5, wordNgrams=2, minCount=1, bucket=200000, thread=THREADS, verbose=0
        )
    )
    peer = theirs.test(str(test))[1]
    data = f"{len(lines)} docstrings, {len({label for label, _ in docstrings})} modules"
    for early in (False, True):
        ours, took = timed(
            lambda early=early: TextClassifier(
                epochs=20, learning_rate=0.5, min_count=1, buckets=200000, threads=THREADS, early_stopping=early,
                patience=20,
            ).fit(train, test)
        )  # fmt: skip
        name = "supervised, early_stopping" if early else "supervised"
        yield Row(data, name, "fastText", "accuracy", ours.score(test)[0], peer, took, seconds)


def _each(model: Any) -> Any:
    import numpy as np

    return np.array([model.get_word_vector(word) for word in model.words])


def _plurals(words: list[str], vectors: Any) -> float:
    """The share of words whose plural with "s" is among their ten nearest, of those for which there is one."""
    import numpy as np

    rows = {word: row for row, word in enumerate(words)}
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    pairs = [(row, rows[word + "s"]) for word, row in rows.items() if len(word) > 3 and word + "s" in rows]
    near = np.argsort(-unit[[one for one, _ in pairs]] @ unit.T, axis=1)[:, 1:11]
    return float(np.mean([two in found for (_, two), found in zip(pairs, near, strict=True)]))


def _reference() -> list[list[str]]:
    import pydoc_data.topics
    import re

    parts = [part for text in pydoc_data.topics.topics.values() for part in re.split(r"\n\s*\n", text)]
    return [words for part in parts if (words := re.findall(r"[a-z]+", part.lower()))]


def _docstrings() -> list[tuple[str, list[str]]]:
    """Top-level module and words of every docstring of ten words at least, of modules with fifty of them."""
    import ast
    import re
    import sysconfig
    from collections import Counter

    root, found = Path(sysconfig.get_path("stdlib")), []
    for path in sorted(root.rglob("*.py")):
        module = path.relative_to(root).parts[0].removesuffix(".py")
        if module in ("site-packages", "test", "idlelib", "lib2to3"):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                words = re.findall(r"[a-z]+", (ast.get_docstring(node) or "").lower())
                if len(words) >= 10:
                    found.append((module, words))
    often = Counter(module for module, _ in found)
    return [(module, words) for module, words in found if often[module] >= 50]
