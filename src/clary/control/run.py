"""The control plane as a process: what it is made of, and how it listens."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

import uvloop

from clary.compute.functions.pool import Functions
from clary.compute.images.environments import ImageStore
from clary.compute.placement.local import LocalPlacement
from clary.compute.programs import Programs
from clary.control.app import ControlApp
from clary.control.calls import Calls
from clary.control.child import EXIT_SETTINGS
from clary.control.leftovers import end_leftovers
from clary.control.listener import Listener
from clary.control.measured import MeasuredDatabase
from clary.control.reset import reset
from clary.control.scheduler import Scheduler
from clary.control.wake import Others, listen_for_agents
from clary.control.watching import Watching
from clary.core import clock
from clary.core.arenas import share_memory
from clary.core.parent import when_parent_leaves
from clary.core.process import begin
from clary.core.settings import Settings, SettingsError
from clary.core.tracing import Tracer
from clary.resources.context import Platform, Reconciler
from clary.services.catalog import services
from clary.services.cloudwatch.api import forget_metrics, thin_out
from clary.services.events.changes import StateChanges
from clary.services.iam.api import Identities
from clary.services.kms.seeded import add_test_keys
from clary.services.sagemaker.execution.api import JobKind
from clary.services.sagemaker.execution.forgetting import forget_old_jobs
from clary.services.sagemaker.utilization import Utilization
from clary.services.sqs.arrivals import ARRIVALS

log = logging.getLogger(__name__)

MAIN = "control"
"""The process that does what one alone has to do."""
HOUSE_SECONDS = 600.0
"""Between two looks at what is to be removed."""
AGAIN_SECONDS = 60.0
"""After a fault of what is done now and then."""
THREADS = 16
"""For the reconcilers; requests have threads of their own."""


async def serve(settings: Settings, name: str) -> None:
    """Answer the edge and run the reconcilers as the control process ``name``, until told to stop."""
    database = MeasuredDatabase(settings.database_url)
    database.prepare()
    identities = Identities(database, settings)
    identities.bootstrap()
    if settings.test_mode:
        add_test_keys(identities)
    executor = ThreadPoolExecutor(THREADS, thread_name_prefix="control")
    apps = services()
    reconcilers = {(app.name, kind): fn for app in apps.values() for kind, fn in app.reconcilers.items()}
    scheduler = Scheduler(name, reconcilers, executor)
    placement = LocalPlacement(settings, name)
    placement.retire_all()  # of the process before this one
    images = ImageStore(settings)
    programs = Programs(settings, images)
    functions = Functions(placement, name)
    platform = Platform(
        settings=settings,
        database=database,
        identity=identities,
        placement=placement,
        images=images,
        programs=programs,
        functions=functions,
        wake=scheduler.wake,
        clock=clock.now,
        calls=Calls(identities, apps),
    )
    tracer = scheduler.tracer = Tracer(settings.otlp_endpoint, name) if settings.otlp_endpoint else None
    if tracer is not None:
        threading.Thread(target=tracer.run, name="tracer", daemon=True).start()
    database.watch(StateChanges(platform, apps.values()))
    watching = Watching(platform, database, scheduler)
    app = ControlApp(platform, identities, apps, lambda: reset(platform, identities, scheduler), watching, tracer)
    listener = Listener(settings.control_socket(name), app.answer)
    others = [settings.wake_socket(each) for each in settings.control_names if each != name]
    scheduler.others = Others(others)
    agents = await listen_for_agents(settings.wake_socket(name), scheduler.heard)
    work = asyncio.create_task(scheduler.run(platform))
    for task in (
        functions.end_left,
        lambda: end_leftovers(platform),
        lambda: [len(each.operations) for each in apps.values()],
    ):
        # The handlers are made before the first request asks for them, but nobody waits for that.
        asyncio.get_running_loop().run_in_executor(executor, task)
    keeping = _keep_house(platform, reconcilers, executor) if name == MAIN else []
    listener.start()
    try:
        await _told_to_stop()
    finally:
        # Requests that wait for messages would hold the process up.
        ARRIVALS.close()
        listener.stop()
        agents.close()
        if tracer is not None:
            tracer.close()
        work.cancel()
        for each in keeping:
            each.cancel()
        executor.shutdown(wait=True, cancel_futures=True)
        functions.close()
        placement.retire_all()
        programs.close()
        database.close()


def _keep_house(
    platform: Platform, reconcilers: Mapping[tuple[str, str], Reconciler], executor: Executor
) -> list[asyncio.Task[None]]:
    """Do what is to be done now and then, by the clock."""
    jobs = {each.noun: each for each in reconcilers.values() if isinstance(each, JobKind)}

    def forget() -> float:
        forget_old_jobs(platform, jobs)
        forget_metrics(platform)
        return HOUSE_SECONDS

    async def again_and_again(do: Callable[[], float]) -> None:
        while True:
            try:
                seconds = await asyncio.get_running_loop().run_in_executor(executor, do)
            except Exception:
                log.exception("what is to be done now and then failed, again in %.0f s", AGAIN_SECONDS)
                seconds = AGAIN_SECONDS
            await asyncio.sleep(seconds)

    every = (forget, partial(thin_out, platform), Utilization(platform, jobs).publish)
    return [asyncio.create_task(again_and_again(do)) for do in every]


async def _told_to_stop() -> None:
    """Wait for a signal, or for the end of the process that started this one."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)

    def stop() -> None:
        loop.call_soon_threadsafe(told.set)

    when_parent_leaves(stop)
    await told.wait()


def main() -> int:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="control")
    settings, arguments = begin("clary.control", parser)
    share_memory()
    try:
        uvloop.run(serve(settings, arguments.name))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETTINGS
    return 0
