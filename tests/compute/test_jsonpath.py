"""The JSONPath of batch transform's filters: the examples that AWS documents, and the edges beside them."""

from __future__ import annotations

from typing import Any

import pytest

from clary.compute.agent.jsonpath import JsonPath, PathError

DOCUMENT = {"id": 7, "features": [1, 2, 3], "child": {"a": 1, "b": 2}, "odd name": "x", "it's": "y", "null": None}
ROW = ["zero", "one", "two", "three", "four", "five"]


@pytest.mark.parametrize(
    ("path", "document", "selected"),
    [
        ("$", DOCUMENT, DOCUMENT),
        ("", DOCUMENT, DOCUMENT),
        ("$.id", DOCUMENT, 7),
        ("$.null", DOCUMENT, None),
        ("$.features", DOCUMENT, [1, 2, 3]),
        ("$.features[0]", DOCUMENT, 1),
        ("$.features[*]", DOCUMENT, [1, 2, 3]),
        ("$.child.*", DOCUMENT, [1, 2]),
        ("$.child.a", DOCUMENT, 1),
        ("$['id']", DOCUMENT, 7),
        ("$['odd name']", DOCUMENT, "x"),
        ('$["it\'s"]', DOCUMENT, "y"),
        ("$['it\\'s']", DOCUMENT, "y"),
        ("$['id','features']", DOCUMENT, {"id": 7, "features": [1, 2, 3]}),
        ("$['id', 'nothing']", DOCUMENT, {"id": 7}),
        ("$.child.['a','b']", DOCUMENT, {"a": 1, "b": 2}),
        ("$[1]", ROW, "one"),
        ("$[-1]", ROW, "five"),
        ("$[1,3,5]", ROW, ["one", "three", "five"]),
        ("$[0,-1]", ROW, ["zero", "five"]),
        ("$[2:5]", ROW, ["two", "three", "four"]),
        ("$[:2]", ROW, ["zero", "one"]),
        ("$[4:]", ROW, ["four", "five"]),
        ("$[1:-1]", ROW, ["one", "two", "three", "four"]),
        ("$[0,4:]", ROW, ["zero", "four", "five"]),
        ("$[ 0 , 5 ]", ROW, ["zero", "five"]),
        ("$[4:100]", ROW, ["four", "five"]),
        ("$[*].a", [{"a": 1}, {"a": 2}], [1, 2]),
        ("$[0:2].a", [{"a": 1}, {"a": 2}], [1, 2]),
    ],
)
def test_what_a_path_selects(path: str, document: Any, selected: Any) -> None:
    assert JsonPath(path).apply(document) == selected


@pytest.mark.parametrize(
    ("path", "document", "why"),
    [
        ("$.nothing", DOCUMENT, "no attribute 'nothing'"),
        ("$.id.more", DOCUMENT, "no object that has the attribute 'more'"),
        ("$[6]", ROW, "no element 6: the array has 6"),
        ("$[-7]", ROW, "no element -7"),
        ("$[0]", DOCUMENT, "no array"),
        ("$.id.*", DOCUMENT, "neither an object nor an array"),
    ],
)
def test_what_is_not_there_is_an_error(path: str, document: Any, why: str) -> None:
    with pytest.raises(PathError, match=why):
        JsonPath(path).apply(document)


@pytest.mark.parametrize(
    "path",
    ["id", "$id", "$.", "$..id", "$.a b]", "$[", "$[]", "$[1", "$['a'", "$['a]", "$[a]", "$[1:2:3]", "$[1,'a']",
     "$['a',1]", "$[?(@.a)]", "$.length()", "$[--1]", "$[1 2]", "$[*,1]", "$]"],
)  # fmt: skip
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        JsonPath(path)


def test_rows_and_names() -> None:
    assert JsonPath("$[1]").row(ROW) == ["one"]
    assert JsonPath("$[1:3]").row(ROW) == ["one", "two"]
    assert JsonPath("$").row(ROW) == ROW
    assert JsonPath("$.a").by_name and JsonPath("$['a','b']").by_name and not JsonPath("$[0,2:].*").by_name
    assert JsonPath(" $ ").is_root and not JsonPath("$.a").is_root
