"""Object lock: versions that may not be removed yet.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from __future__ import annotations

from .errors import ObjectLocked
from .model import Object, now

GOVERNANCE = "GOVERNANCE"
COMPLIANCE = "COMPLIANCE"


def check_removable(item: Object, *, bypass: bool = False) -> None:
    """Raises ``ObjectLocked`` for a version under legal hold or retention; ``bypass`` lifts governance alone."""
    attributes = item.attributes
    retained = attributes.retention and attributes.retain_until > now()
    if attributes.legal_hold or (retained and not (bypass and attributes.retention == GOVERNANCE)):
        raise ObjectLocked
