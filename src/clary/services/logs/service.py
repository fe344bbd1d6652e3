"""The operations of CloudWatch Logs."""

from __future__ import annotations

from clary.resources.context import ServiceApp
from clary.services.logs import events, groups, streams

SERVICE = ServiceApp("logs", {**groups.OPERATIONS, **streams.OPERATIONS, **events.OPERATIONS})
