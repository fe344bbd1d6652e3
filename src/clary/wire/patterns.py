"""The regular expressions of the service models, which are Java's, as Python's.

Reference: https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/regex/Pattern.html
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache, lru_cache
from typing import Protocol

from clary.wire.linear import Automaton, is_risky

MAX_VALUE = 100_000
"""Longer values are not matched against patterns; length limits catch them where the model has one."""

LONG = 500
"""Values longer than this are matched in linear time only."""

_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": "\\x00-\\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": "!-/:-@\\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": " \\t",
    "Cntrl": "\\x00-\\x1f\\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": " \\t\\n\\x0b\\f\\r",
    "IsWhitespace": "\\s",
    "all": "\\x00-\\U0010ffff",
    "L1": "\\x00-\\xff",
}
_CATEGORIES = {"IsAlphabetic": ("L", "Nl"), "LD": ("L", "Nd")}
# Java's \w, \d and \s are ASCII only.
_ESCAPES = {"w": "a-zA-Z0-9_", "d": "0-9", "s": " \\t\\n\\x0b\\f\\r", "h": " \\t\\xa0", "v": "\\n\\x0b\\f\\r"}
_SURROGATES = "\\uD800\\uDC00-\\uDBFF\\uDFFF"


class Matcher(Protocol):
    """What ``re.Pattern`` and ``Automaton`` have in common."""

    def fullmatch(self, value: str, /) -> object: ...


@lru_cache(maxsize=4096)
def compiled(pattern: str, is_ascii: bool = False, is_long: bool = False) -> Matcher | None:
    """The pattern for use with ``fullmatch``; None for the few that cannot be expressed here (they then constrain
    nothing).

    With ``is_ascii`` it is right for ASCII values only, and much cheaper to compile where it names Unicode categories.
    With ``is_long`` it takes linear time where otherwise quadratic time is accepted.
    """
    try:
        text = _Translation(pattern, 127 if is_ascii else sys.maxunicode).text()
        expression = re.compile(text)
        if not is_risky(text, is_long):
            return expression
        automaton = Automaton(text)
        return expression if automaton.is_deterministic else automaton
    except (re.error, ValueError, OverflowError, RecursionError):
        return None


def matches(pattern: str, value: str) -> bool:
    """Whether the whole ``value`` fits a model's pattern."""
    expression = compiled(pattern, value.isascii(), len(value) > LONG)
    return expression is None or len(value) > MAX_VALUE or bool(expression.fullmatch(value))


class _Translation:
    """Java's syntax as Python's: Unicode classes, surrogate pairs, ``\\z``, inline flags, loose hyphens."""

    def __init__(self, pattern: str, last: int) -> None:
        self._last = last
        # Pairs of surrogates stand for the planes above the first, which are single characters in Python.
        pattern = pattern.replace(_SURROGATES, "\\U00010000-\\U0010ffff")
        # A quantified anchor is as good as the anchor.
        self._pattern = re.sub(r"(?<!\\)\$\{\d+,\d*\}", "$", pattern)
        self._flags = ""
        for flag in ("(?i)", "(?s)"):
            if flag in self._pattern:
                self._pattern = self._pattern.replace(flag, "")
                self._flags += flag

    def text(self) -> str:
        pattern = self._pattern
        output: list[str] = [self._flags]
        position, start = 0, -1
        while position < len(pattern):
            character = pattern[position]
            if character == "\\" and position + 1 < len(pattern):
                text, position = self._escape(position, start >= 0)
                output.append(text)
                continue
            if start < 0:
                if character == "[":
                    start = position
                # Matching is anchored anyway.
                if not (character == "^" and position == 0) and not (character == "$" and position == len(pattern) - 1):
                    output.append(character)
            elif character == "]" and position > start + (2 if pattern.startswith("^", start + 1) else 1):
                output.append("]")
                start = -1
            elif pattern.startswith("&&", position):
                raise ValueError("intersections have no counterpart")
            elif character in "[|~&" or (character == "-" and _is_loose(pattern, position, start)):
                output.append("\\" + character)
            else:
                output.append(character)
            position += 1
        return "".join(output)

    def _escape(self, position: int, in_class: bool) -> tuple[str, int]:
        pattern, following = self._pattern, self._pattern[position + 1]
        if following in "pPx" and pattern.startswith("{", position + 2):
            end = pattern.index("}", position)
            name = pattern[position + 3 : end]
            if following == "x":
                return f"\\U{int(name, 16):08x}", end + 1
            characters = _class_characters(name, following == "P", self._last)
            # An empty class has no syntax of its own.
            return (characters if in_class else f"[{characters}]" if characters else "(?!)"), end + 1
        if following in "zZ":
            return "\\Z", position + 2
        if following in _ESCAPES:
            characters = _ESCAPES[following]
            return (characters if in_class else f"[{characters}]"), position + 2
        if following in "WDS" and not in_class:
            return f"[^{_ESCAPES[following.lower()]}]", position + 2
        if following in "WDSuUxtnrfaAbB" or following.isdigit():
            return "\\" + following, position + 2
        return re.escape(following), position + 2


def _is_loose(pattern: str, position: int, class_start: int) -> bool:
    """Whether a hyphen in a class is itself: beside a class such as ``\\w`` or ``\\p{L}``, where Java takes it
    literally."""
    before, after = pattern[:position], pattern[position + 1 : position + 3]
    behind_class = re.search(r"(?<!\\)(?:\\\\)*\\(?:[wdsWDS]|[pP]\{\w+\})\Z", before[class_start:]) is not None
    return behind_class or (len(after) == 2 and after[0] == "\\" and after[1] in "wdsWDSpP")


def _class_characters(name: str, negated: bool, last: int) -> str:
    """The inside of a character class for ``\\p{name}``, up to the character number ``last``."""
    if name in _POSIX:
        if negated:
            raise ValueError(f"the negation of {name} has no counterpart")
        return _POSIX[name]
    return _ranges(_CATEGORIES.get(name, (name.removeprefix("Is"),)), negated, last)


@cache
def _ranges(categories: tuple[str, ...], negated: bool, last: int) -> str:
    """All characters whose Unicode category starts with one of ``categories``, as ranges for a character class."""
    if not all(re.fullmatch("[LMNPSZC][a-z]?", category) for category in categories):
        raise ValueError(f"unknown category: {categories}")
    return "".join(
        f"\\U{start:08x}-\\U{end:08x}"
        for category, start, end in _runs(last)
        if category.startswith(categories) != negated
    )


@cache
def _runs(last: int) -> tuple[tuple[str, int, int], ...]:
    """Runs of characters of the same Unicode category: category, first, last. All of Unicode takes a quarter of a
    second."""
    runs: list[tuple[str, int, int]] = []
    start, current = 0, unicodedata.category("\0")
    for code, category in enumerate(map(unicodedata.category, map(chr, range(last + 1)))):
        if category is not current and category != current:
            runs.append((current, start, code - 1))
            start, current = code, category
    runs.append((current, start, last))
    return tuple(runs)
