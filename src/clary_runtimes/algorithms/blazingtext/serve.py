"""Inference with BlazingText: labels of texts, or vectors of words.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html#blazingtext-artifacts-inference
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clary_runtimes.algorithms.blazingtext.classifier import BINARY as CLASSIFIER
from clary_runtimes.algorithms.blazingtext.classifier import TextClassifier
from clary_runtimes.algorithms.blazingtext.words import WordVectors
from clary_runtimes.algorithms.data import content_types
from clary_runtimes.contract.errors import UserError
from clary_runtimes.serving.request import Reply, RequestError

TYPES = (content_types.JSON, content_types.JSONLINES)


class BlazingTextHandler:
    """Answers in the type of the request, whichever of the two that is: they "must be equal"."""

    inline_bytes = 4096

    def __init__(self, model_folder: Path) -> None:
        self.model_folder = model_folder
        self.classifier: TextClassifier | None = None
        self.vectors: WordVectors | None = None

    def load(self) -> None:
        """Load ``model.bin`` or ``vectors.bin``, ours or fastText's, whatever else it is called.

        Raises ``UserError`` if there is no such file.
        """
        binaries = sorted(self.model_folder.glob("*.bin"), key=lambda path: path.name != CLASSIFIER)
        if not binaries:
            raise UserError(f"{self.model_folder} holds no model of this algorithm: there is no file *.bin")
        model = TextClassifier.load(binaries[0].parent, binaries[0].name)
        if model.labelled:
            self.classifier = model
        else:
            self.vectors = WordVectors.of(model.model)

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Answer the texts or words of ``body``; raises ``RequestError`` 415, 406 or 400."""
        media = content_types.media_type(content_type or content_types.JSON)
        if media not in TYPES:
            raise RequestError(415, f"Content-type {media} is not supported. Supported: {', '.join(TYPES)}")
        asked = content_types.media_type(accept) if accept and "*" not in accept else media
        if asked not in TYPES:
            raise RequestError(406, f"Accept type {asked} is not supported. Supported: {', '.join(TYPES)}")
        try:
            texts, wanted = (_lines if media == content_types.JSONLINES else _document)(body)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RequestError(400, f"Unable to decode payload as {media}: {error}") from error
        answers = self._answers(texts, wanted)
        if media == content_types.JSON:
            return Reply(200, media, json.dumps(answers).encode())
        return Reply(200, media, "".join(json.dumps(answer) + "\n" for answer in answers).encode())

    def _answers(self, texts: Sequence[str], wanted: Sequence[int]) -> list[dict[str, Any]]:
        if self.classifier is None:
            assert self.vectors is not None
            rows = self.vectors.transform(texts).tolist()
            return [{"vector": row, "word": text} for text, row in zip(texts, rows, strict=True)]
        return [
            {"label": [label for label, _ in found], "prob": [share for _, share in found]}
            for found in self.classifier.predict(texts, wanted)
        ]


def _document(body: bytes) -> tuple[list[str], list[int]]:
    document = json.loads(body)
    texts = document["instances"]
    if not isinstance(texts, list) or not texts:
        raise ValueError("instances must be a list of texts, with one at least")
    k = _k((document.get("configuration") or {}).get("k", 1))
    return [_text(text) for text in texts], [k] * len(texts)


def _lines(body: bytes) -> tuple[list[str], list[int]]:
    documents = [json.loads(line) for line in body.decode().splitlines() if line.strip()]
    if not documents:
        raise ValueError("there is no line")
    return [_text(each["source"]) for each in documents], [_k(each.get("k", 1)) for each in documents]


def _text(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not a text")
    return text


def _k(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"k must be a whole number of 1 or more, and it is {value!r}")
    return value


handler = BlazingTextHandler
