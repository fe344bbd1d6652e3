"""The tags of accounts, as requests give them.

Reference: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_tagging.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clary.resources.tagging import MOST_TAGS, pairs
from clary.services.organizations.errors import ConstraintViolationException, InvalidInputException


def checked(tags: Sequence[Mapping[str, str]], present: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tags of a request by key, for an account with those that are ``present``.

    Raises ``InvalidInputException`` for reserved or repeated keys, ``ConstraintViolationException`` for more than 50.
    """
    found: dict[str, str] = {}
    for key, value in pairs(tags):
        if key.lower().startswith("aws:"):
            raise InvalidInputException(
                "You specified a tag key that is a system tag. You can't add, edit, or delete system tag keys because "
                "they're reserved for Amazon Web Services use.",
                Reason="INVALID_SYSTEM_TAGS_PARAMETER",
            )
        if key in found:
            raise InvalidInputException(
                "Tag keys must be unique among the tags attached to the same entity.", Reason="DUPLICATE_TAG_KEY"
            )
        found[key] = value
    if len({**(present or {}), **found}) > MOST_TAGS:
        raise ConstraintViolationException(
            "You have exceeded the number of tags allowed on this resource.", Reason="MAX_TAG_LIMIT_EXCEEDED"
        )
    return found
