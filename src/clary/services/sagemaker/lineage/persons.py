"""Who made and changed what lineage and experiments are about.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UserContext.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.view import Seen


def person(author: Mapping[str, Any]) -> dict[str, Any]:
    """A ``UserContext`` as these nouns show it: user profiles alone, IAM identities are shown for others only."""
    return {member: value for member, value in author.items() if member != "IamIdentity"}


def _shown(member: str) -> Seen:
    return lambda _, __, record: person(record.document.get(member, {}))


BY_PERSONS: Mapping[str, Seen] = {member: _shown(member) for member in ("CreatedBy", "LastModifiedBy")}
