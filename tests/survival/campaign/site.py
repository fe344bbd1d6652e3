"""What the workloads, the faults and the final account of one campaign share."""

from __future__ import annotations

import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from .ledger import Ledger, is_absent, is_lost
from .moments import Moments
from .witness import Witness

PRESENT = "there"
LONGEST_JOB_S = 180.0
"""How long a job may take to its end, whatever happens meanwhile."""
LOOK_S = 0.2
"""Between two looks at a job."""

KINDS = ("TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob")


@dataclass
class Job:
    """A job that was asked for. ``fate`` is what its program does by itself; ``expected`` is what it leaves, by key."""

    kind: str
    name: str
    fate: str = "complete"
    expected: dict[str, bytes] = field(default_factory=dict)

    def status(self, described: dict[str, Any]) -> str:
        """Its status as it was described."""
        return str(described[f"{self.kind}Status"])


class Site:
    """A plant at work: its ledger, its witness, and what the faults have done to whom."""

    def __init__(self, plant: Any, seed: int, bucket: str) -> None:
        self.plant = plant
        self.seed = seed
        self.bucket = bucket
        self.ledger = Ledger()
        self.moments = Moments()
        self.witness = Witness(seed, self.moments)
        self.over = threading.Event()
        """Set when no more work is to be begun."""
        self.disk_is_full = threading.Event()
        self.jobs: list[Job] = []
        self.hits: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """What faults did to a job or a server itself, by its name; a fault of the platform hits none of them."""
        self.errors: list[str] = []
        self._threads: list[threading.Thread] = []
        self._never = threading.Event()

    def pause(self, seconds: float) -> None:
        """Between two looks at something."""
        self._never.wait(seconds)

    def client(self, service: str) -> Any:
        return self.plant.client(service)

    def put(self, key: str, body: bytes) -> None:
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    # -- workloads

    def start(self, workloads: Sequence[Callable[[Site], None]]) -> None:
        """Let each of them work in a thread of its own until it is over; one that fails is a finding."""

        def work(workload: Callable[[Site], None]) -> None:
            try:
                workload(self)
            except Exception:  # noqa: BLE001 - whatever it is, the campaign tells it in the end
                self.errors.append(f"{workload.__name__}: {traceback.format_exc()}")

        self._threads = [threading.Thread(target=work, args=(each,), name=each.__name__) for each in workloads]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """No more work is begun; what is under way ends."""
        self.over.set()
        for thread in self._threads:
            thread.join(2 * LONGEST_JOB_S)
        self.errors += [f"{thread.name} does not end" for thread in self._threads if thread.is_alive()]

    # -- jobs

    def create(self, job: Job, call: Callable[[], object]) -> bool:
        """Ask for a job; false if the answer was lost."""
        self.jobs.append(job)
        return self.ledger.change(job.kind, job.name, PRESENT, call)

    def described(self, job: Job) -> dict[str, Any] | None:
        """The job as it is described; None where there is none of the name, or no answer."""
        operation = getattr(self.client("sagemaker"), f"describe_{xform_name(job.kind)}")
        try:
            return dict(operation(**{f"{job.kind}Name": job.name}))
        except Exception as error:
            if is_lost(error) or is_absent(error):
                return None
            raise

    def ended(self, job: Job) -> dict[str, Any] | None:
        """The same, once it has ended; None before."""
        described = self.described(job)
        return described if described and job.status(described) not in ("InProgress", "Stopping") else None

    def await_end(self, job: Job) -> dict[str, Any] | None:
        """The job as it has ended; None where it was never made. That it does not end is a finding."""
        until = time.monotonic() + LONGEST_JOB_S
        while (ended := self.ended(job)) is None:
            if time.monotonic() > until:
                self.errors.append(f"{job.name} does not end: {self.described(job)}")
                return None
            if self.over.is_set() and self.described(job) is None:
                return None
            self.pause(LOOK_S)
        self.moments.reached("ended")
        return ended
