"""The web interface: pages that speak the public API, built from ``web`` into ``static``."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"
"""The pages as they are served; absent where they could not be built."""


def is_built() -> bool:
    """Whether there is a Studio to serve."""
    return (STATIC / "index.html").is_file()
