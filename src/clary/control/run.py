"""The control plane as a process: what it is made of, and how it listens."""

from __future__ import annotations

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from clary.compute.images.environments import ImageStore
from clary.compute.placement.local import LocalPlacement
from clary.control.app import ControlApp
from clary.control.leftovers import end_leftovers
from clary.control.reset import reset
from clary.control.scheduler import Scheduler
from clary.control.wake import listen_for_agents
from clary.core import clock
from clary.core.process import begin, server
from clary.core.settings import Settings
from clary.resources.context import Platform
from clary.services.catalog import services
from clary.services.iam.api import Identities
from clary.state.database import Database

THREADS = 16
KEEP_ALIVE_SECONDS = 3600
"""The edge keeps its connections for as long as both live."""


async def serve(settings: Settings) -> None:
    """Answer the edge and run the reconcilers until told to stop."""
    database = Database(settings.database_url)
    database.prepare()
    identities = Identities(database, settings)
    identities.bootstrap()
    executor = ThreadPoolExecutor(THREADS, thread_name_prefix="control")
    apps = services()
    reconcilers = {(app.name, kind): fn for app in apps.values() for kind, fn in app.reconcilers.items()}
    scheduler = Scheduler(reconcilers, executor)
    platform = Platform(
        settings=settings,
        database=database,
        identity=identities,
        placement=LocalPlacement(settings),
        images=ImageStore(settings),
        wake=scheduler.wake,
        clock=clock.now,
    )
    app = ControlApp(platform, identities, apps, executor, lambda: reset(platform, identities, scheduler))
    listening = server(app, keep_alive_seconds=KEEP_ALIVE_SECONDS)
    agents = await listen_for_agents(settings.wake_socket, scheduler.wake)
    work = asyncio.create_task(scheduler.run(platform))
    for task in (lambda: end_leftovers(platform), lambda: [len(each.operations) for each in apps.values()]):
        # The handlers are made before the first request asks for them, but nobody waits for that.
        asyncio.get_running_loop().run_in_executor(executor, task)
    try:
        await listening.serve(sockets=[_listen(settings.control_socket)])
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
    settings = begin("clary.control")
    uvloop.run(serve(settings))
    return 0
