"""The tokens with which clients ask for the next page."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Literal, NamedTuple

import orjson

from clary.services.logs.errors import InvalidParameterException

_EVENTS = re.compile(r"([fb])/(\d{1,56})(?:/s)?")


class EventsToken(NamedTuple):
    """A place in a stream, and the direction in which to read on."""

    direction: Literal["f", "b"]
    offset: int


def write_events(direction: Literal["f", "b"], offset: int) -> str:
    """A token of ``GetLogEvents``: 56 digits, as AWS has them."""
    return f"{direction}/{offset:056d}/s"


def read_events(token: str) -> EventsToken:
    """Raises ``InvalidParameterException``."""
    match = _EVENTS.fullmatch(token)
    if match is None or len(match.group(2).lstrip("0")) > 18:
        raise InvalidParameterException("The specified nextToken is invalid.")
    return EventsToken("f" if match.group(1) == "f" else "b", int(match.group(2)))


def write_place(place: Any) -> str:
    """A token for any place that is JSON."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def read_place(token: str | None) -> Any:
    """The place, or ``None`` without a token; raises ``InvalidParameterException``."""
    if token is None:
        return None
    try:
        return orjson.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, orjson.JSONDecodeError, UnicodeError) as error:
        raise InvalidParameterException("The specified nextToken is invalid.") from error


def write_name(name: str) -> str:
    """A token for what follows ``name``."""
    return write_place([name])


def read_name(token: str | None) -> str | None:
    """Raises ``InvalidParameterException``."""
    place = read_place(token)
    if place is None:
        return None
    if not isinstance(place, list) or len(place) != 1 or not isinstance(place[0], str):
        raise InvalidParameterException("The specified nextToken is invalid.")
    return place[0]
