"""Looks through the jobs, endpoints and alarms of an account for what is wrong with them.

What is asked for is found by indexes, so that a look costs little however much an account has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from clary.compute.images.catalog import catalogue
from clary.core.exposition import Family, Sample
from clary.core.problems import MOST_NAMED, Affected, Problem, Severity, named
from clary.resources.context import Platform
from clary.services.cloudwatch.alarms.records import KIND as ALARM_KIND
from clary.services.cloudwatch.alarms.records import SERVICE as ALARMS
from clary.services.cloudwatch.alarms.states import ALARM
from clary.services.sagemaker.execution.api import KINDS, RUN
from clary.state.records import Query, Record
from clary.state.transaction import Transaction

LATELY_SECONDS = 86_400.0
"""For so long a job that failed is worth a line."""
OVERDUE_SECONDS = 600.0
"""So long after its limit a job must have ended: it is told to stop, may take its time, and uploads what it has."""
WAITING_SECONDS = 60.0
"""From so long on, a job that waits is worth a line."""
SLOW_SECONDS = 1_800.0
"""From so long on, an endpoint that is still being made is worth a look."""
MOST_READ = 100
_ENDPOINTS = ("Endpoint",)
_LIMITS = {"TrainingJob": "StoppingCondition", "ProcessingJob": "StoppingCondition"}
_STARTED = {
    "TrainingJob": "TrainingStartTime",
    "ProcessingJob": "ProcessingStartTime",
    "TransformJob": "TransformStartTime",
}


def problems(platform: Platform, account: str) -> list[Problem]:
    """What is wrong with the work of ``account``, in all regions, the worst first within each subject."""
    with platform.database.read() as transaction:
        look = _Look(transaction, account, platform.clock())
        found = [
            *look.failed_jobs(),
            *look.overdue_jobs(),
            *look.waiting_jobs(),
            *look.failed_endpoints(),
            *look.alarms(),
        ]
    return [*found, *_images(platform)]


def counted(platform: Platform) -> list[Family]:
    """How many jobs, endpoints and alarms there are by status, in all accounts, and which jobs wait; for Prometheus."""
    with platform.database.read() as transaction:
        rows = transaction.count_statuses("sagemaker", (*KINDS, *_ENDPOINTS))
        alarms = transaction.count_statuses(ALARMS, (ALARM_KIND,))
        active = transaction.active("sagemaker", KINDS)
    statuses = [Sample({"kind": kind, "status": status}, count) for kind, status, count in (*rows, *alarms)]
    jobs = []
    for kind in KINDS:
        launched = [bool(each.document.get(RUN, {}).get("launched")) for each in active if each.key.kind == kind]
        jobs += [Sample({"kind": kind, "state": "running"}, sum(launched))]
        jobs += [Sample({"kind": kind, "state": "waiting"}, len(launched) - sum(launched))]
    return [
        Family("clary_resources", "gauge", "Jobs, endpoints and alarms by status.", statuses),
        Family("clary_jobs_in_progress", "gauge", "Jobs that run, and that wait for room or for their image.", jobs),
    ]


class _Look:
    """One look at the resources of an account."""

    def __init__(self, transaction: Transaction, account: str, now: float) -> None:
        self._transaction = transaction
        self._account = account
        self._now = now
        self._regions = transaction.regions(account)
        active = transaction.active("sagemaker", KINDS)
        self._active = [record for record in active if record.key.account == account]

    def failed_jobs(self) -> Iterable[Problem]:
        """Those that failed within a day."""
        since = self._now - LATELY_SECONDS
        found, count = self._find("sagemaker", KINDS, lambda query: query.where("@modified", since, "from"), "Failed")
        return _one(
            found,
            count,
            "warning",
            "FailedJobs",
            "{} failed in the last day: {}",
            "Read the reason in Studio or with Describe, and its output with `clary logs NAME`.",
            "job",
        )

    def overdue_jobs(self) -> Iterable[Problem]:
        """Those that should have been stopped long ago."""
        late = [record for record in self._active if self._is_overdue(record)]
        return _one(
            late,
            len(late),
            "error",
            "OverdueJobs",
            "{} should have been stopped at the limit of its time: {}",
            "Stop it; if it stays, see `clary doctor` and the log of control.",
            "job",
        )

    def _is_overdue(self, record: Record) -> bool:
        document = record.document
        begun = document.get(_STARTED[record.key.kind])
        limit = document.get(_LIMITS.get(record.key.kind, ""), {}).get("MaxRuntimeInSeconds")
        return begun is not None and limit is not None and self._now > float(begun) + float(limit) + OVERDUE_SECONDS

    def waiting_jobs(self) -> Iterable[Problem]:
        """Those that wait for room or for their image, with the reason of the first that has one."""
        waiting = [
            record
            for record in self._active
            if record.status == "InProgress"
            and not record.document.get(RUN, {}).get("launched")
            and self._now - record.created > WAITING_SECONDS
        ]
        told = (record.document.get("SecondaryStatusTransitions", [{}])[-1].get("StatusMessage") for record in waiting)
        why = next((f" ({text})" for text in told if text), "")
        return _one(
            waiting,
            len(waiting),
            "warning",
            "WaitingJobs",
            "{} for room or an image" + why.replace("{", "{{").replace("}", "}}") + ": {}",
            "They start by themselves when there is room; max_jobs and memory_mb in settings.toml say how much.",
            "job",
            verbs=("waits", "wait"),
        )

    def failed_endpoints(self) -> Iterable[Problem]:
        """Those that failed, whose servers do not start again, and that take long to be made."""
        failed, count = self._find("sagemaker", _ENDPOINTS, lambda query: query, "Failed")
        yield from _one(
            failed,
            count,
            "error",
            "FailedEndpoints",
            "{} failed: {}",
            "Its FailureReason says why; delete it and make it again.",
            "endpoint",
        )
        serving, _ = self._find("sagemaker", _ENDPOINTS, lambda query: query, "InService")
        limping = [record for record in serving if "FailureReason" in record.document]
        yield from _one(
            limping,
            len(limping),
            "warning",
            "UnhealthyEndpoints",
            "{} not with all that is wanted: {}",
            "Its FailureReason says which servers or which update failed; what is there goes on serving.",
            "endpoint",
            verbs=("serves", "serve"),
        )
        slow = [
            record
            for status in ("Creating", "Updating")
            for record in self._find("sagemaker", _ENDPOINTS, lambda query: query, status)[0]
            if self._now - record.modified > SLOW_SECONDS
        ]
        yield from _one(
            slow,
            len(slow),
            "warning",
            "SlowEndpoints",
            "{} more than half an hour to start: {}",
            "See the log of its servers: clary logs, group /aws/sagemaker/Endpoints/NAME.",
            "endpoint",
            verbs=("takes", "take"),
        )

    def alarms(self) -> Iterable[Problem]:
        """Those that are in the state ALARM."""
        found, count = self._find(ALARMS, (ALARM_KIND,), lambda query: query, ALARM)
        return _one(
            found,
            count,
            "warning",
            "Alarms",
            "{} in the state ALARM: {}",
            "describe-alarms of CloudWatch tells the reason and the values.",
            "alarm",
            verbs=("is", "are"),
        )

    def _find(
        self, service: str, kinds: Iterable[str], narrowed: Callable[[Query], Query], status: str
    ) -> tuple[list[Record], int]:
        """The newest of a status, and how many there are."""
        found: list[Record] = []
        count = 0
        for region in self._regions:
            for kind in kinds:
                query = narrowed(Query(self._account, region, service, kind, descending=True, limit=MOST_READ))
                query = query.where("@status", status)
                if some := self._transaction.find(query):
                    found += some
                    count += len(some) if len(some) < MOST_READ else self._transaction.count(query)
        return sorted(found, key=lambda record: -record.modified), count


def _one(
    records: list[Record],
    count: int,
    severity: Severity,
    code: str,
    text: str,
    remedy: str,
    noun: str,
    verbs: tuple[str, str] | None = None,
) -> Iterable[Problem]:
    """The problem that some resources have, if there are any; ``text`` takes how many, and which."""
    if not records:
        return []
    affected = tuple(Affected(record.key.kind, record.name, record.key.region) for record in records[: MOST_NAMED * 4])
    many = f"{count} {noun}{'' if count == 1 else 's'}"
    if verbs is not None:
        many += f" {verbs[0] if count == 1 else verbs[1]}"
    return [Problem(severity, code, text.format(many, named(affected, count)), remedy, affected, count)]


def _images(platform: Platform) -> Iterable[Problem]:
    """Images whose environments could not be built."""
    for image, why in platform.images.failures(catalogue().images.values(), platform.clock() - LATELY_SECONDS):
        yield Problem(
            "warning",
            "FailedImages",
            f"The image {image.name} could not be built: {(why.splitlines() or ['no reason is known'])[-1][:200]}",
            f"clary images pull {image.name}",
        )
