"""Filter patterns: terms, conditions on JSON and on the fields of a line, and regular expressions.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from clary.services.logs.errors import InvalidParameterException

Matches = Callable[[str], bool]

_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"]+))')
_REGEX_ALLOWED = re.compile(r"[^()]*")


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Matches:
    """Whether a message fits ``pattern``, as a function; raises ``InvalidParameterException``."""
    text = pattern.strip()
    if not text:
        return lambda message: True
    if text.startswith("{"):
        return _json_pattern(text)
    if text.startswith("["):
        return _fields_pattern(text)
    return _terms(text)


def _regex(source: str) -> re.Pattern[str]:
    # Without groups nothing can be repeated within a repetition, which is what makes matching slow.
    if not _REGEX_ALLOWED.fullmatch(source):
        raise InvalidParameterException("Invalid filter pattern: groups are not allowed in regular expressions")
    try:
        return re.compile(source)
    except re.error as error:
        raise InvalidParameterException(f"Invalid filter pattern: {error}") from error


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _terms(text: str) -> Matches:
    wanted: list[Matches] = []
    optional: list[Matches] = []
    excluded: list[Matches] = []
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise InvalidParameterException("Invalid filter pattern")
        sign, quoted, regex, bare = match.groups()
        {"": wanted, "?": optional, "-": excluded}[sign].append(_term(quoted, regex, bare))
        position = match.end()

    def fits(message: str) -> bool:
        if any(test(message) for test in excluded):
            return False
        if wanted:
            # Beside terms that must be there, those that may be there count for nothing.
            return all(test(message) for test in wanted)
        return not optional or any(test(message) for test in optional)

    return fits


def _term(quoted: str | None, regex: str | None, bare: str | None) -> Matches:
    if regex is not None:
        expression = _regex(regex)
        return lambda message: expression.search(message) is not None
    term = _unquote(quoted) if quoted is not None else str(bare)
    return lambda message: term in message


# JSON

_TOKEN = re.compile(
    r"""\s*(?:(?P<selector>\$(?:\.[\w-]+|\[\s*(?:\d+|\*|"[^"]*"|'[^']*')\s*\])+)
        |(?P<operator>&&|\|\||!=|<=|>=|=|<|>|\(|\))
        |%(?P<regex>[^%]+)%
        |"(?P<string>(?:[^"\\]|\\.)*)"
        |(?P<word>[^\s()&|=<>!]+))""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.([\w-]+)|\[\s*(?:(\d+)|(\*)|"([^"]*)"|'([^']*)')\s*\]""")
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")

Test = Callable[[Any], bool]
_MISSING = object()


def _json_pattern(text: str) -> Matches:
    if not text.endswith("}"):
        raise InvalidParameterException("Invalid filter pattern")
    parser = _Parser(text[1:-1])
    test = parser.alternatives()
    if parser.peek() is not None:
        raise InvalidParameterException("Invalid filter pattern")

    def fits(message: str) -> bool:
        try:
            value = orjson.loads(message)
        except orjson.JSONDecodeError:
            return False
        return isinstance(value, dict | list) and test(value)

    return fits


