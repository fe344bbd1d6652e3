"""BlazingText: a real corpus beside gensim and fastText, files that both read, formats, and when training stops."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from contract import JSON, JSONLINES, RECORDIO

from clary_runtimes.algorithms.blazingtext.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.blazingtext.metrics import direction, metric_definitions

pytestmark = pytest.mark.slow("runtimes")

TEXT = "text/plain"

_CORPUS = """
import json, re, sys
from pathlib import Path
import numpy as np
import pydoc_data.topics
paragraphs = [
    (name, re.findall(r"[a-z]+", part.lower()))
    for name, text in pydoc_data.topics.topics.items() for part in re.split(r"\\n\\s*\\n", text)
]
path = Path(sys.argv[1]) / "corpus"
path.write_text("".join(" ".join(words) + "\\n" for _, words in paragraphs if words))
"""

_VECTORS = (
    _CORPUS
    + """
from gensim.models import KeyedVectors
from gensim.models.fasttext import load_facebook_model
from clary_runtimes.algorithms.blazingtext.words import WordVectors
mode, subwords = sys.argv[2], sys.argv[3] == "subwords"
folder = Path(sys.argv[1]) / "model"
vectors = WordVectors(mode, subwords=subwords, buckets=5000, vector_dim=32, epochs=15).fit(path)
vectors.save(folder)
asked = ["function", "functionality_", "class"]
ours, again = vectors.transform(asked), WordVectors.load(folder).transform(asked)
text = KeyedVectors.load_word2vec_format(str(folder / "vectors.txt"), binary=False)
model = load_facebook_model(str(folder / "vectors.bin"))
unit = lambda rows: rows / np.linalg.norm(rows, axis=-1, keepdims=True)
def near(pairs):
    one, two = (unit(vectors.transform([pair[place] for pair in pairs])) for place in (0, 1))
    return float((one * two).sum(axis=1).mean())
alike = near([("function", "method"), ("class", "classes"), ("string", "bytes"), ("import", "module")])
unlike = near([("function", "ascii"), ("class", "octal"), ("string", "package"), ("import", "precision")])
print(json.dumps({
    "again": float(np.abs(ours - again).max()), "text": float(np.abs(text["function"] - ours[0]).max()),
    "binary": float(np.abs(model.wv["function"] - ours[0]).max()), "unknown": float(np.abs(ours[1]).max()),
    "unknown binary": float(np.abs(model.wv["functionality_"] - ours[1]).max()) if subwords else 0,
    "words": len(text), "known": len(vectors.words), "alike": alike, "unlike": unlike,
}))
"""
)

_CLASSIFIER = """
import json, sys
from pathlib import Path
import floret
import numpy as np
from clary_runtimes.algorithms.blazingtext import classifier, kernels
from clary_runtimes.algorithms.blazingtext.classifier import TextClassifier
path = Path(sys.argv[1]) / "train"
subjects = {"one": "ähre wald baum feld", "two": "schiff welle see hafen", "three": "rad straße auto zug"}
lines = [f"__label__{s} " + " ".join(np.random.default_rng(n).permutation(w.split())[:3]) for n in range(60)
         for s, w in subjects.items()]
path.write_text("\\n".join(lines) + "\\n")
heard = []
early = TextClassifier(buckets=100, vector_dim=8, epochs=50, learning_rate=0.5, min_epochs=3, patience=2,
                       early_stopping=True, threads=1).fit(path, path, lambda *of: heard.append(of))
