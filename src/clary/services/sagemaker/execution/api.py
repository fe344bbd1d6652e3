"""How any job runs: image, place, launch, observation, retry and end, as one reconciler for every kind of job.

A kind says how its resource becomes a ``JobSpec`` and how an event shows in the resource; what can go wrong in between
is dealt with here. What must be remembered stands in the record's document under ``_run``, which no answer shows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from clary.compute.admission import Admitted, Refused, admit, this_machine
from clary.compute.images.catalog import ImageNotExact, ImageNotFound
from clary.compute.images.environments import ImageNotReady
from clary.compute.placement.base import Observation, PlacementError
from clary.compute.spec import ImageSpec, JobSpec
from clary.core.errors import ServiceError, ValidationException
from clary.resources.context import Context, Platform, Reconciliation
from clary.resources.lifecycle import Lifecycle
from clary.resources.traced import own_place, variables
from clary.services.logs.api import register_stream
from clary.services.sagemaker.execution.hosts import Agents, Host, instance_types
from clary.services.sagemaker.execution.keys import KeyUse, unusable_key
from clary.services.sagemaker.execution.line import NEVER, fill_places, join_line, why_waiting
from clary.services.sagemaker.execution.quotas import check_quotas
from clary.services.sagemaker.execution.usage import host_points
from clary.state.records import Record
from clary.state.transaction import Transaction

POLL_SECONDS = 1.0
"""How often a running job is looked at even if its agent says nothing."""
IMAGE_SECONDS = 0.3
"""How often a job is looked at that has its place and waits for its image."""
RESTARTS = 2
"""How often a job is started again after its agent died, unless its retry strategy says otherwise."""
LAUNCHES = 5
"""How often one attempt is launched whose agent ends before it has said anything."""
TICKET_SECONDS = 86_400.0
"""For how long after its longest run a job may fetch credentials: its outputs are still to be uploaded."""
LONGEST_RUN_SECONDS = 28 * 86_400.0
"""The longest run that SageMaker allows; taken where a job names none."""

RUN = "_run"
WAITED_FOR = "_waited_for"
"""In a job's document: the row of the resource that started it, and is to look when it has ended."""

JOB = Lifecycle(
    {
        "InProgress": ("Completed", "Failed", "Stopped", "Stopping"),
        "Stopping": ("Completed", "Failed", "Stopped"),
    }
)

KINDS = ("TrainingJob", "ProcessingJob", "TransformJob")
"""The kinds of job."""


Added = Callable[[Context, Transaction, Record], None]
Store = Callable[[Transaction], object]
"""Stores something in a transaction."""


def _nothing(transaction: Transaction) -> None:
    """Store nothing."""


