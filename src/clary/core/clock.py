"""Time as the platform records it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> float:
    """Seconds since the epoch, cut to the millisecond, the finest step that the AWS wire formats carry."""
    return int(time.time() * 1000) / 1000


def iso(seconds: float) -> str:
    """``seconds`` since the epoch as ISO 8601 in UTC, for example ``2026-11-20T10:00:00Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
