"""Glue as far as it is here: the data catalogue."""

from __future__ import annotations

from clary.resources.context import ServiceApp
from clary.resources.service import service
from clary.services.glue.acted_on import SUBJECTS
from clary.services.glue.operations import OPERATIONS
from clary.services.glue.resources import GLUE, RESOURCES


def app() -> ServiceApp:
    """The service."""
    return service(GLUE, RESOURCES, OPERATIONS, subjects=SUBJECTS)
