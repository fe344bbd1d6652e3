"""The filter expressions over partition keys that ``GetPartitions`` takes.

Comparisons, ``AND``, ``OR``, ``NOT``, ``IN``, ``BETWEEN``, ``LIKE`` and ``IS NULL``, with values of the types that the
partition keys have.

Reference: https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
"""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from clary.services.glue.errors import InvalidInputException

Values = Mapping[str, str]
Test = Callable[[Values], bool]

DEEPEST = 100
_TOKEN = re.compile(r"\s*(?:(<=|>=|<>|!=|=|<|>|\(|\)|,)|'((?:[^']|'')*)'|\"([^\"]*)\"|([\w.+-]+))")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "long", "decimal", "float", "double")


def compiled(expression: str, types: Mapping[str, str]) -> Test:
    """A test of partition values by their keys; ``types`` are the keys' types.

    Raises ``InvalidInputException`` for what is no expression.
    """
    return _Parser(expression, {name.lower(): kind.lower() for name, kind in types.items()}).parse()


class _Parser:
    def __init__(self, expression: str, types: Mapping[str, str]) -> None:
        self._types = types
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self._depth = 0
        position = 0
        text = expression.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise InvalidInputException(f"Unsupported expression '{expression[:200]}'")
            sign, quoted, named, word = found.groups()
            if sign is not None:
                self._tokens.append(("sign", sign))
            elif quoted is not None:
                self._tokens.append(("text", quoted.replace("''", "'")))
            else:
                self._tokens.append(("word", named if named is not None else word))
            position = found.end()

    def parse(self) -> Test:
        test = self._either()
        if self._at != len(self._tokens):
            raise self._wrong()
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda values: any(test(values) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda values: all(test(values) for test in tests)

    def _one(self) -> Test:
        self._depth += 1
        if self._depth > DEEPEST:
            raise InvalidInputException("The expression is nested too deep.")
        try:
            if self._take("not"):
                test = self._one()
                return lambda values: not test(values)
            if self._take("("):
                inner = self._either()
                self._expect(")")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Test:
        name = self._next("word").lower()
        if name not in self._types:
            raise InvalidInputException(f"Unknown partition key {name}.")
        read = self._reader(name)
        if self._take("is"):
            negated = self._take("not")
            self._expect("null")
            return lambda values: (values.get(name) is None) != negated
        negated = self._take("not")
        if self._take("in"):
            self._expect("(")
            chosen = [read(self._value())]
            while self._take(","):
                chosen.append(read(self._value()))
            self._expect(")")
            return lambda values: (read(values[name]) in chosen) != negated
        if self._take("between"):
            low = read(self._value())
            self._expect("and")
            high = read(self._value())
            return lambda values: (low <= read(values[name]) <= high) != negated
        if self._take("like"):
            pattern = _glob(self._value())
            return lambda values: fnmatch.fnmatchcase(values[name], pattern) != negated
        compare = _COMPARE.get(self._next("sign"))
        if compare is None or negated:
            raise self._wrong()
        wanted = read(self._value())
        return lambda values: compare(read(values[name]), wanted)

    def _reader(self, name: str) -> Callable[[str], Any]:
        if not self._types[name].startswith(_NUMBERS):
            return str

        def read(text: str) -> Decimal:
            try:
                return Decimal(text)
            except InvalidOperation:
                raise InvalidInputException(f"{text!r} is not a number, as the key {name} is.") from None

        return read

    def _value(self) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at][0] in ("text", "word"):
            self._at += 1
            return self._tokens[self._at - 1][1]
        raise self._wrong()

    def _next(self, kind: str) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at][0] == kind:
            self._at += 1
            return self._tokens[self._at - 1][1]
        raise self._wrong()

    def _take(self, word: str) -> bool:
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind != "text" and text.lower() == word:
                self._at += 1
                return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._wrong()

    def _wrong(self) -> InvalidInputException:
        near = self._tokens[self._at][1] if self._at < len(self._tokens) else "its end"
        return InvalidInputException(f"Unsupported expression near {near[:100]!r}.")


def _glob(pattern: str) -> str:
    """A pattern of LIKE as one of file names."""
    return "".join({"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}.get(sign, sign) for sign in pattern)
