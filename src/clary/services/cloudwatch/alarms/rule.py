"""The rules of composite alarms: read, and applied to the states of other alarms.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from clary.services.cloudwatch.errors import ValidationError

MOST_ALARMS = 100
MOST_ELEMENTS = 500
_TOKEN = re.compile(r'\s*(?:(?P<quoted>"[^"]*")|(?P<mark>[(),])|(?P<word>[^\s(),"]+))')
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")

States = Mapping[str, str]
"""The states of alarms by name."""
Term = Callable[[States], bool]


@dataclass
class Rule:
    """A rule that was read."""

    holds: Term
    """Whether it holds with alarms in these states; an alarm that is not there is in no state."""
    alarms: list[str] = field(default_factory=list)
    """The alarms in it, by name or ARN as they stand there, each once."""


def name_of(text: str) -> str:
    """The name of an alarm that a rule names by its name or by its ARN."""
    return text.split(":", 6)[6] if text.startswith("arn:") and text.count(":") >= 6 else text


@lru_cache(maxsize=1024)
def read_rule(text: str) -> Rule:
    """What ``AlarmRule`` says. Raises ``ValidationError`` if it is no rule."""
    if text != text.strip():
        raise ValidationError("AlarmRule must not contain leading or trailing whitespace or be null")
    return _Reader(text).read()


class _Reader:
    """Reads one rule: ``NOT`` binds closer than ``AND``, and that closer than ``OR``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._cut(text)
        self._next = 0
        self._elements = 0
        self._alarms: dict[str, None] = {}

    def _cut(self, text: str) -> list[str]:
        tokens, at = [], 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self._wrong(f"unexpected text at position {at}")
            tokens.append(match.group().strip())
            at = match.end()
        return tokens

    def read(self) -> Rule:
        holds = self._either()
        if self._next < len(self._tokens):
            raise self._wrong(f"unexpected {self._tokens[self._next]}")
        if len(self._alarms) > MOST_ALARMS:
            raise ValidationError(f"AlarmRule must not reference more than {MOST_ALARMS} alarms")
        if self._elements > MOST_ELEMENTS:
            raise ValidationError(f"AlarmRule must not have more than {MOST_ELEMENTS} elements")
        return Rule(holds, list(self._alarms))

    def _either(self) -> Term:
        terms = [self._both()]
        while self._takes("OR"):
            terms.append(self._both())
        return terms[0] if len(terms) == 1 else lambda states: any(term(states) for term in terms)

    def _both(self) -> Term:
        terms = [self._single()]
        while self._takes("AND"):
            terms.append(self._single())
        return terms[0] if len(terms) == 1 else lambda states: all(term(states) for term in terms)

    def _single(self) -> Term:
        self._elements += 1
        if self._takes("NOT"):
            inner = self._single()
            return lambda states: not inner(states)
        if self._takes("("):
            inner = self._either()
            self._must(")")
            return inner
        word = self._take()
        if word in ("TRUE", "FALSE"):
            return lambda states: word == "TRUE"
        if word == "AT_LEAST":
            return self._at_least()
        if word not in _STATES:
            raise self._wrong(f"unexpected {word}")
        self._must("(")
        name = self._name()
        self._must(")")
        return lambda states: states.get(name) == word

    def _at_least(self) -> Term:
        """``AT_LEAST(2, ALARM, (a, b, c))``, with a number or a percentage of the alarms, and perhaps ``NOT ALARM``."""
        self._must("(")
        number = self._take()
        self._must(",")
        wanted = not self._takes("NOT")
        state = self._take()
        if state not in _STATES or not re.fullmatch(r"[1-9]\d*%?", number):
            raise self._wrong(f"unexpected {number if state in _STATES else state} in AT_LEAST")
        self._must(",")
        self._must("(")
        names = [self._name()]
        while self._takes(","):
            names.append(self._name())
        self._must(")")
        self._must(")")
        self._elements += len(names)
        least = math.ceil(len(names) * int(number[:-1]) / 100) if number.endswith("%") else int(number)
        if least > len(names):
            raise self._wrong(f"AT_LEAST({number}, ...) has {len(names)} alarms")
        return lambda states: sum((states.get(name) == state) == wanted for name in names) >= least

    def _name(self) -> str:
        """A name in quotes, or the words up to the next mark."""
        words = []
        while self._next < len(self._tokens) and self._tokens[self._next] not in ("(", ")", ","):
            words.append(self._take())
        text = " ".join(words)
        text = text[1:-1] if text.startswith('"') and text.endswith('"') and len(words) == 1 else text
        if not text or '"' in text:
            raise self._wrong("an alarm's name is expected")
        name = name_of(text)
        self._alarms[name] = None
        return name

    def _takes(self, token: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next] == token:
            self._next += 1
            return True
        return False

    def _take(self) -> str:
        if self._next == len(self._tokens):
            raise self._wrong("unexpected end")
        self._next += 1
        return self._tokens[self._next - 1]

    def _must(self, token: str) -> None:
        if not self._takes(token):
            found = self._tokens[self._next] if self._next < len(self._tokens) else "the end"
            raise self._wrong(f"{token} is expected, not {found}")

    def _wrong(self, why: str) -> ValidationError:
        return ValidationError(f"Error in AlarmRule: {why}")
