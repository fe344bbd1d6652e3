"""Which REST operation a method, a path and a query mean, compiled from the ``requestUri`` templates of service
models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from clary.wire.catalog import Service

_LABEL = re.compile(r"\{([^}]+)\}")


class RestOperation(NamedTuple):
    """One operation and what tells it apart from others with the same path."""

    service: Service
    name: str
    literals: tuple[tuple[str, str | None], ...]
    """Query parameters that the template spells out, with their value if it gives one."""
    queries: tuple[str, ...]
    """Query parameters that are required members of the input."""
    headers: tuple[str, ...]
    """Headers (lower-case) that are required members of the input."""
    deprecated: bool


class _Group:
    """The operations that share a method and a path template, so that the path is matched once for all of them."""

    def __init__(self, pattern: re.Pattern[str], weight: tuple[int, int]) -> None:
        self.pattern = pattern
        # How specific the path is: the number of literal characters, and minus the number of greedy labels.
        self.weight = weight
        self.plain: list[RestOperation] = []
        self.by_literal: dict[str, list[RestOperation]] = {}
        self.alone: RestOperation | None = None

    def add(self, entry: RestOperation) -> None:
        where = self.by_literal.setdefault(entry.literals[0][0], []) if entry.literals else self.plain
        where.append(entry)
        # The models' own order decides between equals, but what is deprecated comes last.
        where.sort(key=lambda known: known.deprecated)
        self.alone = self.plain[0] if len(self.plain) == 1 and not self.by_literal else None

    def choose(self, query: str, headers: Mapping[str, str]) -> RestOperation | None:
        if self.alone is not None:
            return self.alone
        given = _parameters(query) if query else {}
        fitting = [
            entry
            for key in given
            if key in self.by_literal
            for entry in self.by_literal[key]
            if all(name in given and (value is None or given[name] == value) for name, value in entry.literals)
        ]
        best: RestOperation | None = None
        best_score: tuple[int, bool, int, int] | None = None
        for entry in (*fitting, *self.plain):
            missing = present = 0
            for name in entry.queries:
                if name in given:
                    present += 1
                else:
                    missing += 1
            for name in entry.headers:
                if name in headers:
                    present += 1
                else:
                    missing += 1
            # What the template spells out decides, then whether all required parts are there, then how many there are.
            score = (len(entry.literals), missing == 0, present, -missing)
            if best_score is None or score > best_score:
                best, best_score = entry, score
        return best


class Matcher:
    """Finds the operation of a request among those of several services."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._table: dict[tuple[str, str | None], list[_Group]] = {}
        groups: dict[tuple[str, str], _Group] = {}
        for service in services:
            for name, operation in service.description["operations"].items():
                self._add(groups, service, name, operation)
        for entries in self._table.values():
            entries.sort(key=lambda group: group.weight, reverse=True)

    def _add(
        self, groups: dict[tuple[str, str], _Group], service: Service, name: str, operation: Mapping[str, Any]
    ) -> None:
        http = operation.get("http", {})
        method = http.get("method", "POST")
        path, _, query = http.get("requestUri", "/").partition("?")
        pattern = path_pattern(path)
        group = groups.get((method, pattern.pattern))
        if group is None:
            group = _Group(pattern, (len(_LABEL.sub("", path)), -path.count("+}")))
            groups[method, pattern.pattern] = group
            first = path.split("/", 2)[1] if path.startswith("/") else ""
            self._table.setdefault((method, None if "{" in first else first), []).append(group)
        queries, headers = _required(service, operation)
        group.add(
            RestOperation(service, name, tuple(_literals(query)), queries, headers, bool(operation.get("deprecated")))
        )

    def match(
        self, method: str, path: str, query: str, headers: Mapping[str, str]
    ) -> tuple[RestOperation, re.Match[str]] | None:
        """The operation that fits best, and the match of its path (groups are the labels, still percent-encoded)."""
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        for key in (first, None):
            for group in self._table.get((method, key), ()):
                match = group.pattern.match(path)
                if match is not None and (entry := group.choose(query, headers)) is not None:
                    return entry, match
        return None


def path_pattern(template: str) -> re.Pattern[str]:
    """A pattern with one named group per label; ``{Name+}`` takes slashes too. A slash at the end of the path is
    ignored."""
    parts: list[str] = []
    position = 0
    for number, label in enumerate(_LABEL.finditer(template)):
        parts.append(re.escape(template[position : label.start()]))
        parts.append(f"(?P<label{number}>.+)" if label[1].endswith("+") else f"(?P<label{number}>[^/]+)")
        position = label.end()
    parts.append(re.escape(template[position:].rstrip("/") if parts else template[position:]))
    closing = r"\Z" if template.endswith("+}") or template == "/" else r"/?\Z"
    return re.compile("".join(parts) + closing, re.DOTALL)


def labels(template: str) -> list[str]:
    """The names of a template's labels in order, without the plus sign of greedy ones."""
    return [label.rstrip("+") for label in _LABEL.findall(template)]


def _literals(query: str) -> Iterable[tuple[str, str | None]]:
    for part in filter(None, query.split("&")):
        key, equals, value = part.partition("=")
        yield key, value if equals else None


def _required(service: Service, operation: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    shape = service.description["shapes"].get(operation.get("input", {}).get("shape"), {})
    queries, headers = [], []
    for name in shape.get("required", ()):
        member = shape["members"][name]
        if member.get("location") == "querystring":
            queries.append(member.get("locationName", name))
        elif member.get("location") == "header":
            headers.append(member.get("locationName", name).lower())
    return tuple(queries), tuple(headers)


def _parameters(query: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key:
            given.setdefault(unquote_plus(key), unquote_plus(value))
    return given
