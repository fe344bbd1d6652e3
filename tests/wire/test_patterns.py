"""The models' Java patterns, and matching that no value can make slow."""

from __future__ import annotations

import random
import re
import time

import pytest

from clary.wire.catalog import service
from clary.wire.linear import Automaton, Unsupported, is_risky
from clary.wire.patterns import _Translation, compiled, matches

SERVICES = (
    "sagemaker",
    "glue",
    "logs",
    "iam",
    "sts",
    "s3",
    "lambda",
    "events",
    "ecr",
    "databrew",
    "comprehend",
    "transcribe",
    "kms",
)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("[a-z]+", ["abc"], ["", "abc\n", "1"]),
        ("^[a-z]+$", ["abc"], ["abc\n", "xabc1"]),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", ["", "aé中 9_", "x@y"], ["!", "é!", "\U0001f600"]),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}", ["a b", ""], ["!"]),
        (r"[\P{M}\p{M}]*", ["a\u0301", "any thing"], []),
        (r"[^\p{C}]*", ["abc"], ["a\x00"]),
        (r"\p{ASCII}{1,3}", ["abc"], ["é", "abcd"]),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", ["a\U0001f600\t"], ["\x01", "\n"]),
        (r"[\w-_]*", ["a-_"], [" ", "é"]),
        (r"[a-zA-Z\d-_/]+", ["a-_/9"], [" "]),
        (r"\d+", ["12"], ["١"]),
        (r"\A[a-z]+\z", ["a"], ["a\n"]),
        (r"^(?i)(true|false)$", ["TRUE", "false"], ["no"]),
        (r"(?!(?i)AWS_)[a-zA-Z_]+", ["a_"], ["aws_x", "AWS_x"]),
        (r"[\x{0022}a]+", ['"a'], ["b"]),
        (r"^$|^a$", ["", "a"], ["b"]),
        (r"[^]a]+", ["b"], ["]", "a"]),
        (r"s3://([^/]+)/?(.*)$|^[a-z](-*[a-z])*", ["s3://b/x", "a--b"], ["a-", "x3://b"]),
        (r"[|~&\[]+", ["|~&["], ["a"]),
    ],
)
def test_java_patterns(pattern: str, good: list[str], bad: list[str]) -> None:
    assert compiled(pattern) is not None
    assert [value for value in good if not matches(pattern, value)] == []
    assert [value for value in bad if matches(pattern, value)] == []


def patterns_of_models() -> list[str]:
    return sorted(
        {
            shape["pattern"]
            for name in SERVICES
            for shape in service(name).description["shapes"].values()
            if "pattern" in shape
        }
    )


def test_every_pattern_of_the_main_services_can_be_used() -> None:
    assert [pattern for pattern in patterns_of_models() if compiled(pattern, True) is None] == []


def test_automata_agree_with_backtracking() -> None:
    chance = random.Random(1)
    seen = 0
    for pattern in patterns_of_models():
        automaton = compiled(pattern, True)
        if not isinstance(automaton, Automaton):
            continue
        seen += 1
        expression = re.compile(_Translation(pattern, 127).text())
        alphabet = 'aZ0-_./: ,=*@{}[]"\\x' + pattern[:40]
        for _ in range(60):
            value = "".join(chance.choice(alphabet) for _ in range(chance.randrange(9)))
            assert automaton.fullmatch(value) == bool(expression.fullmatch(value)), (pattern, value)
    assert seen > 10


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z0-9]([-a-z0-9]*[a-z0-9]){0,39}?",
        "(a+)+",
        "(a|a)*b",
        r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$",
        "(?!x)(a*)*c",
    ],
)
def test_no_value_takes_forever(pattern: str) -> None:
    started = time.perf_counter()
    assert not matches(pattern, "a" * 5000 + "!")
    assert time.perf_counter() - started < 2


def test_what_automata_cannot_do() -> None:
    for pattern in (r"(a)\1", "(?:a(?!bc))+", "(?:a++)+"):
        with pytest.raises(Unsupported):
            Automaton(pattern)
    assert not is_risky("[a-z]+(-[a-z])?")
    assert compiled(r"(?:(?!xy)a*)*") is None
    assert matches(r"(?:(?!xy)a*)*", "anything")
