"""The trail as other parts of the platform use it."""

from __future__ import annotations

from clary.services.cloudtrail.hiding import HIDDEN, without_signatures
from clary.services.cloudtrail.kept import DAY_MS, Kind, segment_path, segments
from clary.services.cloudtrail.lookup import data_events
from clary.services.cloudtrail.operations import is_data, is_read_only, source
from clary.services.cloudtrail.resource_types import type_of
from clary.services.cloudtrail.told import HEADER as TRAIL_HEADER
from clary.services.cloudtrail.told import Told

__all__ = [
    "DAY_MS",
    "HIDDEN",
    "TRAIL_HEADER",
    "Kind",
    "Told",
    "data_events",
    "is_data",
    "is_read_only",
    "segment_path",
    "segments",
    "source",
    "type_of",
    "without_signatures",
]
