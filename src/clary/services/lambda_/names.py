"""How functions are named: by name, by ARN or by a part of it, with a version at the end.

Reference: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from clary.core.names import arn
from clary.resources.context import Context
from clary.services.lambda_.errors import InvalidParameterValueException, ResourceNotFoundException
from clary.state.records import Key, Record
from clary.state.transaction import Transaction

SERVICE, KIND = "lambda", "Function"
LATEST = "$LATEST"
CREATING = "Creating"
"""The status of a function whose code is not kept yet."""
_LONGEST = 64
_NAME = re.compile(
    r"(?:arn:aws:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<version>\$LATEST|[A-Za-z0-9_-]+))?"
)


class Named(NamedTuple):
    """What a request calls a function."""

    account: str
    region: str
    name: str
    version: str
    """Empty where none is named."""

    @property
    def key(self) -> Key:
        """Where the function is kept."""
        return function_key(self.account, self.region, self.name)

    @property
    def arn(self) -> str:
        """The function's ARN, without a version."""
        return function_arn(self.account, self.region, self.name)

    @property
    def qualified(self) -> str:
        """The ARN with the version, if one is named."""
        return f"{self.arn}:{self.version}" if self.version else self.arn


def function_key(account: str, region: str, name: str) -> Key:
    """Where a function is kept."""
    return Key(account, region, SERVICE, KIND, "", name)


def function_arn(account: str, region: str, name: str) -> str:
    """The ARN of a function."""
    return arn(SERVICE, region, account, f"function:{name}")


def named(context: Context, text: str, qualifier: str | None = None) -> Named:
    """The function that ``text`` means, and the version, which stands there or in ``qualifier``.

    Raises ``InvalidParameterValueException``.
    """
    found = _NAME.fullmatch(text)
    if found is None or len(found["name"]) > _LONGEST:
        raise InvalidParameterValueException(f"{text[:200]} is not a valid function name or ARN.")
    told = found["version"] or ""
    if told and qualifier and told != qualifier:
        raise InvalidParameterValueException(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    if found["region"] and found["region"] != context.region:
        raise ResourceNotFoundException(
            f"Functions from '{found['region']}' are not reachable in this region ('{context.region}')"
        )
    return Named(found["account"] or context.account, context.region, found["name"], told or qualifier or "")


def find(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
    """The function that a request names. Raises ``ResourceNotFoundException``."""
    wanted = named(context, params["FunctionName"], params.get("Qualifier"))
    record = transaction.get(wanted.key)
    if record is None or wanted.version not in ("", LATEST):
        raise ResourceNotFoundException(f"Function not found: {wanted.qualified}")
    return record


def function_of(transaction: Transaction, text: str) -> Record | None:
    """The function with this ARN, which may name its newest version."""
    found = _NAME.fullmatch(text)
    if found is None or not found["account"] or not found["region"] or found["version"] not in (None, LATEST):
        return None
    return transaction.get(function_key(found["account"], found["region"], found["name"]))
