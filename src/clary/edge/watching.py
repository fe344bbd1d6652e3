"""How the installation is: numbers for Prometheus, and what is wrong.

Nothing here is kept up to date by itself: whoever asks has it looked up, so that what nobody asks for costs nothing.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from hmac import compare_digest
from typing import Any

import orjson

import clary
from clary.core.errors import ServiceError, ServiceUnavailable
from clary.core.exposition import CONTENT_TYPE, Family, Sample, labelled, read, render, single, usage
from clary.core.files import write_private
from clary.core.ids import token
from clary.core.problems import Problem, Severity
from clary.core.problems import read as read_problem
from clary.core.settings import Settings
from clary.edge.external.app import ExternalS3
from clary.edge.forward import Control
from clary.edge.happened import deaths, errors
from clary.edge.invocations import Invocations
from clary.edge.requests import Requests
from clary.edge.routes import Routes
from clary.objects.index import totals
from clary.objects.store import ObjectStore
from clary.services.iam.api import Identities, Principal
from clary.wire.http import Request, Response

ACTION = "clary:DescribeHealth"
TOTALS_SECONDS = 60.0
"""For so long the sums of the object store are not made again: each goes through all objects."""
PATIENCE_SECONDS = 10.0
"""How long the control plane may take; a scrape of Prometheus is given up after ten seconds."""
LATELY_SECONDS = 3_600.0
DIES_OFTEN = 3
"""From so many deaths of a process within an hour on, it is worth a line."""
_GB = 1 << 30
LEAST_FREE = 1 * _GB
LITTLE_FREE = 5 * _GB
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1}


class Watching:
    """Tells it; for the edge's loop."""

    def __init__(
        self,
        settings: Settings,
        identities: Identities,
        control: Control,
        store: ObjectStore | ExternalS3,
        invocations: Invocations,
        routes: Routes,
    ) -> None:
        self._settings = settings
        self._identities = identities
        self._control = control
        self._store = store
        self._invocations = invocations
        self._routes = routes
        self.requests = Requests()
        self.connections: Callable[[], int] = lambda: 0
        """How many connections of clients are open."""
        self._totals: tuple[float, int, int] | None = None
        file = settings.secrets / "metrics.token"
        write_private(file, token(32), replace=False)
        self._token = file.read_text().strip().encode()

    async def metrics(self, request: Request) -> Response:
        """The page that Prometheus reads, for whoever has the token in ``secrets/metrics.token``."""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        known = kind.lower() == "bearer" and compare_digest(given.strip().encode("latin-1"), self._token)
        if not known or not self._token:
            refusal = {"code": "NotAuthorized", "message": "The bearer token of secrets/metrics.token is needed."}
            headers = {"content-type": "application/json", "www-authenticate": "Bearer"}
            return Response(401, headers, orjson.dumps(refusal))
        return Response(
            200, {"content-type": CONTENT_TYPE, "cache-control": "no-store"}, render(await self._families())
        )

    async def _families(self) -> list[Family]:
        own = [*usage(), single("clary_edge_connections", "gauge", "Connections of clients.", self.connections())]
        families = [
            Family("clary_build_info", "gauge", "The version.", [Sample({"version": clary.__version__}, 1)]),
            *labelled(own, process="edge"),
            *self.requests.families(),
            *(labelled(self.requests.tracer.families(), process="edge") if self.requests.tracer is not None else ()),
            *self._invocations.families(lambda *place: self._routes.get(*place) is not None),
            *(await self._stored()),
            self._restarts(),
        ]
        up = [Sample({"process": "edge"}, 1)]
        for name, told in (await self._control.ask_all("/_clary/watching/numbers", {}, PATIENCE_SECONDS)).items():
            up.append(Sample({"process": name}, 0 if isinstance(told, ServiceError) else 1))
            if not isinstance(told, ServiceError):
                families += labelled(read(told["families"]), process=name)
        families.append(Family("clary_up", "gauge", "Whether a process answers.", up))
        if any(each.value for each in up[1:]):
            told = await self._asked("/_clary/watching/work", {})
            if not isinstance(told, ServiceError):
                families += read(told["families"])
        return families

    async def _asked(self, path: str, members: dict[str, Any]) -> dict[str, Any] | ServiceError:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._control.ask(path, members)
        except ServiceError as error:
            return error
        except TimeoutError:
            return ServiceUnavailable("no answer in time")

    async def _stored(self) -> list[Family]:
        free = shutil.disk_usage(self._settings.home).free
        families = [single("clary_disk_free_bytes", "gauge", "Free on the disk of the home folder.", free)]
        if not isinstance(self._store, ObjectStore):
            return families
        now = time.monotonic()
        if self._totals is None or now - self._totals[0] > TOTALS_SECONDS:
            self._totals = (now, *await self._store.read(totals))
        return [
            *families,
            single("clary_objects", "gauge", "Objects in the store, each version one.", self._totals[1]),
            single("clary_objects_bytes", "gauge", "What the objects hold together.", self._totals[2]),
        ]

    def _supervised(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of its processes; empty where there is none."""
        try:
            children: dict[str, dict[str, Any]] = json.loads((self._settings.run / "supervisor.json").read_text())[
                "children"
            ]
        except (OSError, ValueError, KeyError):
            return {}
        return children

    def _restarts(self) -> Family:
        samples = [Sample({"process": name}, each["restarts"]) for name, each in self._supervised().items()]
        return Family("clary_process_restarts_total", "counter", "Starts after a process has died.", samples)

    async def problems(self, principal: Principal) -> dict[str, Any]:
        """What is wrong, the worst first: with the work of the caller's account and, for those of the installation's
        own account, with the installation.

        Raises ``AccessDenied`` without ``clary:DescribeHealth``.
        """
        self._identities.authorize(principal, ACTION, "*", {})
        asked = asyncio.create_task(self._asked("/_clary/watching/problems", {"account": principal.account}))
        found: list[Problem] = []
        if principal.account == self._settings.account:
            found += await asyncio.get_running_loop().run_in_executor(None, self._machine)
            found += await self._objects()
            found += await self._processes()
        told = await asked
        if isinstance(told, ServiceError):
            if not any(each.code == "SilentControl" for each in found):
                found.append(_silent("The control plane", told))
        else:
            found += map(read_problem, told["problems"])
        unique = {(each.code, each.text): each for each in found}
        ordered = sorted(unique.values(), key=lambda each: _ORDER[each.severity])
        return {"ok": not ordered, "problems": [asdict(each) for each in ordered]}

    async def _processes(self) -> list[Problem]:
        found: list[Problem] = []
        answers = await self._control.ask_all("/_clary/watching/own-problems", {}, PATIENCE_SECONDS)
        for name, told in answers.items():
            if isinstance(told, ServiceError):
                found.append(_silent(f"The process {name}", told))
            else:
                found += map(read_problem, told["problems"])
        return found

    async def _objects(self) -> list[Problem]:
        if isinstance(self._store, ObjectStore):
            return []
        why = await self._store.store.problem()
        remedy = "See objects_url in settings.toml, and that its server runs."
        return [Problem("error", "ObjectStore", f"The object store does not answer: {why}", remedy)] if why else []

    def _machine(self) -> list[Problem]:
        found: list[Problem] = []
        free = shutil.disk_usage(self._settings.home).free
        if free < LITTLE_FREE:
            text = f"The disk of {self._settings.home} has {free / _GB:.1f} GB left"
            remedy = "Make room: below 1 GB jobs fail. Images that no job needs any more lie in the cache folder."
            found.append(Problem("error" if free < LEAST_FREE else "warning", "DiskNearlyFull", text, remedy))
        since = time.time() - LATELY_SECONDS
        for name, count in deaths(self._settings.log / "supervisor.log", since).items():
            if count >= DIES_OFTEN:
                text = f"The process {name} died {count} times in the last hour and was started again"
                remedy = f"The end of {self._settings.log / name}.log says why."
                found.append(Problem("error", "RestartingProcess", text, remedy))
        for name in ("edge", *self._settings.control_names):
            if count := errors(self._settings.log / f"{name}.log", since):
                lines = "1 error" if count == 1 else f"{count} errors"
                text = f"The log of {name} has {lines} of the last hour"
                found.append(Problem("warning", "LoggedErrors", text, f"grep ERROR {self._settings.log / name}.log"))
        return found


def _silent(who: str, error: ServiceError) -> Problem:
    remedy = "It is started again by itself if it died; the ends of the logs in the home folder say why."
    return Problem("error", "SilentControl", f"{who} does not answer: {error.message}", remedy)
