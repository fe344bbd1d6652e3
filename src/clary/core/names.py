"""Amazon Resource Names.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

from typing import NamedTuple


class Arn(NamedTuple):
    """The parts of ``arn:partition:service:region:account:resource``."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return ":".join(("arn", *self))


def arn(service: str, region: str, account: str, resource: str) -> str:
    """The ARN of ``resource`` (for example ``training-job/my-job``); ``region`` is empty for global services."""
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def parse_arn(text: str) -> Arn:
    """The parts of an ARN.

    Raises ``ValueError`` if ``text`` is not one.
    """
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[2] or not parts[5]:
        raise ValueError(f"not an ARN: {text!r}")
    return Arn(*parts[1:])


def owner_of(text: str, account: str) -> str:
    """The account that the resource with this ARN belongs to; ``account`` where it tells none, or AWS itself."""
    parts = text.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdecimal() else account