class JobKind(ABC):
    """What differs between the kinds of job."""

    log_group: str
    noun: str
    """The kind of its records: ``TrainingJob``."""

    @abstractmethod
    def images(self, record: Record) -> Sequence[str]:
        """The URIs of the images of the containers that run on each of the job's instances: mostly one."""

    @abstractmethod
    def hosts(self, record: Record) -> Sequence[Host]:
        """The instances that the job asks for, at least one, each once for every one of its containers."""

    @abstractmethod
    def spec(self, platform: Platform, record: Record, image: ImageSpec, room: Admitted, host: Host) -> JobSpec:
        """What is to be run in ``room`` on one of the hosts, in the image of its container; id, attempt and the
        platform's address are filled in by the caller."""

    @abstractmethod
    def show(self, record: Record, step: str, message: str, time: float) -> bool:
        """Let the resource show what the job is doing; false if it shows that already.

        ``step`` is ``waiting``, or an event of the agent: ``starting``, ``downloading``, ``running``, ``uploading``.
        """

    @abstractmethod
    def end(self, platform: Platform, record: Record, event: Mapping[str, Any]) -> None:
        """Let the resource, whose status has been set, show how the job ended."""

    def use(self, record: Record) -> str:
        """What quotas call the work of such a job: ``training``."""
        return self.noun.removesuffix("Job").lower()

    def keys(self, record: Record) -> Sequence[KeyUse]:
        """The keys of KMS that the job needs; it fails before it begins if one of them cannot be used."""
        return ()

    def streams(self, record: Record, logs: Mapping[str, Path]) -> Iterable[tuple[str, Path]]:
        """The names of the job's log streams, and the files that they show; ``logs`` has them by the keys of the
        hosts."""
        return ((f"{record.name}/{host}-{int(record.created)}", path) for host, path in logs.items())

    def begin(self, platform: Platform, record: Record) -> Store:
        """The job is about to be launched for the first time; gives what is to be stored together with that."""
        return _nothing

    def launched(self, platform: Platform, record: Record, spec: JobSpec) -> None:  # noqa: B027 - most do nothing
        """The job was launched, on its first host as ``spec``."""

    def ended(self, platform: Platform, record: Record, event: Mapping[str, Any]) -> Store:
        """The resource shows how the job ended; gives what is to be stored together with that."""
        return _nothing

    def ends_at(self, record: Record) -> float | None:
        """When the job ends at the latest, whether it runs or waits: seconds since the epoch."""
        return None

    def capacity_in(self, record: Record) -> float:
        """Seconds until there is capacity again for a job whose machine was just taken away."""
        return 0.0

    def __call__(self, look: Reconciliation) -> float | None:
        """Take the next step for a job (see ``clary.resources.context.Reconciler``)."""
        run = look.record.document.setdefault(RUN, {"attempt": 1, "launched": False})
        if run["launched"]:
            return self._follow(look, run)
        if self._too_late(look):
            return self._give_up(look)
        if look.record.status == "Stopping":
            return self._finish(look, "Stopped", {"event": "stopped", "time": look.platform.clock()})
        return self._start(look, run)

    # Before the launch

    def _start(self, look: Reconciliation, run: dict[str, Any]) -> float | None:
        platform, record = look.platform, look.record
        if why := unusable_key(platform, record, self.keys(record)):
            return self._fail(look, f"ClientError: {why}", "client")
        awaited = ""
        for uri in self.images(record):  # all are asked for before any is waited for
            try:
                state = platform.images.ensure(uri)
            except (ImageNotFound, ImageNotExact) as error:
                return self._fail(look, f"ClientError: Cannot pull image {uri!r}: {error}", "client")
            if state.state == "failed":
                return self._fail(look, f"ClientError: Cannot pull image {uri!r}: {state.message}", "client")
            if state.state != "ready":
                awaited = awaited or uri
        hosts = self.hosts(record)
        machine, strict = this_machine(platform.settings), platform.settings.strict
        room = admit(hosts[0].instance_type, len(instance_types(hosts)), machine, strict=strict)
        if isinstance(room, Refused):
            return self._fail(look, f"CapacityError: {room.reason}", "client")
        with platform.database.read() as transaction:
            has_place = transaction.places.has(record.id)
        if not has_place:
            return self._wait(look, has_place is not None)
        if awaited:
            if self.show(record, "downloading", f"Downloading the image {awaited}", platform.clock()):
                look.save()
            return IMAGE_SECONDS
        run["launched"] = True
        run["room"] = asdict(room)
        run["hosts"] = [host.key for host in hosts]
        self.show(record, "starting", "", platform.clock())
        begin = self.begin(platform, record)

        def store(transaction: Transaction) -> None:
            self._register_log(platform, transaction, record)
            begin(transaction)

        look.save(store)
        return self._launch(look, run)

    def _wait(self, look: Reconciliation, in_line: bool) -> float | None:
        """Rest until it is the job's turn, unless that is now: there may be more places than there were."""
        platform, record = look.platform, look.record
        with platform.database.write() as transaction:
            if not in_line:  # it was made by a version that had no line
                join_line(transaction, record, len(instance_types(self.hosts(record))))
            given = fill_places(platform, transaction)
            why = "" if record.id in given else why_waiting(platform, transaction)
        for row in given:
            platform.wake(row)
        if not why:
            return 0.0
        self.show(record, "waiting", why, platform.clock())
        look.rest(self.ends_at(record) or NEVER)
        return None

    def _register_log(self, platform: Platform, transaction: Transaction, record: Record) -> None:
        for stream, path in self.streams(record, agents(platform, record).logs()):
            register_stream(transaction, record.key.account, record.key.region, self.log_group, stream, path)

    def _launch(self, look: Reconciliation, run: dict[str, Any]) -> float | None:
        """Start the agent of the attempt that is recorded, unless that was done before."""
        platform, record = look.platform, look.record
        images = []
        for uri in self.images(record):
            try:
                images.append(platform.images.spec(uri))
            except ImageNotReady:
                # Its environment was removed since the job was admitted: it is built again.
                state = platform.images.ensure(uri)
                if state.state == "failed":
                    return self._fail(look, f"ClientError: Cannot pull image {uri!r}: {state.message}", "client")
                return IMAGE_SECONDS
        room = Admitted(**{**run["room"], "notes": tuple(run["room"]["notes"])})
        made = {
            host.key: self.spec(platform, record, images[host.container], room, host) for host in self.hosts(record)
        }
        specs = {
            key: replace(
                spec,
                environment={**variables(own_place(record)), **spec.environment},
                attempt=run["attempt"],
                endpoint_url=platform.settings.url,
                region=record.key.region,
                notes=list(room.notes),
            )
            for key, spec in made.items()
        }
        spec = specs[run["hosts"][0]]
        seconds = (spec.limits.max_runtime_s or LONGEST_RUN_SECONDS) + TICKET_SECONDS
        try:
            ticket = platform.identity.ticket(spec.role_arn, "SageMaker", seconds, record.id)
            agents(platform, record).launch(specs, ticket)
            self.launched(platform, record, spec)
        except ServiceError as error:
            # The role was deleted while the job waited.
            return self._fail(look, f"ClientError: Could not assume role {spec.role_arn}: {error.message}", "client")
        except PlacementError as error:
            return self._fail(look, f"InternalServerError: {error}", "internal")
        return POLL_SECONDS

    # After the launch

    def _follow(self, look: Reconciliation, run: dict[str, Any]) -> float | None:
        platform, record = look.platform, look.record
        observed = agents(platform, record).observe()
        if observed.terminal is not None and observed.attempt == run["attempt"]:
            return self._ended(look, run, observed)
        if record.status == "Stopping":
            if observed.alive:
                agents(platform, record).stop()
                return POLL_SECONDS
            return self._finish(look, "Stopped", {"event": "stopped", "time": platform.clock()})
        if observed.attempt < run["attempt"]:
            return self._resume(look, run)
        if not observed.started:
            return self._launch_again(look, run)
        if observed.lost:
            return self._again(look, run, "the agent that ran it died")
        if self._show_events(record, observed):
            look.save()
        return POLL_SECONDS

    def _launch_again(self, look: Reconciliation, run: dict[str, Any]) -> float | None:
        """Launch an attempt once more whose agent ended, or was cut short, before its first word."""
        run["launches"] = run.get("launches", 1) + 1
        if run["launches"] > LAUNCHES:
            why = "The agent of the job does not start. `clary doctor` may say why."
            return self._fail(look, f"InternalServerError: {why}", "internal")
        look.save()
        return self._launch(look, run)

    def _show_events(self, record: Record, observed: Observation) -> bool:
        run = record.document[RUN]
        # How many events of this attempt the resource shows already; times would not do, for clocks are set back.
        attempt, count = run.get("shown", (0, 0))
        new = observed.events[count if attempt == observed.attempt else 0 :]
        shown = False
        for event in new:
            changed = self.show(record, str(event["event"]), str(event.get("message") or ""), float(event["time"]))
            shown = changed or shown
        if shown:
            run["shown"] = (observed.attempt, len(observed.events))
        return shown

    def _ended(self, look: Reconciliation, run: dict[str, Any], observed: Observation) -> float | None:
        event = observed.terminal
        assert event is not None
        self._show_events(look.record, observed)
        if event["event"] == "completed":
            return self._finish(look, "Completed", event)
        if event.get("reason") == "interrupted" and look.record.status == "InProgress":
            return self._interrupted(look, run, float(event["time"]))
        if event["event"] == "stopped":
            return self._finish(look, "Stopped", event)
        if event.get("reason") == "internal":
            return self._again(look, run, str(event.get("message", "")))
        return self._finish(look, "Failed", event)

    def _interrupted(self, look: Reconciliation, run: dict[str, Any], time: float) -> float | None:
        """Start another attempt when there is capacity again; it is no fault, so it does not count as one."""
        run["resume_at"] = time + self.capacity_in(look.record)
        run["attempt"] += 1
        run["interruptions"] = interruptions_of(look.record) + 1
        run.pop("launches", None)
        self.show(look.record, "interrupted", "", time)
        look.save(self._publishing(look))
        # What was on the machine went with it.
        agents(look.platform, look.record).remove()
        return 0.0

    def _resume(self, look: Reconciliation, run: dict[str, Any]) -> float | None:
        """Launch the attempt that is recorded: after an interruption, or because the control plane died between the
        decision and the launch."""
        if self._too_late(look):
            return self._give_up(look)
        left = float(run.get("resume_at", 0.0)) - look.platform.clock()
        return min(left, POLL_SECONDS) if left > 0 else self._launch(look, run)

    def _too_late(self, look: Reconciliation) -> bool:
        end = self.ends_at(look.record)
        return end is not None and look.record.status == "InProgress" and look.platform.clock() >= end

    def _give_up(self, look: Reconciliation) -> float | None:
        return self._finish(look, "Stopped", {"event": "stopped", "time": look.platform.clock(), "reason": "wait"})

    def _again(self, look: Reconciliation, run: dict[str, Any], why: str) -> float | None:
        """Start another attempt after a fault of the platform, or give up."""
        record = look.record
        strategy = record.document.get("RetryStrategy", {})
        if run["attempt"] - interruptions_of(record) > strategy.get("MaximumRetryAttempts", RESTARTS):
            return self._fail(look, f"InternalServerError: {why}; attempt {run['attempt']} was the last.", "internal")
        run["attempt"] += 1
        run.pop("launches", None)
        self.show(record, "restarting", f"Starting again because {why}.", look.platform.clock())
        look.save()
        return 0.0

    def _fail(self, look: Reconciliation, message: str, reason: str) -> float | None:
        event = {"event": "failed", "time": look.platform.clock(), "reason": reason, "message": message}
        return self._finish(look, "Failed", event)

    def _finish(self, look: Reconciliation, status: str, event: Mapping[str, Any]) -> float | None:
        platform, record = look.platform, look.record
        JOB.move(record, status)
        self.end(platform, record, event)
        record.wake_at = None
        launched = record.document[RUN]["launched"]
        ended, publish, given = self.ended(platform, record, event), self._publishing(look), []

        def store(transaction: Transaction) -> None:
            ended(transaction)
            publish(transaction)
            transaction.places.remove(record.id)
            given.extend(fill_places(platform, transaction))

        look.save(store)
        for row in given:
            platform.wake(row)
        if WAITED_FOR in record.document:
            platform.wake(record.document[WAITED_FOR])
        if launched:
            agents(platform, record).remove()
        return None

    def _publishing(self, look: Reconciliation) -> Store:
        """Stores what the job has used so far, which goes with what is left of its agents."""
        platform, record = look.platform, look.record
        if not record.document[RUN]["launched"]:
            return _nothing
        found = host_points(record, self.log_group, agents(platform, record).usage())
        return lambda transaction: transaction.series.put(
            record.key.account, record.key.region, found, platform.clock()
        )


