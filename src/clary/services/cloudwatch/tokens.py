"""The tokens with which clients ask for the next page.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from clary.core.errors import ServiceError
from clary.services.cloudwatch.errors import InvalidNextToken

Kinds = tuple[type | tuple[type, ...], ...]


def write_place(place: list[Any]) -> str:
    """A token for a place of texts and numbers."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def read_place(token: str, kinds: Kinds, error: type[ServiceError] = InvalidNextToken) -> list[Any]:
    """The place that a token stands for, whose parts are of these kinds; raises ``error`` if it stands for none."""
    try:
        place = orjson.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, orjson.JSONDecodeError, UnicodeError):
        place = None
    if not isinstance(place, list) or len(place) != len(kinds) or not all(map(isinstance, place, kinds)):
        raise error("The token provided is not valid.")
    return place
