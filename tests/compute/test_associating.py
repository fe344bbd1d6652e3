"""Filters and joins of batch transform, in the formats that AWS documents them for."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from clary.compute.agent.associating import Association, AssociationError
from clary.compute.spec import Input, Transform


def association(media: str = "text/csv", split: Any = "Line", **fields: Any) -> Association:
    fields.setdefault("accept", media)
    return Association(
        Transform(Input("transform", "s3://bucket/"), "s3://bucket/", content_type=media, split=split, **fields)
    )


def through(one: Association, payload: str, answer: str) -> tuple[str, str]:
    """What the model gets, and what is stored."""
    sent, records = one.take(payload.encode())
    return sent.decode(), one.give(records, answer.encode()).decode()


def test_without_filters_nothing_is_needed() -> None:
    assert not association().needed
    assert association(join=True).needed and association(input_filter="$[1:]").needed


def test_csv_joined_and_filtered() -> None:
    one = association(input_filter="$[1:]", join=True, output_filter="$[0,-1]")
    assert through(one, "7,1.50,a\r\n8,2,b\n\n", "0.1\n0.2\n") == ("1.50,a\n2,b", "7,0.1\n8,0.2")
    assert through(association(join=True), "1,2,3", "1") == ("1,2,3", "1,2,3,1")
    assert through(association(input_filter="$[0]"), "1,2\n3,4", "x\ny") == ("1\n3", "x\ny")
    assert through(association(output_filter="$[1]"), "1,2", "x,y") == ("1,2", "y")


def test_quotes_of_csv_stay_where_they_are_needed() -> None:
    one = association(input_filter="$[1:]", join=True)
    assert through(one, '7,"a, ""b""",c\n8,d,"e"', "1\n2") == ('"a, ""b""",c\nd,e', '7,"a, ""b""",c,1\n8,d,e,2')


def test_json_lines() -> None:
    lines = "application/jsonlines"
    one = association(lines, input_filter="$.features", join=True, output_filter="$['id','SageMakerOutput']")
    payload = '{"id": 1, "features": [1, 2]}\n{"id": 2, "features": [3.5]}\n'
    sent, stored = through(one, payload, '{"label":1}\n{"label":0}\n')
    assert sent == "[1,2]\n[3.5]"
    assert stored == '{"id":1,"SageMakerOutput":{"label":1}}\n{"id":2,"SageMakerOutput":{"label":0}}'
    assert through(association(lines, join=True), "[1]\n[2]", "3\n4")[1] == (
        '{"SageMakerInput":[1],"SageMakerOutput":3}\n{"SageMakerInput":[2],"SageMakerOutput":4}'
    )


def test_json_documents() -> None:
    one = association("application/json", "None", join=True)
    assert through(one, '{"key": 1}', '{\n "label": 1\n}')[1] == '{"key":1,"SageMakerOutput":{"label":1}}'
    single = association("application/json", join=True)
    assert through(single, '{"key": "ä"}', '{\n "label": 1\n}')[1] == '{"key":"ä","SageMakerOutput":{"label":1}}'


def test_answers_in_another_format_can_be_filtered() -> None:
    one = association("text/csv", accept="application/json", input_filter="$[:2]", output_filter="$['class']")
    assert through(one, "1,2,3", '{"class":"a","score":1}') == ("1,2", '"a"')


@pytest.mark.parametrize(
    ("one", "payload", "answer", "why"),
    [
        (association(join=True), "1\n2", "1", "Fail to join data: mismatched line count"),
        (association(output_filter="$[3]"), "1", "1", r"output filter \$\[3\]: there is no element 3"),
        (association(input_filter="$[3]"), "1", "1", "input filter"),
        (association(join=True), '1,"2', "1", "Failed to parse the input as CSV"),
        (association(join=True), "1", '1,"2', "Failed to parse output from the algorithm as CSV"),
        (association("application/json", join=True), "1", "no", "Failed to parse output from the algorithm as JSON"),
        (association("application/json", input_filter="$.a"), "{", "1", "Failed to parse the input as JSON"),
        (association("application/json", input_filter="$.a"), "{}", "1", "no attribute 'a'"),
    ],
)
def test_what_does_not_fit(one: Association, payload: str, answer: str, why: str) -> None:
    with pytest.raises(AssociationError, match=why):
        through(one, payload, answer)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(AssociationError, match="not UTF-8"):
        association(join=True).take(b"\xff")


def identified(stored: str) -> list[Any]:
    """JSON lines without the ids, which are checked."""
    documents = [json.loads(line) for line in stored.splitlines()]
    assert len({UUID(each.pop("SageMakerInferenceId")) for each in documents}) == len(documents)
    assert {each.pop("SageMakerInferenceTime") for each in documents} == {"2022-08-30T00:49:15Z"}
    return documents


def test_inference_ids_are_the_last_of_all() -> None:
    asked: dict[str, Any] = {"inference_ids": True, "began": 1661820555.9}
    one = association(**asked)
    assert one.needed
    sent, stored = through(one, "1,2\n3,4", "a,b\nc")
    assert sent == "1,2\n3,4"
    assert [row.split(",")[:-2] for row in stored.split("\n")] == [["a", "b"], ["c"]]
    joined = association(input_filter="$[1:]", join=True, output_filter="$[0,-1]", **asked)
    sent, stored = through(joined, "7,1", "0.5")
    assert stored.startswith("7,0.5,") and stored.endswith(",2022-08-30T00:49:15Z") and stored.count(",") == 3


def test_inference_ids_of_json() -> None:
    asked: dict[str, Any] = {"inference_ids": True, "began": 1661820555.9}
    lines = "application/jsonlines"
    _, stored = through(association(lines, **asked), "[1]\n[2]", '{"output":0}\n{"output":1}')
    assert identified(stored) == [{"output": 0}, {"output": 1}]
    # Without a split the answer has as many lines as the model wrote; what has no names gets one.
    _, stored = through(association(lines, "None", **asked), "[1]\n[2]", "0\n1\n")
    assert identified(stored) == [{"SageMakerOutput": 0}, {"SageMakerOutput": 1}]
    _, stored = through(association("application/json", "None", join=True, **asked), '{"a": 1}', "[2]")
    assert identified(stored) == [{"a": 1, "SageMakerOutput": [2]}]
    with pytest.raises(AssociationError, match="Failed to parse output from the algorithm as JSON"):
        through(association(lines, **asked), "[1]", "no JSON")
