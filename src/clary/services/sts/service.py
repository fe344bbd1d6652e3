"""STS as the platform runs it."""

from __future__ import annotations

from clary.resources.context import ServiceApp
from clary.services.sts.operations import OPERATIONS

# Who one is may always be asked; who may assume a role is for the handler, which asks the role's trust policy too.
SERVICE = ServiceApp("sts", OPERATIONS, open_operations=frozenset({"AssumeRole", "GetCallerIdentity", "GetSessionToken"}))
