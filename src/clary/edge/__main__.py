"""Run the edge: ``python -m clary.edge --home DIR``; the supervisor starts it."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import socket
import sys
from pathlib import Path

import uvicorn
import uvloop

from clary.core import settings as core_settings
from clary.core.files import write_private
from clary.core.parent import when_parent_leaves
from clary.core.settings import Settings
from clary.edge.app import EdgeApp, authorize_s3
from clary.edge.forward import Control
from clary.edge.inference import Inference
from clary.edge.own import OwnPages
from clary.edge.routes import Routes
from clary.edge.upstream import Pool
from clary.objects.store import ObjectStore
from clary.services.iam.api import Identities
from clary.services.s3.app import S3App
from clary.state.database import Database

PREPARED_SECONDS = 30.0


async def serve(settings: Settings) -> None:
    """Listen until told to stop."""
    listener = _listen(settings)
    database = Database(settings.database_url, read_only=True)
    await _wait_for_tables(database)
    store = ObjectStore(settings.objects)
    await store.open()
    pool = Pool()
    identities = Identities(database, settings)
    routes = Routes(database)
    control = Control(settings.control_socket, pool)
    own = OwnPages(identities, routes, pool, control, store)
    app = EdgeApp(settings, identities, S3App(store, authorize_s3(identities)), Inference(routes, pool), control, own)
    own.refresh()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            loop="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
            ws="none",
        )
    )
    when_parent_leaves(lambda: setattr(server, "should_exit", True))
    port = listener.getsockname()[1]
    write_private(settings.run / "edge.json", json.dumps({"port": port, "pid": os.getpid()}))
    fresh = asyncio.create_task(own.keep_fresh())
    try:
        await server.serve(sockets=[listener])
    finally:
        fresh.cancel()
        await store.close()
        database.close()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(2048)
    listener.setblocking(False)
    return listener


async def _wait_for_tables(database: Database) -> None:
    """Control makes the tables when an installation starts for the first time."""
    async with asyncio.timeout(PREPARED_SECONDS):
        while not database.is_prepared():
            await asyncio.sleep(0.02)


def main() -> int:
    """Read the arguments and serve; the exit status is 0 unless the edge could not start."""
    parser = argparse.ArgumentParser(prog="python -m clary.edge")
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    settings = core_settings.load(arguments.home)
    settings.create_folders()
    try:
        uvloop.run(serve(settings))
    except OSError as error:
        print(f"clary edge: cannot listen on {settings.url}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
