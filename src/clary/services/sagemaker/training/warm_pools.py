"""Warm pools: what a training job leaves ready for the next one like it.

A pool is moved from job to job. While a job has it, the job's ``_run`` names it; while it is kept alive after a job, a
record of the kind ``WarmPool`` does, which wakes when its time is over.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clary.compute.placement.base import PlacementError
from clary.compute.spec import JobSpec
from clary.core.errors import ValidationException
from clary.resources.context import Context, Platform, Reconciliation
from clary.services.sagemaker.execution.api import RUN
from clary.state.records import Record
from clary.state.transaction import Transaction

KIND = "WarmPool"
STATUS = "WarmPoolStatus"

_SAME = (
    ("RoleArn",),
    ("ResourceConfig", "InstanceCount"),
    ("ResourceConfig", "InstanceType"),
    ("ResourceConfig", "VolumeKmsKeyId"),
    ("ResourceConfig", "VolumeSizeInGB"),
    ("VpcConfig", "SecurityGroupIds"),
    ("VpcConfig", "Subnets"),
    ("EnableInterContainerTrafficEncryption",),
    ("EnableNetworkIsolation",),
)
"""What must be the same for a job to reuse a pool."""


def check_warm_pool(params: Mapping[str, Any]) -> None:
    """Refuse what cannot have a warm pool. Raises ``ValidationException``."""
    if _kept(params) and params.get("EnableManagedSpotTraining"):
        raise ValidationException(
            "KeepAlivePeriodInSeconds is not supported with managed spot training (EnableManagedSpotTraining)."
        )


def take_pool(platform: Platform, record: Record) -> Callable[[Transaction], None]:
    """Give a job that begins a pool: one that is kept for such jobs, or a new one if it keeps one itself.

    Gives what is to be done in the transaction that stores ``record``.
    """
    now, document = platform.clock(), record.document
    with platform.database.read() as transaction:
        pools = [
            pool
            for pool in transaction.active("sagemaker", (KIND,))
            if (pool.key.account, pool.key.region) == (record.key.account, record.key.region)
            and pool.document["Same"] == _same(document)
            and (pool.wake_at or 0) > now
        ]
    if not pools and not _kept(document):
        return lambda transaction: None
    document[STATUS] = {"Status": "InUse"}
    if not pools:
        document[RUN]["pool"] = f"pool-{record.id}"
        return lambda transaction: None
    pool = pools[0]
    document[RUN]["pool"] = pool.document["Pool"]

    def moved(transaction: Transaction) -> None:
        transaction.delete(pool)  # refused if another job has taken it
        _release(transaction, pool, now, "Reused", ReusedByJob=record.name)

    return moved


def prepare_pool(platform: Platform, record: Record, spec: JobSpec) -> None:
    """Get ready for the job after this one, which has just been launched as ``spec``.

    Jobs on several hosts get no standbys: what a standby's sandbox shows of the other hosts differs from job to job.
    """
    if spec.pool and _kept(record.document) and len(spec.hosts) == 1:
        with contextlib.suppress(PlacementError, OSError):  # then the next job starts as any other does
            platform.placement.prepare(spec)


def keep_pool(platform: Platform, record: Record, reason: str) -> Callable[[Transaction], None]:
    """Keep the pool of a job that has ended, or give it up. ``reason`` is the class of a failure.

    Gives what is to be done in the transaction that stores ``record``.
    """
    document, pool = record.document, record.document[RUN].get("pool")
    if not pool:
        return lambda transaction: None
    seconds, now = _kept(document), platform.clock()
    # A fault that may lie with the machine ends the pool, too.
    kept = seconds and "TrainingStartTime" in document and reason != "internal"
    document[STATUS] = {"Status": "Available" if kept else "Terminated", "ResourceRetainedBillableTimeInSeconds": 0}
    places = _places(pool, len(document[RUN]["hosts"]))
    if not kept:
        _retire(platform, places)
        return lambda transaction: None
    waiting = Record(
        key=record.key._replace(kind=KIND),
        arn=f"{record.arn}/warm-pool",
        created=now,
        modified=now,
        document={"Pool": pool, "Places": places, "Job": record.id, "Since": now, "Same": _same(document)},
        wake_at=now + seconds,
    )

    def stored(transaction: Transaction) -> None:
        transaction.insert(waiting)

    return stored


def change_pool(context: Context, transaction: Transaction, record: Record, seconds: int) -> None:
    """Keep the pool of a training job for ``seconds`` after its end; 0 gives it up.

    Raises ``ValidationException`` for a job whose pool is gone.
    """
    record.document["ResourceConfig"]["KeepAlivePeriodInSeconds"] = seconds
    if record.status == "InProgress" and STATUS in record.document:
        return
    pool = transaction.get(record.key._replace(kind=KIND))
    if pool is None:
        raise ValidationException(
            "KeepAlivePeriodInSeconds can only be updated while the job's warm pool is InUse or Available."
        )
    pool.wake_at = max(context.platform.clock(), pool.document["Since"] + seconds)
    transaction.update(pool)


def end_pool(look: Reconciliation) -> float | None:
    """The time of a pool that nobody has reused is over: the reconciler of the kind ``WarmPool``."""
    pool, now = look.record, look.platform.clock()
    left = (pool.wake_at or 0) - now
    if left > 0:
        return left
    _retire(look.platform, pool.document["Places"])
    look.delete(lambda transaction: _release(transaction, pool, now, "Terminated"))
    return None


def pooled(spec: JobSpec, record: Record, number: int) -> JobSpec:
    """``spec``, that of a job's host with this number from 0, in the pool that its job has."""
    pool = record.document[RUN].get("pool")
    return replace(spec, pool=_places(pool, number + 1)[number]) if pool else spec


def _places(pool: str, hosts: int) -> list[str]:
    """What the placement knows a pool by, one on each host: what its jobs leave on a host is for that host alone."""
    return [pool, *(f"{pool}-{number}" for number in range(2, hosts + 1))]


def _retire(platform: Platform, places: Sequence[str]) -> None:
    for place in places:
        platform.placement.retire(place)


def _release(transaction: Transaction, pool: Record, now: float, status: str, **more: str) -> None:
    job = transaction.by_id(pool.document["Job"])
    if job is not None:
        seconds = max(0, round(now - pool.document["Since"]))
        job.document[STATUS] = {"Status": status, "ResourceRetainedBillableTimeInSeconds": seconds, **more}
        transaction.update(job)


def _kept(document: Mapping[str, Any]) -> int:
    return int(document.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds", 0))


def _same(document: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for path in _SAME:
        value: Any = document
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        found.append(sorted(value) if isinstance(value, list) else value)
    return found
