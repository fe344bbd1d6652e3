"""Where in the text of a policy a statement stands."""

from __future__ import annotations

import json
import re

_BLANK = re.compile(r"\s*")
_DECODER = json.JSONDecoder()


def statement_span(text: str, index: int) -> tuple[int, int]:
    """The offsets at which statement number ``index`` of the policy ``text`` begins and ends."""
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key == "Statement":
            if text[at] == "{":
                return at, _DECODER.raw_decode(text, at)[1]
            at = _skip(text, at + 1)
            for _ in range(index):
                at = _skip(text, _skip(text, _DECODER.raw_decode(text, at)[1]) + 1)
            return at, _DECODER.raw_decode(text, at)[1]
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)
    raise ValueError("no statement")


def line_and_column(text: str, offset: int) -> dict[str, int]:
    """The members of ``Position``: the line and the column, both counted from 1."""
    before = text[:offset]
    return {"Line": before.count("\n") + 1, "Column": offset - (before.rfind("\n") + 1) + 1}


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    assert match is not None
    return match.end()
