"""Matching in linear time, for the patterns whose nested repetitions make a backtracking matcher take forever.

A pattern becomes a nondeterministic automaton, and the sets of states that it can be in become a deterministic one
while it runs.
"""

from __future__ import annotations

import re
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, TypeGuard

MAX_STATES = 20_000
_MAX_CACHED = 5_000
_MANY = 8

# What an edge asks of the next character; the anchors ask for a place, and None asks for nothing.
_Test = re.Pattern[str]
_BEGIN = re.compile("^")
_END = re.compile("$")
_SAMPLE = "".join(map(chr, range(128))) + "\xa0\u00e9\u4e2d\U0001f600"


class Unsupported(ValueError):
    """The pattern uses what an automaton cannot do: back references, or assertions in its middle."""


def is_risky(pattern: str, flags: int = 0) -> bool:
    """Whether a repetition stands within another one, so that backtracking may take exponential time."""
    return _nesting(parser.parse(pattern, flags)) > 1


def _nesting(items: Any) -> int:
    deepest = 0
    for kind, value in items:
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            depth = _nesting(value[2]) + (value[1] > _MANY)
        elif kind is sre.SUBPATTERN:
            depth = _nesting(value[3])
        elif kind is sre.BRANCH:
            depth = max(map(_nesting, value[1]))
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            depth = _nesting(value[1])
        else:
            depth = 0
        deepest = max(deepest, depth)
    return deepest


class Automaton:
    """A pattern (in Python's syntax) that answers ``fullmatch`` in a time proportional to the value's length.

    Raises ``Unsupported``.
    """

    def __init__(self, pattern: str) -> None:
        tree = parser.parse(pattern)
        self._flags = tree.state.flags & (re.IGNORECASE | re.DOTALL)
        items = list(tree)
        self._assertions: list[tuple[bool, Automaton]] = []
        while items and items[0][0] in (sre.ASSERT, sre.ASSERT_NOT) and items[0][1][0] > 0:
            kind, (_, inner) = items.pop(0)
            self._assertions.append((kind is sre.ASSERT, _prefix(list(inner), self._flags)))
        self._build(items)

    def _build(self, items: list[Any]) -> None:
        # A state is a list of (test, next state).
        self._edges: list[list[tuple[_Test | None, int]]] = []
        self._start = self._state()
        self._end = self._sequence(items, self._start)
        self._table: dict[frozenset[int], dict[str, frozenset[int]]] = {}

    def fullmatch(self, value: str) -> bool:
        """Whether the whole value fits."""
        if any(automaton.fullmatch(value) != wanted for wanted, automaton in self._assertions):
            return False
        states = self._closure({self._start}, _BEGIN)
        for character in value:
            row = self._table.get(states)
            if row is None:
                if len(self._table) >= _MAX_CACHED:
                    self._table.clear()
                row = self._table[states] = {}
            after = row.get(character)
            if after is None:
                reached = {
                    target
                    for state in states
                    for test, target in self._edges[state]
                    if _consumes(test) and test.match(character)
                }
                after = self._closure(reached)
                if len(row) < 256:
                    row[character] = after
            if not after:
                return False
            states = after
        return self._end in states or self._end in self._closure(set(states), _END, None if value else _BEGIN)

    @property
    def is_deterministic(self) -> bool:
        """Whether no character ever leaves a choice; then backtracking takes linear time too."""
        starts = {self._start} | {target for edges in self._edges for test, target in edges if _consumes(test)}
        characters: dict[_Test, int] = {}
        for start in starts:
            seen = 0
            for state in self._closure({start}, _BEGIN, _END):
                for test, _ in self._edges[state]:
                    if test is None or not _consumes(test):
                        continue
                    if test not in characters:
                        characters[test] = sum(
                            1 << number for number, sample in enumerate(_SAMPLE) if test.match(sample)
                        )
                    if seen & characters[test]:
                        return False
                    seen |= characters[test]
        return True

    def _closure(self, states: set[int], *passes: _Test | None) -> frozenset[int]:
        """All states that can be reached without a character, through the anchors that hold here."""
        waiting = list(states)
        while waiting:
            for test, target in self._edges[waiting.pop()]:
                if target not in states and (test is None or test in passes):
                    states.add(target)
                    waiting.append(target)
        return frozenset(states)

    def _state(self) -> int:
        if len(self._edges) >= MAX_STATES:
            raise Unsupported("the pattern needs too many states")
        self._edges.append([])
        return len(self._edges) - 1

    def _sequence(self, items: Any, state: int) -> int:
        for kind, value in items:
            state = self._item(kind, value, state)
        return state

    def _item(self, kind: Any, value: Any, state: int) -> int:
        if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
            after = self._state()
            self._edges[state].append((_test(kind, value, self._flags), after))
            return after
        if kind is sre.AT and value in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING, sre.AT_END, sre.AT_END_STRING):
            after = self._state()
            self._edges[state].append((_BEGIN if value in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING) else _END, after))
            return after
        if kind is sre.SUBPATTERN:
            if value[1] or value[2]:
                raise Unsupported("flags inside the pattern")
            return self._sequence(value[3], state)
        if kind is sre.BRANCH:
            after = self._state()
            for branch in value[1]:
                start = self._state()
                self._edges[state].append((None, start))
                self._edges[self._sequence(branch, start)].append((None, after))
            return after
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            return self._repeat(value[0], value[1], value[2], state)
        raise Unsupported(str(kind))

    def _repeat(self, least: int, most: int, items: Any, state: int) -> int:
        for _ in range(least):
            state = self._sequence(items, state)
        after = self._state()
        if most is sre.MAXREPEAT:
            loop = self._state()
            self._edges[state].append((None, loop))
            self._edges[self._sequence(items, loop)].append((None, loop))
            self._edges[loop].append((None, after))
            return after
        for _ in range(most - least):
            self._edges[state].append((None, after))
            state = self._sequence(items, state)
        self._edges[state].append((None, after))
        return after


def _consumes(test: _Test | None) -> TypeGuard[_Test]:
    return test is not None and test is not _BEGIN and test is not _END


def _prefix(items: list[Any], flags: int) -> Automaton:
    """An automaton for values that begin with the pattern."""
    automaton = Automaton.__new__(Automaton)
    automaton._flags = flags
    automaton._assertions = []
    anything = (sre.IN, [(sre.NEGATE, None), (sre.RANGE, (0x110000, 0x110000))])
    items = [*items, (sre.MAX_REPEAT, (0, sre.MAXREPEAT, [anything]))]
    automaton._build(items)
    return automaton


def _test(kind: Any, value: Any, flags: int) -> _Test:
    """A pattern for the one character that an edge takes."""
    if kind is sre.ANY:
        return re.compile(".", flags)
    if kind is sre.LITERAL:
        return re.compile(re.escape(chr(value)), flags)
    if kind is sre.NOT_LITERAL:
        return re.compile(f"[^\\U{value:08x}]", flags)
    negated = ""
    parts: list[str] = []
    for inner, detail in value:
        if inner is sre.NEGATE:
            negated = "^"
        elif inner is sre.LITERAL:
            parts.append(f"\\U{detail:08x}")
        elif inner is sre.RANGE and detail[0] <= 0x10FFFF:
            parts.append(f"\\U{detail[0]:08x}-\\U{detail[1]:08x}")
        elif inner is sre.CATEGORY:
            parts.append(_CATEGORIES[detail])
    if not parts:
        return re.compile("." if negated else "(?!)", re.DOTALL)
    return re.compile(f"[{negated}{''.join(parts)}]", flags)


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}
