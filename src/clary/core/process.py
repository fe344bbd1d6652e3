"""What the two processes of an installation have in common: their arguments, their log, and how they listen."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clary.core import settings as core_settings
from clary.core.parent import when_parent_leaves
from clary.core.settings import Settings

if TYPE_CHECKING:
    import uvicorn

GRACE_SECONDS = 5
"""How long requests under way may take when the process is told to stop."""


def begin(program: str, parser: argparse.ArgumentParser | None = None) -> tuple[Settings, argparse.Namespace]:
    """Read the arguments of ``python -m program``, make the home's folders, and log to standard error. ``parser`` knows
    what further arguments there are.

    Raises ``SettingsError``.
    """
    # What is there now stays: the search for garbage, which was off while the modules were loaded, need not look at it.
    gc.freeze()
    gc.enable()
    # Requests leave hardly any cycles behind; by default the search would take a twentieth of the time.
    gc.set_threshold(20_000, 20, 20)
    parser = parser or argparse.ArgumentParser()
    parser.prog = f"python -m {program}"
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    settings = core_settings.load(arguments.home)
    settings.create_folders()
    return settings, arguments


def server(app: Any, protocol: type[asyncio.Protocol], *, keep_alive_seconds: int) -> uvicorn.Server:
    """A server for an ASGI application; it stops by itself when the process that started this one is gone."""
    # Imported here because not every process listens in this way.
    import uvicorn

    config = uvicorn.Config(
        app,
        http=protocol,
        # It sits in front of the application and looks at every request for headers that are not believed here.
        proxy_headers=False,
        # The loop that is running already.
        loop="none",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=keep_alive_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    listening = uvicorn.Server(config)
    when_parent_leaves(lambda: setattr(listening, "should_exit", True))
    return listening
