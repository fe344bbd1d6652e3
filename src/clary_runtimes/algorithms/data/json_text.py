"""JSON of requests, read by orjson where the image has it: half the time for a hundred rows of numbers."""

from __future__ import annotations

import json
from typing import Any

try:
    import orjson
except ImportError:  # an image that serves nothing by itself
    orjson = None  # type: ignore[assignment]


def loads(text: bytes | str) -> Any:
    """What the text says, ``NaN`` and numbers of any size included. Raises ``ValueError``."""
    if orjson is not None:
        try:
            return orjson.loads(text)
        except ValueError:
            pass  # the standard library takes more than the standard allows, and says what is wrong in its own words
    return json.loads(text)
