"""Matching in linear time, for the patterns whose nested repetitions make a backtracking matcher take forever.

A pattern becomes a nondeterministic automaton, and the sets of states that it can be in become a deterministic one
while it runs.
"""

from __future__ import annotations

import re
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple, TypeGuard

MAX_STATES = 20_000
_MAX_CACHED = 5_000
_MANY = 8
_SINGLE = (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY)

# What an edge asks of the next character; the anchors ask for a place, and None asks for nothing.
_Test = re.Pattern[str]
_BEGIN = re.compile("^")
_END = re.compile("$")
_SAMPLE = "".join(map(chr, range(128))) + "\xa0\u00e9\u4e2d\U0001f600"


class Unsupported(ValueError):
    """The pattern uses what an automaton cannot do: back references, or long assertions in its middle."""


class _Look(NamedTuple):
    """An assertion about the next or the previous character."""

    test: re.Pattern[str]
    wanted: bool
    is_behind: bool


def is_risky(pattern: str, is_long: bool = False) -> bool:
    """Whether backtracking may be slow: in exponential time, or for a long value in quadratic time.

    The first needs a repetition of something that is more than one character, the second two repetitions.
    """
    count, is_nested = _repetitions(parser.parse(pattern))
    return is_nested or (is_long and count > 1)


def _repetitions(items: Any) -> tuple[int, bool]:
    """How many long repetitions there are, and whether one of them repeats more than a single character."""
    count, is_nested = 0, False
    for kind, value in items:
        inner: list[Any] = []
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            inner = [value[2]]
            if value[1] > _MANY:
                count += 1
                is_nested = is_nested or not _is_single(value[2])
        elif kind is sre.SUBPATTERN:
            inner = [value[3]]
        elif kind is sre.BRANCH:
            inner = list(value[1])
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            inner = [value[1]]
        for part in inner:
            part_count, part_is_nested = _repetitions(part)
            count, is_nested = count + part_count, is_nested or part_is_nested
    return count, is_nested


def _is_single(items: Any) -> bool:
    """Whether a pattern is for exactly one character, within groups or not."""
    if len(items) != 1:
        return False
    kind, value = items[0]
    return kind in _SINGLE or (kind is sre.SUBPATTERN and _is_single(value[3]))


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
        self._looks: list[_Look] = []
        self._edges: list[list[tuple[_Test | _Look | None, int]]] = []
        self._start = self._state()
        self._end = self._sequence(items, self._start)
        self._table: dict[frozenset[int], dict[str, frozenset[int]]] = {}

    def fullmatch(self, value: str) -> bool:
        """Whether the whole value fits."""
        if any(automaton.fullmatch(value) != wanted for wanted, automaton in self._assertions):
            return False
        states = self._closure({self._start}, {_BEGIN})
        if self._looks:
            return self._match_looking(value, states)
        for character in value:
            row = self._table.get(states)
            if row is None:
                if len(self._table) >= _MAX_CACHED:
                    self._table.clear()
                row = self._table[states] = {}
            after = row.get(character)
            if after is None:
                after = self._closure(self._step(states, character), set())
                if len(row) < 256:
                    row[character] = after
            if not after:
                return False
            states = after
        return self._end in self._closure(set(states), {_END} if value else {_BEGIN, _END})

    def _match_looking(self, value: str, states: frozenset[int]) -> bool:
        """The same for a pattern with assertions, where a set of states alone does not say what follows."""
        previous = ""
        for character in (*value, ""):
            passes: set[object] = set() if previous else {_BEGIN}
            if not character:
                passes.add(_END)
            for look in self._looks:
                neighbour = previous if look.is_behind else character
                if bool(neighbour and look.test.match(neighbour)) == look.wanted:
                    passes.add(look)
            states = self._closure(set(states), passes)
            if not character:
                break
            states = frozenset(self._step(states, character))
            previous = character
        return self._end in states

    def _step(self, states: frozenset[int], character: str) -> set[int]:
        """The states behind one character."""
        return {
            target
            for state in states
            for test, target in self._edges[state]
            if _consumes(test) and test.match(character)
        }

    @property
    def is_deterministic(self) -> bool:
        """Whether no character ever leaves a choice; then backtracking takes linear time too."""
        starts = {self._start} | {target for edges in self._edges for test, target in edges if _consumes(test)}
        characters: dict[_Test, int] = {}
        for start in starts:
            seen, reached, waiting = 0, {start}, [start]
            while waiting:
                for test, target in self._edges[waiting.pop()]:
                    if not _consumes(test):
                        if target in reached:
                            return False  # There are two ways to get there.
                        reached.add(target)
                        waiting.append(target)
                        continue
                    if test not in characters:
                        characters[test] = sum(1 << bit for bit, sample in enumerate(_SAMPLE) if test.match(sample))
                    if seen & characters[test]:
                        return False
                    seen |= characters[test]
        return True

    def _closure(self, states: set[int], passes: set[Any]) -> frozenset[int]:
        """All states that can be reached without a character, through the anchors and assertions that hold here."""
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
        if kind in _SINGLE:
            after = self._state()
            self._edges[state].append((_test(kind, value, self._flags), after))
            return after
        if kind is sre.AT and value in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING, sre.AT_END, sre.AT_END_STRING):
            after = self._state()
            self._edges[state].append((_BEGIN if value in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING) else _END, after))
            return after
        if kind in (sre.ASSERT, sre.ASSERT_NOT) and len(value[1]) == 1 and value[1][0][0] in _SINGLE:
            ((single, detail),) = value[1]
            look = _Look(_test(single, detail, self._flags), kind is sre.ASSERT, value[0] < 0)
            self._looks.append(look)
            after = self._state()
            self._edges[state].append((look, after))
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


def _consumes(test: _Test | _Look | None) -> TypeGuard[_Test]:
    return test is not None and test is not _BEGIN and test is not _END and not isinstance(test, _Look)


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
