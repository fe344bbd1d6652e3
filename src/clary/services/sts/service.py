"""STS as the platform runs it."""

from __future__ import annotations

from clary.resources.context import ServiceApp
from clary.services.sts.operations import OPERATIONS

SERVICE = ServiceApp(
    "sts",
    OPERATIONS,
    # `AssumeRole` asks the role's trust policy too, and so decides itself.
    open_operations=frozenset(
        ("GetCallerIdentity", "GetSessionToken", "AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
    ),
)
