"""The operations of IAM."""

from __future__ import annotations

from clary.resources.context import ServiceApp
from clary.services.iam import (
    account,
    boundaries,
    groups,
    inline_policies,
    managed_policies,
    roles,
    simulate,
    tagging,
    users,
)

SERVICE = ServiceApp(
    "iam",
    {
        **users.OPERATIONS,
        **groups.OPERATIONS,
        **roles.OPERATIONS,
        **tagging.OPERATIONS,
        **inline_policies.OPERATIONS,
        **managed_policies.OPERATIONS,
        **boundaries.OPERATIONS,
        **simulate.OPERATIONS,
        **account.OPERATIONS,
    },
)
