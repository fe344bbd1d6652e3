"""Texts of policies that may hold wildcards and policy variables.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

Context = Mapping[str, Sequence[str]]
"""What is known of a request: values as text, by condition key in lower case."""


class Several(tuple[str, ...]):
    """The values of a key that may have several of them, however many they are in this request.

    Reference:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """

    __slots__ = ()


class _Part(NamedTuple):
    kind: Literal["text", "any", "one", "variable", "value"]
    text: str = ""
    default: str | None = None


_SPECIAL = re.compile(r"\$\{([^}]*)\}|\*|\?")
_VARIABLE = re.compile(r"\s*([^,\s]+)\s*(?:,\s*'(.*)'\s*)?", re.DOTALL)


def _split(text: str, wildcards: bool, variables: bool) -> list[_Part]:
    parts: list[_Part] = []
    end = 0
    for match in _SPECIAL.finditer(text):
        token = match.group()
        part: _Part | None = None
        if token == "*":
            part = _Part("any") if wildcards else None
        elif token == "?":
            part = _Part("one") if wildcards else None
        elif variables:
            name = match.group(1)
            if name in ("*", "?", "$"):
                part = _Part("text", name)
            elif variable := _VARIABLE.fullmatch(name):
                part = _Part("variable", variable.group(1).lower(), variable.group(2))
        if part is None:
            continue
        if match.start() > end:
            parts.append(_Part("text", text[end : match.start()]))
        parts.append(part)
        end = match.end()
    if end < len(text):
        parts.append(_Part("text", text[end:]))
    return parts


def _value(part: _Part, context: Context) -> str | None:
    values = context.get(part.text)
    if values and not isinstance(values, Several):
        return values[0]
    # A key that may have several values, or has none, cannot stand for one text.
    return part.default


class Pattern:
    """One text of a policy: matches other texts, after the request's values took the place of variables.

    In a pattern of ARNs a wildcard stays within its part, unless it is the pattern's last character.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """

    __slots__ = ("_arn", "_exact", "_fold", "_parts", "_prefix", "_regex", "_resolved", "_variables", "text")

    def __init__(self, text: str, *, wildcards: bool, variables: bool, fold: bool = False, arn: bool = False) -> None:
        self.text = text
        self._fold = fold
        self._arn = arn
        parts = _split(text.lower() if fold and "${" not in text else text, wildcards, variables)
        self._exact: str | None = None
        self._prefix: str | None = None
        self._regex: re.Pattern[str] | None = None
        self._parts: tuple[_Part, ...] | None = None
        self._variables = tuple(part for part in parts if part.kind == "variable")
        self._resolved: dict[tuple[str, ...], re.Pattern[str]] = {}
        kinds = [part.kind for part in parts]
        if "variable" in kinds:
            self._parts = tuple(parts)
        elif all(kind == "text" for kind in kinds):
            self._exact = "".join(part.text for part in parts)
            self._exact = self._exact.lower() if fold else self._exact
        elif kinds in (["any"], ["text", "any"]):
            self._prefix = parts[0].text if len(parts) == 2 else ""
        else:
            self._regex = _compile(tuple(parts), fold, arn)

    @property
    def is_everything(self) -> bool:
        """Whether this is ``*``."""
        return self._prefix == ""

    @property
    def has_variables(self) -> bool:
        return self._parts is not None

    @property
    def exact(self) -> str | None:
        """The only text that matches, if there is just one."""
        return self._exact

    @property
    def prefix(self) -> str | None:
        """What a text must begin with, if nothing else is asked of it."""
        return self._prefix

    @property
    def regex(self) -> str | None:
        """The regular expression, where it takes one."""
        return self._regex.pattern if self._regex is not None else None

    def matches(self, value: str, context: Context) -> bool:
        """Whether ``value`` as a whole fits; a variable without value or default fits nothing."""
        if self._parts is None:
            if self._fold:
                value = value.lower()
            if self._exact is not None:
                return value == self._exact
            if self._prefix is not None:
                return value.startswith(self._prefix)
            assert self._regex is not None
            return self._regex.match(value) is not None
        values = []
        for variable in self._variables:
            text = _value(variable, context)
            if text is None:
                return False
            values.append(text)
        regex = self._resolved.get(key := tuple(values))
        if regex is None:
            if len(self._resolved) >= _RESOLVED_KEPT:
                self._resolved.clear()
            regex = self._resolved[key] = self._with(values)
        return regex.match(value.lower() if self._fold else value) is not None

    def _with(self, values: Sequence[str]) -> re.Pattern[str]:
        """The regular expression with these values in the variables' places."""
        assert self._parts is not None
        left = iter(values)
        parts = tuple(_Part("value", next(left)) if part.kind == "variable" else part for part in self._parts)
        return _compile(parts, self._fold, self._arn)


