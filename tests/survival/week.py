"""A week of a control plane in minutes: ``week.py HOME JOBS DAYS`` prints one line of JSON for each simulated day.

All of the control plane is real, but for its clock, which is put forward whenever all jobs have ended, and for where
jobs run: they end as soon as they are launched, with a log and a metric each. Beside the jobs come calls for the trail,
lines for the log of the process, values of metrics, and messages that nobody fetches.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from clary.core import clock

OFFSET = [0.0]


def now() -> float:
    """The simulated time."""
    return int((time.time() + OFFSET[0]) * 1000) / 1000


clock.now = now  # before anybody takes it from there

from clary.compute.images.environments import Progress  # noqa: E402
from clary.compute.placement.base import Observation  # noqa: E402
from clary.compute.spec import ImageSpec, JobSpec  # noqa: E402
from clary.control import run  # noqa: E402
from clary.control.rotating_log import RotatingLog  # noqa: E402
from clary.control.wake import row_of  # noqa: E402
from clary.core.arenas import share_memory  # noqa: E402
from clary.core.settings import Settings, load  # noqa: E402
from clary.edge.trail import Call, Trail  # noqa: E402
from clary.resources.context import Context, Platform  # noqa: E402
from clary.services.iam.entities import access_keys  # noqa: E402
from clary.services.sagemaker.execution import forgetting  # noqa: E402
from clary.wire.http import Request  # noqa: E402

DAY = 86_400.0
TOGETHER = 100
"""Jobs that are submitted at once."""
LINE = "a line that a job has printed, as long as such lines are: loss=0.25 accuracy=0.93\n"


class Ready:
    """All images are there."""

    def __init__(self, settings: Settings) -> None: ...

    def ensure(self, uri: str) -> Progress:
        return Progress("ready")

    def spec(self, uri: str) -> ImageSpec:
        return ImageSpec("clary/python")

    def failures(self, *_: Any) -> list[Any]:
        return []


class Instantly:
    """A placement whose jobs end when they are launched."""

    name = "instantly"

    def __init__(self, settings: Settings, process: str) -> None:
        self._folder = settings.jobs
        self._events: dict[str, list[dict[str, Any]]] = {}
        self.wake: Callable[[int], None] = lambda row: None
        self.launched = 0
        PLACEMENTS.append(self)

    def launch(self, spec: JobSpec, ticket: str) -> None:
        folder = self._folder / spec.id
        folder.mkdir(parents=True)
        stamp = int(now() * 1000)
        (folder / "log").write_text("".join(f"{stamp} {LINE}" for _ in range(20)))
        (folder / "metrics.jsonl").write_text(json.dumps({"name": "loss", "value": 0.25, "time": now()}) + "\n")
        steps: list[dict[str, Any]] = [{"event": step} for step in ("started", "downloading", "running", "uploading")]
        steps.append({"event": "completed", "exit": 0})
        self._events[spec.id] = [{"time": now(), **step} for step in steps]
        self.launched += 1
        row = row_of(spec.id)
        assert row is not None
        self.wake(row)

    def observe(self, id: str) -> Observation:
        events = self._events.get(id, ())
        return Observation(id, started=bool(events), attempt=1 if events else 0, events=tuple(events))

    def remove(self, id: str, *, keep_log: bool = False) -> None:
        self._events.pop(id, None)
        if not keep_log:
            shutil.rmtree(self._folder / id, ignore_errors=True)

    def usage(self, id: str) -> Mapping[int, Mapping[str, float]]:
        return {int(now()) // 60 * 60: {"CPUUtilization": 80.0, "MemoryUtilization": 25.0, "DiskUtilization": 1.0}}

    def log(self, id: str) -> Path:
        return self._folder / id / "log"

    def metrics(self, id: str) -> Path:
        return self._folder / id / "metrics.jsonl"

    def prepare(self, spec: JobSpec) -> None: ...

    def retire(self, pool: str) -> None: ...

    def retire_all(self) -> None: ...

    def stop(self, id: str) -> None: ...

    def volumes(self) -> Sequence[str]:
        return ()

    def list(self) -> Sequence[str]:
        return tuple(self._events)


PLACEMENTS: list[Instantly] = []
PLATFORMS: list[Platform] = []


class Noticed(run.ControlApp):
    """Tells what the control plane is made of."""

    def __init__(self, platform: Platform, *rest: Any) -> None:
        super().__init__(platform, *rest)
        PLATFORMS.append(platform)


class Week:
    """The clients of the week, and who counts what they leave behind."""

    def __init__(self, settings: Settings, platform: Platform) -> None:
        self.settings, self.platform = settings, platform
        identities = cast("Any", platform.identity)
        with platform.database.read() as transaction:
            key = access_keys(transaction, settings.account, "administrator")[0].name
        self.caller = identities.resolve(key).principal
        self.trail = Trail(settings, identities, now)
        self.log = RotatingLog(settings.log / "control.log", limit=1 << 20)
        self.jobs = 0
        self.started = time.monotonic()

    def call(self, service: str, operation: str, **members: Any) -> Mapping[str, Any]:
        context = Context(
            self.caller, self.caller.account, "us-east-1", f"request-{time.monotonic_ns()}", self.platform
        )
        answer = self.platform.calls.make(context, service, operation, members)
        call = Call(Request("POST", "/"), context.request_id, self.caller)
        call.of(service, operation, "us-east-1", requestParameters={"of": "a week", "padding": "x" * 500})
        self.trail.keep(call)
        self.log.write(f"INFO clary.control: {operation} was answered\n".encode())
        return answer

    def prepare(self) -> None:
        """What is there before the first day: a log group that forgets, and a queue that does."""
        self.call("logs", "CreateLogGroup", logGroupName="own")
        self.call("logs", "CreateLogStream", logGroupName="own", logStreamName="all")
        self.call("logs", "PutRetentionPolicy", logGroupName="own", retentionInDays=1)
        attributes = {"MessageRetentionPeriod": str(int(DAY))}
        self.queue = self.call("sqs", "CreateQueue", QueueName="told", Attributes=attributes)["QueueUrl"]

    def batch(self) -> None:
        """Some jobs, and what else happens meanwhile; returns when all have ended."""
        for _ in range(TOGETHER):
            self.jobs += 1
            self.call(
                "sagemaker",
                "CreateTrainingJob",
                TrainingJobName=f"job-{self.jobs}",
                RoleArn=f"arn:aws:iam::{self.settings.account}:role/ClaryExecutionRole",
                AlgorithmSpecification={"TrainingImage": "clary/python:3.11", "TrainingInputMode": "File"},
                OutputDataConfig={"S3OutputPath": "s3://bucket/models"},
                ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
                StoppingCondition={"MaxRuntimeInSeconds": 600},
                Tags=[{"Key": "of", "Value": "the week"}],
            )
        stamp = int(now() * 1000)
        lines = [{"timestamp": stamp, "message": LINE * 10} for _ in range(10)]
        self.call("logs", "PutLogEvents", logGroupName="own", logStreamName="all", logEvents=lines)
        for _ in range(10):
            self.call("sqs", "SendMessage", QueueUrl=self.queue, MessageBody=LINE)
        data = [{"MetricName": f"m-{number}", "Value": float(number), "Timestamp": now()} for number in range(10)]
        self.call("cloudwatch", "PutMetricData", Namespace="week", MetricData=data)
        while self._at_work():
            time.sleep(0.005)

    def _at_work(self) -> bool:
        with self.platform.database.read() as transaction:
            return bool(transaction.active("sagemaker", ("TrainingJob",)))

    def day(self, number: int, jobs: int) -> dict[str, Any]:
        """One simulated day with so many jobs; gives what there is at its end."""
        for done in range(0, jobs, TOGETHER):
            self.batch()
            OFFSET[0] += DAY * TOGETHER / jobs
            if done % (24 * TOGETHER) == 0:
                forgetting.forget_old_jobs(self.platform, KINDS)
        return {"day": number, "seconds": round(time.monotonic() - self.started, 1), **self.left()}

    def left(self) -> dict[str, Any]:
        """What the week has left behind so far."""
        home = self.settings.home
        files = [Path(folder, name) for folder, _, names in os.walk(home) for name in names]
        with closing(sqlite3.connect(home / "state" / "clary.db")) as database:
            (rows,) = database.execute("SELECT count(*) FROM resources").fetchone()
            (pages,) = database.execute("PRAGMA page_count").fetchone()
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        sizes = {file: file.stat().st_size for file in files if file.exists()}
        state = sum(size for file, size in sizes.items() if file.parent.name == "state")
        return {
            "jobs": self.jobs,
            "launched": PLACEMENTS[0].launched,
            "resources": rows,
            "database_bytes": pages * 4096,
            "files": len(sizes),
            "other_bytes": sum(sizes.values()) - state,
            "resident_bytes": resident,
        }


KINDS: dict[str, Any] = {}


def main() -> None:
    """Live through the week."""
    home, jobs, days = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    settings = load(home, {}, keep_jobs_days=1, audit_days=1, audit_mb=4, max_jobs=8, port=1)
    settings.create_folders()
    logging.disable(logging.WARNING)
    share_memory()
    run.LocalPlacement, run.ImageStore, run.ControlApp = Instantly, Ready, Noticed  # type: ignore[misc, assignment]

    def live() -> None:
        try:
            while not PLATFORMS:
                time.sleep(0.01)
            platform = PLATFORMS[0]
            PLACEMENTS[0].wake = platform.wake
            from clary.services.catalog import services

            KINDS.update({k: v for k, v in services()["sagemaker"].reconcilers.items() if hasattr(v, "log_group")})
            week = Week(settings, platform)
            week.prepare()
            for number in range(1, days + 1):
                print(json.dumps(week.day(number, jobs // days)), flush=True)
        except BaseException:
            logging.disable(logging.NOTSET)
            logging.exception("the week ended before its time")
            os._exit(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=live, daemon=True).start()
    asyncio.run(run.serve(settings, "control"))


if __name__ == "__main__":
    main()
