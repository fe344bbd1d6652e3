"""What batch transform takes out of its records before the model sees them, and what it joins with the answers.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-batch.html
"""

from __future__ import annotations

import json
import time

from clary.compute.agent.jsonpath import JsonPath, PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clary.compute.spec import Transform

    Records = list[Any]
    """Rows of CSV as lists of texts, or JSON documents."""

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
FORMATS = (CSV, JSON, JSON_LINES)
"""The media types whose records can be filtered and joined."""
OUTPUT, INPUT = "SageMakerOutput", "SageMakerInput"
INFERENCE_ID, INFERENCE_TIME = "SageMakerInferenceId", "SageMakerInferenceTime"


class AssociationError(ValueError):
    """A record or an answer is not what the filters need; the message is for the log."""


def media_type(text: str) -> str:
    """A content type without its parameters."""
    return text.partition(";")[0].strip().lower()


class Association:
    """The filters, the join and the inference ids of one job. The methods raise ``AssociationError``."""

    def __init__(self, transform: Transform) -> None:
        self._before = JsonPath(transform.input_filter)
        self._after = JsonPath(transform.output_filter)
        self._joins = transform.join
        self._given = media_type(transform.content_type)
        self._answered = media_type(transform.accept) or self._given
        self._split = transform.split != "None"
        self._began = ""
        if transform.inference_ids:
            from uuid import uuid4

            self._new_id = uuid4
            self._began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(transform.began))
        self._changes = self._joins or bool(self._began) or not self._after.is_root
        self.needed = self._changes or not self._before.is_root
        """Whether anything is to be done at all."""

    def take(self, payload: bytes) -> tuple[bytes, Records]:
        """What the model gets of a payload, and the records that its answer is joined with."""
        if self._before.is_root and not self._joins:
            return payload, []
        text = _text(payload, "the input")
        try:
            if self._given == CSV:
                rows = _rows(text)
                if self._before.is_root:
                    return payload, rows
                return _csv([self._before.row(row) for row in rows]).encode(), rows
            documents = _documents(text) if self._split else [json.loads(text)]
            if self._before.is_root:
                return payload, documents
            return _json([self._before.apply(document) for document in documents]).encode(), documents
        except (PathError, RecursionError) as error:
            raise AssociationError(f"Failed to apply the input filter {self._before.text}: {error}") from error
        except ValueError as error:
            raise AssociationError(f"Failed to parse the input as {self._name(self._given)}: {error}") from error

    def give(self, records: Records, answer: bytes) -> bytes:
        """What is stored of the model's answer to a payload that had ``records``."""
        if not self._changes:
            return answer
        text = _text(answer, "output from the algorithm")
        try:
            found = self._parsed(text, len(records))
        except (ValueError, RecursionError) as error:
            named = self._name(self._answered)
            raise AssociationError(f"Failed to parse output from the algorithm as {named}: {error}") from error
        if self._joins:
            if len(found) != len(records):
                raise AssociationError(
                    "Fail to join data: mismatched line count between the input and the output "
                    f"({len(records)} and {len(found)})"
                )
            found = [self._joined(record, result) for record, result in zip(records, found, strict=True)]
        csv = self._answered == CSV
        try:
            found = [self._after.row(each) if csv else self._after.apply(each) for each in found]
        except PathError as error:
            raise AssociationError(f"Failed to apply the output filter {self._after.text}: {error}") from error
        if self._began:
            found = [self._identified(each) for each in found]
        return (_csv(found) if csv else _json(found)).encode()

    def _parsed(self, text: str, count: int) -> Records:
        if self._answered == CSV:
            return _rows(text)
        lines = self._answered == JSON_LINES and not self._joins
        if not (self._split or lines) or (self._joins and count == 1):
            return [json.loads(text)]
        return _documents(text)

    def _identified(self, result: Any) -> Any:
        """A result with an id of its own and the time; a document that has no names gets one for itself, as in a
        join."""
        id = str(self._new_id())
        if self._answered == CSV:
            return [*result, id, self._began]
        named = result if isinstance(result, dict) else {OUTPUT: result}
        return {**named, INFERENCE_ID: id, INFERENCE_TIME: self._began}

    def _joined(self, record: Any, result: Any) -> Any:
        if self._answered == CSV:
            return [*record, *result]
        return {**record, OUTPUT: result} if isinstance(record, dict) else {INPUT: record, OUTPUT: result}

    def _name(self, media: str) -> str:
        return "CSV" if media == CSV else "JSON"


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AssociationError(f"Failed to parse {what}: it is not UTF-8 text") from error


def _rows(text: str) -> Records:
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    if '"' not in text:
        if "\r" in text:
            lines = [line.removesuffix("\r") for line in lines]
        return [line.split(",") for line in lines]
    import csv

    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if len(rows) != len(lines):
        raise ValueError("a row has a line end in it")
    return rows


def _csv(rows: Records) -> str:
    text = "\n".join([",".join(row) for row in rows])
    # Only what was quoted before can need quotes again: a cell with a comma or a quote in it.
    if text.count(",") == sum(max(0, len(row) - 1) for row in rows) and '"' not in text:
        return text
    import csv
    import io

    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows(rows)
    return target.getvalue().removesuffix("\n")


def _documents(text: str) -> Records:
    return [json.loads(line) for line in text.split("\n") if line and not line.isspace()]


def _json(documents: Records) -> str:
    return "\n".join([json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in documents])