class PatternSet:
    """Several patterns with wildcards: matches what one of them matches, in about the time of one."""

    __slots__ = ("_dynamic", "_everything", "_exact", "_fold", "_prefixes", "_regex")

    def __init__(self, texts: Sequence[str], *, variables: bool, fold: bool = False, arn: bool = False) -> None:
        patterns = [Pattern(text, wildcards=True, variables=variables, fold=fold, arn=arn) for text in texts]
        self._fold = fold
        self._everything = any(pattern.is_everything for pattern in patterns)
        self._exact = frozenset(pattern.exact for pattern in patterns if pattern.exact is not None)
        self._prefixes = tuple(pattern.prefix for pattern in patterns if pattern.prefix)
        sources = [pattern.regex for pattern in patterns if pattern.regex is not None]
        self._regex = re.compile("|".join(sources), re.DOTALL) if sources else None
        self._dynamic = tuple(pattern for pattern in patterns if pattern.has_variables)

    @property
    def is_everything(self) -> bool:
        """Whether it matches any text."""
        return self._everything

    @property
    def is_fixed(self) -> bool:
        """Whether what it matches does not depend on the context."""
        return not self._dynamic

    def matches(self, value: str, context: Context) -> bool:
        """Whether ``value`` as a whole fits one of the patterns."""
        if self._everything:
            return True
        if self._fold:
            value = value.lower()
        if value in self._exact or value.startswith(self._prefixes):
            return True
        if self._regex is not None and self._regex.match(value) is not None:
            return True
        return bool(self._dynamic) and any(pattern.matches(value, context) for pattern in self._dynamic)


@lru_cache(maxsize=4096)
def _compile(parts: tuple[_Part, ...], fold: bool, arn: bool) -> re.Pattern[str]:
    # Each `*` and the text after it are one atomic group that takes the first place where they fit: right for
    # wildcards, and never more than the product of both lengths, whatever the pattern.
    heads: list[str] = [""]
    runs: list[str] = [""]
    colons = 0
    for index, part in enumerate(parts):
        within = arn and colons < _ARN_COLONS
        if part.kind == "any":
            heads.append("[^:]*" if within and index < len(parts) - 1 else ".*")
            runs.append("")
        elif part.kind == "one":
            runs[-1] += "[^:]" if within else "."
        else:
            if part.kind == "text":
                colons += part.text.count(":")
            elif within and ":" in part.text:
                # A value of the request, a tag perhaps, shall not make parts of an ARN.
                return _NOTHING
            runs[-1] += re.escape(part.text.lower() if fold else part.text)
    if len(runs) == 1:
        return re.compile(runs[0] + r"\Z", re.DOTALL)
    middle = "".join(f"(?>{head}?{run})" for head, run in zip(heads[1:-1], runs[1:-1], strict=True) if run)
    return re.compile(f"{runs[0]}{middle}{heads[-1]}{runs[-1]}\\Z", re.DOTALL)


_ARN_COLONS = 5
_RESOLVED_KEPT = 256
_NOTHING = re.compile(r"(?!)")


class ArnPattern:
    """A pattern for ARNs whose six parts match one by one, so that a wildcard stays within its part."""

    __slots__ = ("_parts", "text")

    def __init__(self, text: str, *, variables: bool) -> None:
        self.text = text
        # Colons inside `${…}` do not part anything.
        pieces: list[str] = [""]
        depth = 0
        for index, character in enumerate(text):
            if character == "$" and text[index + 1 : index + 2] == "{":
                depth += 1
            elif character == "}" and depth:
                depth -= 1
            if character == ":" and not depth and len(pieces) < 6:
                pieces.append("")
            else:
                pieces[-1] += character
        self._parts = tuple(Pattern(piece, wildcards=True, variables=variables) for piece in pieces)

    def matches(self, value: str, context: Context) -> bool:
        """Whether the ARN ``value`` fits."""
        if len(self._parts) == 1:
            return self._parts[0].matches(value, context)
        values = value.split(":", 5)
        return len(values) == len(self._parts) and all(
            part.matches(text, context) for part, text in zip(self._parts, values, strict=True)
        )
