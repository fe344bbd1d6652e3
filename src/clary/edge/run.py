"""The edge as a process: what it is made of, and how it listens."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import Coroutine
from functools import partial
from typing import Any

import uvloop

from clary.core.files import write_private
from clary.core.process import begin, server
from clary.core.settings import Settings, SettingsError
from clary.core.tracing import Tracer
from clary.edge.access import authorize_s3
from clary.edge.app import EdgeApp
from clary.edge.capture import Captures
from clary.edge.forms import sign_form
from clary.edge.forward import Control
from clary.edge.inference import Inference
from clary.edge.invocations import Invocations
from clary.edge.notices import check_destinations, deliver
from clary.edge.objects import S3, external
from clary.edge.own import OwnPages
from clary.edge.protocol import EdgeProtocol
from clary.edge.routes import Routes
from clary.edge.studio.app import Studio
from clary.edge.tracking import Tracking
from clary.edge.trail import Trail
from clary.edge.upstream import Pool
from clary.edge.watching import Watching
from clary.objects.store import ObjectStore
from clary.services.iam.api import Identities
from clary.services.kms.api import Keys
from clary.services.s3.app import S3App
from clary.services.s3.call import Services
from clary.services.s3.encryption import Encryption
from clary.services.s3.expiry import Expiry
from clary.services.s3.notifications import Notifications
from clary.state.database import Database

PREPARED_SECONDS = 30.0
TEST_DAY_SECONDS = 10
KEEP_ALIVE_SECONDS = 75
"""Longer than AWS's clients keep an idle connection, so that they never meet one that is just being closed."""


async def serve(settings: Settings) -> None:
    """Listen until told to stop."""
    listener = _listen(settings)
    database = Database(settings.database_url, read_only=True)
    await _wait_for_tables(database)
    pool = Pool()
    identities = Identities(database, settings)
    authorize = authorize_s3(identities)
    store = external(settings, authorize) or ObjectStore(settings.objects)
    if isinstance(store, ObjectStore):
        await store.open()
    routes = Routes(database)
    control = Control([settings.control_socket(name) for name in settings.control_names], pool)
    invocations = Invocations(control)
    keys = Keys(identities)
    upkeep: list[Coroutine[Any, Any, None]] = []
    s3: S3
    if isinstance(store, ObjectStore):
        notifications = Notifications(partial(check_destinations, control))
        encryption = Encryption(identities.vault, keys, control.managed_key)
        s3 = S3App(store, Services(encryption, notifications, sign_form(identities)), authorize)
        upkeep = [deliver(store, control), expiry(settings, store, notifications).keep_on()]
    else:
        s3 = store
    captures = Captures(identities, s3)
    watching = Watching(settings, identities, control, store, invocations, routes)
    tracer = watching.requests.tracer = Tracer(settings.otlp_endpoint, "edge") if settings.otlp_endpoint else None
    if tracer is not None:
        threading.Thread(target=tracer.run, name="tracer", daemon=True).start()
    own = OwnPages(settings, identities, keys, routes, pool, control, store, invocations, captures, watching)
    inference = Inference(routes, pool, invocations, captures)
    studio = Studio(settings, identities, control, inference, watching)
    tracking = Tracking(settings, identities, routes, pool, control)
    trail = Trail(settings, identities)
    app = EdgeApp(settings, identities, s3, inference, control, own, studio, tracking, trail)
    own.refresh()
    listening = server(app, EdgeProtocol, keep_alive_seconds=KEEP_ALIVE_SECONDS)
    watching.connections = lambda: len(listening.server_state.connections)
    port = listener.getsockname()[1]
    write_private(settings.run / "edge.json", json.dumps({"port": port, "pid": os.getpid()}))
    tasks = [
        asyncio.create_task(each)
        for each in (app.crowd.watch(), own.keep_fresh(), invocations.tell(), captures.write(), *upkeep)
    ]
    try:
        await listening.serve(sockets=[listener])
    finally:
        for task in tasks:
            task.cancel()
        if tracer is not None:
            tracer.close()
        await captures.close()
        await invocations.close()
        await store.close()
        trail.close()
        database.close()


def expiry(settings: Settings, store: ObjectStore, notifications: Notifications) -> Expiry:
    """What lets objects expire; in test mode a day of a rule lasts ten seconds, as ceph/s3-tests expects."""
    if settings.test_mode:
        return Expiry(store, notifications, day=TEST_DAY_SECONDS * 1000, every=TEST_DAY_SECONDS / 4)
    return Expiry(store, notifications)


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
    settings, _ = begin("clary.edge")
    try:
        uvloop.run(serve(settings))
    except SettingsError as error:
        print(f"clary edge: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except OSError as error:
        print(f"clary edge: cannot listen on {settings.url}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0
