"""Declaring an algorithm's hyperparameters: types, ranges and rules, with the wording of the refusals.

Only the standard library: the control plane reads these declarations too, so that a wrong value can be refused when the
job is created rather than when it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clary_runtimes.contract.errors import UserError


@dataclass(frozen=True)
class Interval:
    """Numbers between two ends, each of which may be open or absent."""

    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    open_maximum: bool = False

    def __contains__(self, value: float) -> bool:
        if self.minimum is not None and (value < self.minimum or (self.open_minimum and value == self.minimum)):
            return False
        if self.maximum is not None and (value > self.maximum or (self.open_maximum and value == self.maximum)):
            return False
        return value == value  # NaN lies nowhere

    def __str__(self) -> str:
        low = "(-inf" if self.minimum is None else f"{'(' if self.open_minimum else '['}{self.minimum}"
        high = "+inf)" if self.maximum is None else f"{self.maximum}{')' if self.open_maximum else ']'}"
        return f"{low}, {high}"


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter: how its text is read and which values it may have.

    ``words`` are texts allowed beside the proper type (``auto``) and kept as they are. ``recommended`` is the
    documented range for automatic tuning.
    """

    name: str
    required: bool = False
    default: str | None = None
    words: tuple[str, ...] = ()
    tunable: bool = False
    recommended: tuple[str, str] | tuple[str, ...] | None = None

    kind = "FreeText"

    def parse(self, text: str) -> Any:
        """The value that ``text`` means; raises ``ValueError`` if it means none."""
        return text

    def allows(self, value: Any) -> bool:
        return True

    @property
    def expectation(self) -> str:
        """What a value may be, in words."""
        return "a text"


@dataclass(frozen=True)
class Integer(Hyperparameter):
    """A whole number in ``range``."""

    range: Interval = field(default_factory=Interval)

    kind = "Integer"

    def parse(self, text: str) -> int:
        return int(text)

    def allows(self, value: Any) -> bool:
        return value in self.range

    @property
    def expectation(self) -> str:
        return f"an integer in {self.range}"


@dataclass(frozen=True)
class Continuous(Hyperparameter):
    """A number in ``range``."""

    range: Interval = field(default_factory=Interval)

    kind = "Continuous"

    def parse(self, text: str) -> float:
        return float(text)

    def allows(self, value: Any) -> bool:
        return value in self.range

    @property
    def expectation(self) -> str:
        return f"a number in {self.range}"


@dataclass(frozen=True)
class Categorical(Hyperparameter):
    """One of ``range``."""

    range: tuple[str, ...] = ()

    kind = "Categorical"

    def allows(self, value: Any) -> bool:
        return value in self.range

    @property
    def expectation(self) -> str:
        return f"one of {list(self.range)}"


@dataclass(frozen=True)
class Boolean(Hyperparameter):
    """``true`` or ``false``; Python's spelling is accepted too, since clients send ``str(True)``."""

    kind = "Categorical"
    range = ("true", "false")

    def parse(self, text: str) -> bool:
        lowered = text.lower()
        if lowered not in self.range:
            raise ValueError(text)
        return lowered == "true"

    @property
    def expectation(self) -> str:
        return "'true' or 'false'"


@dataclass(frozen=True)
class Names(Hyperparameter):
    """Names separated by commas, each allowed by ``member``."""

    member: Callable[[str], bool] = bool
    described: str = ""

    def parse(self, text: str) -> list[str]:
        return text.split(",")

    def allows(self, value: Any) -> bool:
        return all(self.member(name) for name in value)

    @property
    def expectation(self) -> str:
        return self.described


@dataclass(frozen=True)
class Literal(Hyperparameter):
    """A Python tuple or nested list of whole numbers, as the XGBoost constraints are written."""

    nested: bool = False
    minimum: int = 0
    maximum: int | None = None

    def parse(self, text: str) -> Any:
        try:
            value = ast.literal_eval(text)
        except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
            raise ValueError(text) from error
        if isinstance(value, int) and not self.nested:
            value = (value,)
        groups = value if self.nested else [value]
        if not isinstance(groups, (list, tuple)) or not all(isinstance(group, (list, tuple)) for group in groups):
            raise ValueError(text)
        if not all(isinstance(item, int) for group in groups for item in group):
            raise ValueError(text)
        return value

    def allows(self, value: Any) -> bool:
        items = [item for group in value for item in group] if self.nested else list(value)
        return all(item >= self.minimum and (self.maximum is None or item <= self.maximum) for item in items)

    @property
    def expectation(self) -> str:
        return str(Interval(self.minimum, self.maximum)) if self.nested else "[-1, 0, 1]"


