"""What other services use of scheduled actions: the expressions that say when something is due."""

from __future__ import annotations

from clary.services.application_autoscaling.schedule import Schedule, read_schedule

__all__ = ["Schedule", "read_schedule"]
