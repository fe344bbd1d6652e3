"""The part of JSONPath that batch transform knows, for its input and output filters.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html, and what that leaves
open as https://github.com/json-path/JsonPath does it: the end of a slice is not part of it, a path that can select
several values gives a list, and several names of one object give an object.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Step = Callable[[list[Any]], list[Any]]

_DIGITS = "-0123456789"


class PathError(ValueError):
    """An expression cannot be read, or a document has nothing where it points."""


class JsonPath:
    """An expression, ready to be applied. Raises ``PathError`` if it cannot be read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_root = text.strip() in ("", "$")
        self.by_name = False
        """Whether it names attributes, which rows of CSV have none of."""
        self._definite = True
        self._steps: list[Step] = []
        if not self.is_root:
            self._read(text.strip())

    def apply(self, document: Any) -> Any:
        """What the expression selects. Raises ``PathError``."""
        found = [document]
        for step in self._steps:
            found = step(found)
        return found[0] if self._definite else found

    def row(self, cells: list[str]) -> list[str]:
        """The cells of a row that the expression selects; raises ``PathError``."""
        chosen = self.apply(cells)
        return chosen if isinstance(chosen, list) else [chosen]

    # -- reading

    def _read(self, text: str) -> None:
        if text[0] != "$":
            raise PathError(f"the JSONPath {text!r} must begin with $")
        place = 1
        while place < len(text):
            if text[place] == "[":
                place = self._bracket(text, place + 1)
            elif text[place] == ".":
                place = self._dotted(text, place + 1)
            else:
                raise PathError(f"the JSONPath {text!r} has {text[place]!r} where a . or [ is expected")

    def _dotted(self, text: str, place: int) -> int:
        if text[place : place + 1] == "[":
            return place
        end = place
        while end < len(text) and text[end] not in ".[":
            end += 1
        name = text[place:end]
        if not name or name != name.strip() or set(name) & set("]()'\"?@"):
            raise PathError(f"the JSONPath {text!r} has no attribute name after a dot")
        self._add(_all() if name == "*" else _named([name]), definite=name != "*", by_name=name != "*")
        return end

    def _bracket(self, text: str, place: int) -> int:
        words: list[tuple[str, bool]] = []
        while True:
            word, quoted, place = _word(text, place)
            words.append((word, quoted))
            if text[place] == "]":
                break
            place += 1
        if any(quoted for _, quoted in words):
            if not all(quoted for _, quoted in words):
                raise PathError(f"the JSONPath {text!r} mixes names and numbers")
            self._add(_named([word for word, _ in words]), definite=True, by_name=True)
        elif [word for word, _ in words] == ["*"]:
            self._add(_all(), definite=False)
        else:
            chosen = [_index(text, word) for word, _ in words]
            self._add(_numbered(chosen), definite=len(chosen) == 1 and isinstance(chosen[0], int))
        return place + 1

    def _add(self, step: Step, *, definite: bool, by_name: bool = False) -> None:
        self._steps.append(step)
        self._definite = self._definite and definite
        self.by_name = self.by_name or by_name


def _word(text: str, place: int) -> tuple[str, bool, int]:
    """The next word between brackets, whether it is quoted, and the place of the comma or bracket after it."""
    while text[place : place + 1] == " ":
        place += 1
    quote = text[place : place + 1]
    if quote and quote in "'\"":
        word, place = "", place + 1
        while text[place : place + 1] not in ("", quote):
            place += text[place] == "\\"
            word += text[place : place + 1]
            place += 1
        place += 1
    else:
        end = place
        while text[end : end + 1] not in ("", ",", "]"):
            end += 1
        word, place = text[place:end].strip(), end
    while text[place : place + 1] == " ":
        place += 1
    if text[place : place + 1] not in (",", "]") or text[place : place + 1] == "":
        raise PathError(f"the JSONPath {text!r} has a bracket without an end")
    return word, bool(quote) and quote in "'\"", place


def _index(text: str, word: str) -> int | slice:
    parts = [part.strip() for part in word.split(":")]
    try:
        if len(parts) == 1:
            return int(_number(parts[0]))
        if len(parts) == 2:
            start, end = (int(_number(part)) if part else None for part in parts)
            return slice(start, end)
    except ValueError:
        pass
    raise PathError(f"the JSONPath {text!r} has {word!r} where a number, a slice or a quoted name is expected")


def _number(word: str) -> str:
    if not word or set(word) - set(_DIGITS):
        raise ValueError(word)
    return word


# -- steps: from the values that are selected so far to those below them


def _all() -> Step:
    def step(found: list[Any]) -> list[Any]:
        below: list[Any] = []
        for value in found:
            if isinstance(value, dict):
                below += value.values()
            elif isinstance(value, list):
                below += value
            else:
                raise PathError("the value that * shall select from is neither an object nor an array")
        return below

    return step


def _named(names: list[str]) -> Step:
    def one(value: Any) -> Any:
        if not isinstance(value, dict):
            raise PathError(f"there is no object that has the attribute {names[0]!r}")
        if len(names) > 1:
            return {name: value[name] for name in names if name in value}
        if names[0] not in value:
            raise PathError(f"there is no attribute {names[0]!r}")
        return value[names[0]]

    return lambda found: [one(value) for value in found]


def _numbered(chosen: list[int | slice]) -> Step:
    def step(found: list[Any]) -> list[Any]:
        below: list[Any] = []
        for value in found:
            if not isinstance(value, list):
                raise PathError("there is no array to take elements from")
            for each in chosen:
                if isinstance(each, slice):
                    below += value[each]
                    continue
                try:
                    below.append(value[each])
                except IndexError:
                    raise PathError(f"there is no element {each}: the array has {len(value)}") from None
        return below

    return step