class Wording:
    """How refusals are phrased; each algorithm family has its own documented form."""

    def missing(self, parameter: Hyperparameter) -> str:
        return f"Missing required hyperparameter: {parameter.name}"

    def extraneous(self, name: str) -> str:
        return f"Extraneous hyperparameter found: {name}"

    def unreadable(self, parameter: Hyperparameter, text: str) -> str:
        return f"Hyperparameter {parameter.name}: could not parse value (caused by ValueError)"

    def outside(self, parameter: Hyperparameter, text: str, value: Any) -> str:
        if isinstance(parameter, (Names, Literal)):
            return f"Hyperparameter {parameter.name}: value {value} not in range {parameter.expectation}"
        allowed = parameter.range if isinstance(parameter, (Integer, Continuous)) else parameter.expectation[7:]
        return f"Hyperparameter {parameter.name}: {value} is not in {allowed}"


class SchemaWording(Wording):
    """The form of the first-party algorithms, which check their hyperparameters against a JSON schema."""

    def missing(self, parameter: Hyperparameter) -> str:
        return f"'{parameter.name}' is a required property"

    def extraneous(self, name: str) -> str:
        return f"Additional properties are not allowed ('{name}' was unexpected)"

    def unreadable(self, parameter: Hyperparameter, text: str) -> str:
        choices = [parameter.expectation, *(f"'{word}'" for word in parameter.words)]
        return f"Hyperparameter {parameter.name}: '{text}' is not valid, it must be {' or '.join(choices)}"

    def outside(self, parameter: Hyperparameter, text: str, value: Any) -> str:
        if isinstance(parameter, Categorical):
            return f"Hyperparameter {parameter.name}: '{text}' is not one of {list(parameter.range)}"
        return self.unreadable(parameter, text)


Rule = Callable[[Mapping[str, Any]], Iterable[str]]


class Specification:
    """All hyperparameters of one algorithm, the aliases of their names, and the rules that join several of them."""

    def __init__(
        self,
        parameters: Sequence[Hyperparameter],
        aliases: Mapping[str, str] | None = None,
        rules: Sequence[Rule] = (),
        wording: Wording | None = None,
    ) -> None:
        self.parameters = {parameter.name: parameter for parameter in parameters}
        self.aliases = dict(aliases or {})
        self.rules = tuple(rules)
        self.wording = wording or Wording()

    def validate(self, given: Mapping[str, str]) -> list[str]:
        """What is wrong with ``given``, one message a fault; empty if nothing is."""
        return self._read(given)[1]

    def parse(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The typed values, defaults filled in; names without default that are not given are absent.

        Raises ``UserError`` with every message of ``validate``.
        """
        values, messages = self._read(given)
        if messages:
            raise UserError("\n".join(messages))
        return values

    def _read(self, given: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        texts = {self.aliases.get(name, name): text for name, text in given.items()}
        messages = [
            self.wording.missing(parameter)
            for parameter in self.parameters.values()
            if parameter.required and parameter.name not in texts
        ]
        values: dict[str, Any] = {}
        for parameter in self.parameters.values():
            if parameter.default is not None and parameter.name not in texts:
                texts[parameter.name] = parameter.default
        for name, text in texts.items():
            if name not in self.parameters:
                messages.append(self.wording.extraneous(name))
                continue
            parameter = self.parameters[name]
            if text in parameter.words:
                values[name] = text
                continue
            try:
                value = parameter.parse(text)
            except ValueError:
                messages.append(self.wording.unreadable(parameter, text))
                continue
            if parameter.allows(value):
                values[name] = value
            else:
                messages.append(self.wording.outside(parameter, text, value))
        for rule in self.rules:
            messages.extend(rule(values))
        return values, messages