def job_id(record: Record) -> str:
    """The id of a record's job, from which the control plane tells the record that an agent speaks of."""
    return f"{record.key.kind}-{record.id}"


def agents(platform: Platform, record: Record) -> Agents:
    """The agents of a job that has been admitted."""
    return Agents(platform.placement, job_id(record), record.document[RUN]["hosts"])


def interruptions_of(record: Record) -> int:
    """How often a job's machine was taken away."""
    return int(record.document.get(RUN, {}).get("interruptions", 0))


def queued(jobs: JobKind, then: Added) -> Added:
    """What is stored with a new job, beside what ``then`` stores: its place in the line, for ``Resource.added``."""

    def begin(context: Context, transaction: Transaction, record: Record) -> None:
        platform, use = context.platform, jobs.use(record)

        def at_work() -> Iterable[Iterable[str]]:
            for other in transaction.active("sagemaker", (jobs.noun,)):
                same = other.key.account == record.key.account and other.key.region == record.key.region
                if same and other.id != record.id and jobs.use(other) == use:
                    yield instance_types(jobs.hosts(other))

        hosts = jobs.hosts(record)
        check_quotas(platform.settings.quotas, use, instance_types(hosts), at_work)
        join_line(transaction, record, len(instance_types(hosts)))
        if record.id in fill_places(platform, transaction):
            record.version += 1  # as in the table
        then(context, transaction, record)

    return begin


def stop_job(noun: str) -> Any:
    """What Stop does to a job: it is asked to end, or the request is refused because it has ended."""

    def stop(context: Context, record: Record) -> None:
        if record.status != "InProgress":
            raise ValidationException(f"The request was rejected because the {noun} job is in status {record.status}.")
        JOB.move(record, "Stopping")
        record.wake_at = context.platform.clock()

    return stop


def remove_job(noun: str) -> Any:
    """What Delete does to a job: it goes, unless it still runs; its log stays, as on AWS."""

    def remove(context: Context, transaction: Transaction, record: Record) -> bool:
        if record.wake_at is not None:
            raise ValidationException(
                f"The request was rejected because the {noun} job is in status {record.status}. Stop it first."
            )
        transaction.metrics.remove(record.id)
        return True

    return remove
