"""Run the control plane: ``python -m clary.control --home DIR``; the supervisor starts it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn
import uvloop

from clary.compute.images.environments import ImageStore
from clary.compute.placement.local import LocalPlacement
from clary.control.app import ControlApp
from clary.control.leftovers import end_leftovers
from clary.control.reset import reset
from clary.control.scheduler import Scheduler
from clary.control.wake import listen_for_agents
from clary.core import clock
from clary.core import settings as core_settings
from clary.core.parent import when_parent_leaves
from clary.core.settings import Settings
from clary.resources.context import Platform
from clary.services.catalog import services
from clary.services.iam.api import Identities
from clary.state.database import Database

THREADS = 16


async def serve(settings: Settings) -> None:
    """Answer the edge and run the reconcilers until told to stop."""
    database = Database(settings.database_url)
    database.prepare()
    identities = Identities(database, settings)
    identities.bootstrap()
    executor = ThreadPoolExecutor(THREADS, thread_name_prefix="control")
    apps = services()
    waker: list[Scheduler] = []
    platform = Platform(
        settings=settings,
        database=database,
        identity=identities,
        placement=LocalPlacement(settings),
        images=ImageStore(settings),
        wake=lambda row: waker[0].wake(row),
        clock=clock.now,
    )
    reconcilers = {(app.name, kind): fn for app in apps.values() for kind, fn in app.reconcilers.items()}
    scheduler = Scheduler(platform, reconcilers, executor)
    waker.append(scheduler)
    app = ControlApp(platform, identities, apps, executor, lambda: reset(platform, identities, scheduler))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            loop="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=3600,
            timeout_graceful_shutdown=5,
            ws="none",
        )
    )
    when_parent_leaves(lambda: setattr(server, "should_exit", True))
    agents = await listen_for_agents(settings.wake_socket, scheduler.wake)
    work = asyncio.create_task(scheduler.run())
    asyncio.get_running_loop().run_in_executor(executor, end_leftovers, platform)
    try:
        await server.serve(sockets=[_listen(settings.control_socket)])
    finally:
        agents.close()
        work.cancel()
        executor.shutdown(wait=True, cancel_futures=True)
        database.close()


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def main() -> int:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m clary.control")
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    settings = core_settings.load(arguments.home)
    settings.create_folders()
    uvloop.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
