"""What a search is asked: the space, and everything that was tried in it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_POINTS = 1000
"""That one request may ask for."""


class RequestError(ValueError):
    """The request cannot be understood; the message names the place."""


@dataclass(frozen=True)
class Trial:
    """A point that was tried, or is being tried.

    ``value`` is the objective there; without one the trial is still running, unless it ``failed``.
    """

    point: tuple[float, ...]
    value: float | None
    failed: bool = False


@dataclass(frozen=True)
class Parent:
    """A point of an earlier search. Where ``similar`` is false, its value is comparable only within its ``group``:
    another search, on other data."""

    point: tuple[float, ...]
    value: float
    similar: bool
    group: int


@dataclass(frozen=True)
class Request:
    """Asks for ``count`` points to try next.

    ``dimensions`` has 0 for a number from 0 to 1, and k for one of k categories: there a point has a number, or an
    index.
    """

    dimensions: tuple[int, ...]
    maximize: bool
    seed: int
    count: int
    trials: tuple[Trial, ...]
    parents: tuple[Parent, ...]


def read_request(line: str | bytes) -> Request:
    """The request in one line of JSON. Members and their defaults: ``dimensions``; ``maximize`` (false); ``seed`` (0);
    ``count`` (1); ``trials`` (none), objects of ``point``, ``value`` (null) and ``failed`` (false); ``parents`` (none),
    objects of ``point``, ``value``, ``similar`` (false) and ``group`` (0). Raises ``RequestError``."""
    try:
        document = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the request is no JSON: {error}") from error
    members = _members(document, "the request", ("dimensions", "maximize", "seed", "count", "trials", "parents"))
    sizes = _list(members.get("dimensions"), "dimensions")
    dimensions = tuple(_whole(size, f"dimensions[{i}]", 0) for i, size in enumerate(sizes))
    if not dimensions:
        raise RequestError("dimensions: there are none")
    return Request(
        dimensions,
        _truth(members.get("maximize", False), "maximize"),
        _whole(members.get("seed", 0), "seed", 0),
        _whole(members.get("count", 1), "count", 1, MOST_POINTS),
        tuple(
            _trial(each, dimensions, f"trials[{i}]")
            for i, each in enumerate(_list(members.get("trials", []), "trials"))
        ),
        tuple(
            _parent(each, dimensions, f"parents[{i}]")
            for i, each in enumerate(_list(members.get("parents", []), "parents"))
        ),
    )


def _trial(value: object, dimensions: tuple[int, ...], where: str) -> Trial:
    members = _members(value, where, ("point", "value", "failed"))
    given = members.get("value")
    return Trial(
        _point(members.get("point"), dimensions, f"{where}.point"),
        None if given is None else _number(given, f"{where}.value"),
        _truth(members.get("failed", False), f"{where}.failed"),
    )


def _parent(value: object, dimensions: tuple[int, ...], where: str) -> Parent:
    members = _members(value, where, ("point", "value", "similar", "group"))
    return Parent(
        _point(members.get("point"), dimensions, f"{where}.point"),
        _number(members.get("value"), f"{where}.value"),
        _truth(members.get("similar", False), f"{where}.similar"),
        _whole(members.get("group", 0), f"{where}.group", 0),
    )


def _point(value: object, dimensions: tuple[int, ...], where: str) -> tuple[float, ...]:
    numbers = _list(value, where)
    if len(numbers) != len(dimensions):
        raise RequestError(f"{where}: has {len(numbers)} numbers where the space has {len(dimensions)} dimensions")
    point = []
    for i, (number, size) in enumerate(zip(numbers, dimensions, strict=True)):
        if size:
            point.append(float(_whole(number, f"{where}[{i}]", 0, size - 1)))
            continue
        coordinate = _number(number, f"{where}[{i}]")
        if not 0 <= coordinate <= 1:
            raise RequestError(f"{where}[{i}]: {coordinate!r} is not from 0 to 1")
        point.append(coordinate)
    return tuple(point)


def _members(value: object, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RequestError(f"{where}: must be an object")
    unknown = sorted(value.keys() - set(known))
    if unknown:
        raise RequestError(f"{where}: unknown member {unknown[0]!r}")
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise RequestError(f"{where}: must be a list")
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(f"{where}: must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RequestError(f"{where}: must be a finite number")
    return number


def _whole(value: object, where: str, least: int, most: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise RequestError(f"{where}: must be a whole number")
    if value < least or (most is not None and value > most):
        raise RequestError(f"{where}: must be {f'from {least} to {most}' if most is not None else f'{least} or more'}")
    return value


def _truth(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise RequestError(f"{where}: must be true or false")
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number")