class _Parser:
    """A recursive descent through the conditions of one pattern."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise InvalidParameterException("Invalid filter pattern")
            self._tokens.append((match.lastgroup, match.group(match.lastgroup)))
            position = match.end()
        self._next = 0

    def peek(self) -> tuple[str, str] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> tuple[str, str]:
        token = self.peek()
        if token is None:
            raise InvalidParameterException("Invalid filter pattern")
        self._next += 1
        return token

    def _accept(self, operator: str) -> bool:
        if self.peek() == ("operator", operator):
            self._next += 1
            return True
        return False

    def alternatives(self) -> Test:
        tests = [self._conjunction()]
        while self._accept("||"):
            tests.append(self._conjunction())
        return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)

    def _conjunction(self) -> Test:
        tests = [self._condition()]
        while self._accept("&&"):
            tests.append(self._condition())
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)

    def _condition(self) -> Test:
        if self._accept("("):
            test = self.alternatives()
            if not self._accept(")"):
                raise InvalidParameterException("Invalid filter pattern")
            return test
        find = self._operand()
        kind, operator = self._take()
        if kind == "word":
            return self._word_condition(operator.upper(), find)
        if operator not in ("=", "!=", "<", ">", "<=", ">="):
            raise InvalidParameterException("Invalid filter pattern")
        kind, text = self._take()
        if kind not in ("string", "word", "regex"):
            raise InvalidParameterException("Invalid filter pattern")
        compare = _comparison(operator, kind, text)
        return lambda value: any(compare(item) for item in find(value))

    def _operand(self) -> Callable[[Any], list[Any]]:
        kind, selector = self._take()
        if kind != "selector":
            raise InvalidParameterException("Invalid filter pattern")
        return _selector(selector)

    def _word_condition(self, word: str, find: Callable[[Any], list[Any]]) -> Test:
        _, second = self._take()
        if word == "IS" and second.upper() in ("NULL", "TRUE", "FALSE"):
            wanted = {"NULL": None, "TRUE": True, "FALSE": False}[second.upper()]
            return lambda value: any(item is wanted for item in find(value))
        if word == "NOT" and second.upper() == "EXISTS":
            return lambda value: not find(value)
        raise InvalidParameterException("Invalid filter pattern")


def _selector(text: str) -> Callable[[Any], list[Any]]:
    """All values that a selector such as ``$.a[0].b`` finds."""
    steps: list[str | int | None] = []
    for name, index, everything, double, single in _STEP.findall(text):
        steps.append(int(index) if index else None if everything else name or double or single)

    def find(value: Any) -> list[Any]:
        found = [value]
        for step in steps:
            if step is None:
                found = [item for one in found if isinstance(one, list) for item in one]
            elif isinstance(step, int):
                found = [one[step] for one in found if isinstance(one, list) and step < len(one)]
            else:
                found = [one[step] for one in found if isinstance(one, dict) and step in one]
        return found

    return find


def _comparison(operator: str, kind: str, text: str) -> Test:
    if kind == "regex":
        expression = _regex(text)
        if operator not in ("=", "!="):
            raise InvalidParameterException("Invalid filter pattern")
        return lambda item: isinstance(item, str) and (expression.search(item) is not None) == (operator == "=")
    if kind == "word" and _NUMBER.fullmatch(text):
        number = float(text)
        orders: dict[str, Callable[[float], bool]] = {
            "=": lambda value: value == number,
            "!=": lambda value: value != number,
            "<": lambda value: value < number,
            ">": lambda value: value > number,
            "<=": lambda value: value <= number,
            ">=": lambda value: value >= number,
        }
        order = orders[operator]
        return lambda item: isinstance(item, int | float) and not isinstance(item, bool) and order(item)
    if operator not in ("=", "!="):
        raise InvalidParameterException("Invalid filter pattern")
    text = _unquote(text) if kind == "string" else text
    pieces = [re.escape(piece) for piece in text.split("*")]
    glob = re.compile(
        "".join(f"(?>.*?{piece})" if index else piece for index, piece in enumerate(pieces[:-1]))
        + (".*" if len(pieces) > 1 else "")
        + pieces[-1]
        + r"\Z",
        re.DOTALL,
    )
    return lambda item: isinstance(item, str) and (glob.match(item) is not None) == (operator == "=")


# Fields that are parted by spaces

_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)')
"""What is in quotes or brackets is one field."""
_PART = re.compile(r'(?:^|,)((?:"(?:[^"\\]|\\.)*"|%[^%]*%|[^,"%])*)')
_NAME = re.compile(r"\w*")


def _fields_pattern(text: str) -> Matches:
    """``[ip, user, ..., status = 4*, bytes]``: each field by its place, with ``...`` for any number of them."""
    if not text.endswith("]"):
        raise InvalidParameterException("Invalid filter pattern")
    found = _PART.findall(text[1:-1])
    parts = [part.strip() for part in found]
    if parts.count("...") > 1 or ",".join(found) != text[1:-1]:
        raise InvalidParameterException("Invalid filter pattern")
    gap = parts.index("...") if "..." in parts else None
    tests = [_field(part) for part in parts if part != "..."]

    def fits(message: str) -> bool:
        fields = [quoted or bracketed or bare for quoted, bracketed, bare in _FIELD.findall(message)]
        if gap is not None and len(fields) >= len(tests):
            behind = len(tests) - gap
            fields = [*fields[:gap], *fields[len(fields) - behind :]]
        return len(fields) == len(tests) and all(test(field) for test, field in zip(tests, fields, strict=True))

    return fits


def _field(part: str) -> Test:
    """The conditions on one field, if it has more than a name."""
    if _NAME.fullmatch(part):
        return lambda field: True
    parser = _FieldParser(part)
    test = parser.alternatives()
    if parser.peek() is not None:
        raise InvalidParameterException("Invalid filter pattern")
    return test


class _FieldParser(_Parser):
    """Conditions on a field, which stand behind its name: ``status = 4* || status = 503``."""

    def _operand(self) -> Callable[[Any], list[Any]]:
        kind, name = self._take()
        if kind != "word" or not _NAME.fullmatch(name):
            raise InvalidParameterException("Invalid filter pattern")
        return lambda field: [field, float(field)] if _NUMBER.fullmatch(field) else [field]

    def _word_condition(self, word: str, find: Callable[[Any], list[Any]]) -> Test:
        raise InvalidParameterException("Invalid filter pattern")