# The kernel and fastText must find the same rows for words and sequences of words.
rows = {word: row for row, word in enumerate(early.model.get_words())}
marks = {label: row for row, label in enumerate(early.model.get_labels())}
read = classifier._read(path, rows, marks)
inputs, outputs = early.model.get_input_matrix(), early.model.get_output_matrix()
found = np.empty(len(lines), np.int64)
kernels.classify(*read[:3], inputs, outputs, np.array([2, len(rows), 100]), found)
theirs = [marks[early.predict([line.partition(" ")[2]])[0][0][0]] for line in lines]
plain = TextClassifier(buckets=100, vector_dim=8, epochs=50, learning_rate=0.5).fit(path)
shares = [share for _, share in plain.predict(["wald baum"], 3)[0]]
print(json.dumps([early.score(path), plain.score(path), early.epochs_done, heard, (found == theirs).mean(), shares]))
"""


@pytest.fixture(scope="module")
def blazingtext(runtime_of: Any) -> Any:
    return runtime_of("blazingtext", "blazingtext")


@pytest.mark.parametrize(
    ("mode", "subwords"),
    [("skipgram", ""), ("cbow", ""), ("skipgram", "subwords"), ("cbow", "subwords"), ("batch_skipgram", "")],
)
def test_vectors_of_a_real_corpus_are_read_by_gensim(
    blazingtext: Any, tmp_path: Path, mode: str, subwords: str
) -> None:
    found = blazingtext.evaluate(_VECTORS, str(tmp_path), mode, subwords)
    assert found["again"] == 0 and found["text"] < 1e-4 and found["binary"] < 1e-6 and found["unknown binary"] < 1e-6
    assert (found["unknown"] > 0) == bool(subwords)
    assert found["words"] == found["known"] > 1000
    assert found["alike"] > found["unlike"] + 0.05, found


def test_the_classifier_finds_the_rows_that_fasttext_finds(blazingtext: Any, tmp_path: Path) -> None:
    early, plain, epochs, heard, same, shares = blazingtext.evaluate(_CLASSIFIER, str(tmp_path))
    assert early == [1.0, 180] and plain == [1.0, 180]
    assert 3 <= epochs < 50 and [number for number, _ in heard] == list(range(1, epochs + 1))
    assert same == 1
    assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1, abs=1e-3)


def test_defaults_and_wording() -> None:
    values = SPECIFICATION.parse({"mode": "cbow"})
    expected = {
        "batch_size": 11, "buckets": 2000000, "early_stopping": False, "epochs": 5, "evaluation": True,
        "learning_rate": 0.05, "max_char": 6, "min_char": 3, "min_count": 5, "min_epochs": 5, "negative_samples": 5,
        "patience": 4, "sampling_threshold": 0.0001, "subwords": False, "vector_dim": 100, "window_size": 5,
        "word_ngrams": 2, "mode": "cbow",
    }  # fmt: skip
    assert values == expected
    assert SPECIFICATION.validate({}) == ["'mode' is a required property"]
    [message] = SPECIFICATION.validate({"mode": "cbow", "sampling_threshold": "2"})
    assert "sampling_threshold" in message and "(0, 1]" in message


def test_metrics_are_found_as_the_container_prints_them() -> None:
    found = {each["Name"]: re.findall(each["Regex"], "#mean_rho: 0.61\n#validation_accuracy: 0.97\n")
             for each in metric_definitions()}  # fmt: skip
    assert found == {"train:mean_rho": ["0.61"], "validation:accuracy": ["0.97"], "train:accuracy": []}
    assert direction("train:mean_rho") == "Maximize"


def _served(serve: Any, runtime: Any, root: Path) -> Any:
    return serve(runtime, root).wait()


def test_word_vectors_are_trained_and_served(blazingtext: Any, tmp_path: Path, serve: Any) -> None:
    line = "the professor of physics drank a cup of coffee with the king and the queen " * 3000
    job = blazingtext.job(tmp_path / "ml").channel("train", line, TEXT)  # a corpus without a line's end, as text8 is
    log = job.succeed({"mode": "batch_skipgram", "vector_dim": "8", "patience": "3"})
    assert "patience has no effect" in log and re.search(r"#mean_rho: -?\d", log)
    model = tmp_path / "ml" / "model"
    assert {path.name for path in model.iterdir()} == {"vectors.txt", "vectors.bin", "eval.json"}
    evaluated = json.loads((model / "eval.json").read_text())
    assert evaluated["EN-WS-353-ALL.txt"]["total_pairs"] == 353
    assert evaluated["EN-WS-353-ALL.txt"]["not_found"] == 351  # professor–… has no pair; king–queen, coffee–cup have
    server = _served(serve, blazingtext, tmp_path / "ml")
    answer = server.invoke('{"instances": ["king", "unheard"]}', JSON).json()
    assert [each["word"] for each in answer] == ["king", "unheard"]
    assert len(answer[0]["vector"]) == 8 and any(answer[0]["vector"]) and not any(answer[1]["vector"])
    lines = server.invoke('{"source": "king"}\n{"source": "cup"}\n', JSONLINES)
    assert lines.content_type == JSONLINES
    assert json.loads(lines.body.splitlines()[0])["vector"] == answer[0]["vector"]


def _frame(data: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(data)) + data + bytes(-len(data) % 4)


def test_augmented_manifests_are_read_as_json_lines_and_as_records(
    blazingtext: Any, tmp_path: Path, serve: Any
) -> None:
    rows = [("a ship at sea", 1), ("a tree on land", [2, 3])] * 100
    lines = "".join(json.dumps({"source": text, "label": label}) + "\n" for text, label in rows)
    records = b"".join(_frame(text.encode()) + _frame(json.dumps(label).encode()) for text, label in rows)
    given = {"mode": "supervised", "buckets": "100", "epochs": "20", "learning_rate": "0.5"}
    for name, content, kind in (("lines", lines.encode(), JSONLINES), ("records", records, RECORDIO)):
        job = blazingtext.job(tmp_path / name).channel("train", content, kind).channel("validation", content, kind)
        log = job.succeed({**given, "early_stopping": "True", "patience": "1", "min_epochs": "2"})
        assert "#validation_accuracy: 1.0000" in log
    server = _served(serve, blazingtext, tmp_path / "records")
    body = '{"source": "ship", "k": 2}\n{"source": "tree land"}\n'
    first, second = (json.loads(line) for line in server.invoke(body, JSONLINES, JSON).body.splitlines())
    assert first["label"][0] == "__label__1" and len(first["prob"]) == 2 and first["prob"][0] > first["prob"][1]
    assert second["label"][0] in ("__label__2", "__label__3") and len(second["label"]) == 1
    asked = {"instances": ["ship", "tree"], "configuration": {"k": 3}}
    assert all(len(set(each["label"])) == 3 for each in server.invoke(json.dumps(asked), JSON).json())
