"""Servers that answer with the same model: the peers, Clary's endpoints, and the bare model server behind one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import load
from bench.environments import environment_of
from bench.inference._models import Models
from bench.inference._processes import awake, cpu_seconds, naming, signal_all, trees
from bench.inference.peers import COMMON, PEERS, Peer, Rows, request
from bench.model import IMAGE, archive

ROOT = Path(__file__).parents[2]
SKLEARN_IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
SCRIPT = b"""
import os
import joblib

def model_fn(folder):
    return joblib.load(os.path.join(folder, "model.joblib"))
"""
BATCHING = {"SAGEMAKER_TS_BATCH_SIZE": "64", "SAGEMAKER_TS_MAX_BATCH_DELAY": "0"}
CSV = {"Content-Type": "text/csv", "Accept": "application/json"}


@dataclass
class Server:
    """Something that answers: ``request`` gives the bytes for some rows, ``told`` the predictions of an answer."""

    title: str
    address: str
    request: Callable[[Rows], bytes]
    told: Callable[[Any], Sequence[float]]
    processes: list[int]
    resting: bool = False
    """Whether it is stopped while others are measured."""

    def measure(self, work: Callable[[], load.Figures]) -> tuple[load.Figures, float]:
        """What ``work`` gives, and the microseconds of CPU of the server for each request."""
        if self.resting:
            with awake(self.processes):
                return self._measure(work)
        return self._measure(work)

    def _measure(self, work: Callable[[], load.Figures]) -> tuple[load.Figures, float]:
        before = cpu_seconds(self.processes)
        figures = work()
        return figures, (cpu_seconds(self.processes) - before) / len(figures.latencies) * 1e6

    def check(self, models: Models, kind: str) -> None:
        """Raise ``RuntimeError`` if it does not predict what the model does."""
        for count in (1, 100):
            rows, wanted = models.rows[:count], models.answers[kind][:count]
            got = self.told(json.loads(load.run(load.fetch(self.address, self.request(rows)))))
            if len(got) != count or any(abs(one - other) > 1e-4 for one, other in zip(got, wanted, strict=True)):
                raise RuntimeError(f"{self.title} answers {got[:3]}, not {wanted[:3]}")


def python_of(peer: Peer) -> Path:
    """The Python that a peer runs under, made once a machine."""
    return environment_of(f"serving-{peer.module}", [*COMMON, *peer.packages], peer.overrides)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def peer_server(name: str, models: Models, kind: str, cores: set[int]) -> Iterator[Server]:
    """A peer that runs for the body of the ``with`` statement and rests while it is not measured."""
    peer = PEERS[name]
    port = _free_port()
    variables = {
        **{each: value for each, value in os.environ.items() if each != "VIRTUAL_ENV"},
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "BENCH_MODEL": kind,
        "BENCH_FOLDER": str(models.folder),
        "BENCH_PORT": str(port),
    }
    arguments = [each.format(port=port) for each in peer.program] or ["-m", f"bench.inference.peers.{peer.module}"]
    with (
        tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as said,
    ):
        own = {each: value.format(folder=folder) for each, value in peer.variables.items()}
        process = subprocess.Popen(
            [python_of(peer), *arguments],
            env={**variables, **own, "TMPDIR": folder, "HOME": folder},
            cwd=folder,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )

        def ask(rows: Rows) -> bytes:
            headers = {"Content-Type": "application/json"}
            return load.http("POST", f"http://127.0.0.1:{port}{peer.path}", headers, request(peer, rows))

        server = Server(peer.title, f"http://127.0.0.1:{port}", ask, peer.told, [], resting=True)
        try:
            _wait(server, process, models)
            server.check(models, kind)
            server.processes = trees([process.pid])
            signal_all(server.processes, signal.SIGSTOP)
            yield server
        except Exception:
            said.seek(0)
            print(said.read().decode("utf-8", "replace")[-3000:], file=sys.stderr)
            raise
        finally:
            processes = trees([process.pid])
            signal_all(processes, signal.SIGCONT)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            signal_all(processes, signal.SIGKILL)


def _wait(server: Server, process: subprocess.Popen[bytes], models: Models) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            load.run(load.fetch(server.address, server.request(models.rows[:1])))
            return
        except (OSError, RuntimeError) as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{server.title} does not answer: {error}") from error
            time.sleep(0.2)


class Platform:
    """A running Clary, and the endpoints made in it."""

    def __init__(self, aws: Any) -> None:
        self.aws = aws
        frozen = aws.session().get_credentials().get_frozen_credentials()
        self.keys = (frozen.access_key, frozen.secret_key)

    def script_archive(self, models: Models) -> str:
        """The URI of the scikit-learn model with a script that only loads it."""
        files = {"model.joblib": (models.folder / "model.joblib").read_bytes(), "code/inference.py": SCRIPT}
        self.aws.client("s3").put_object(Bucket="bench-models", Key="sklearn/model.tar.gz", Body=archive(files))
        return "s3://bench-models/sklearn/model.tar.gz"

    def model(self, name: str, models: Models, kind: str, variables: dict[str, str]) -> None:
        """Make a model."""
        if kind == "sklearn":
            script = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
            container = {"Image": SKLEARN_IMAGE, "ModelDataUrl": self.script_archive(models)}
            variables = {**script, **variables}
        else:
            container = {"Image": IMAGE, "ModelDataUrl": models.archive}
        self.aws.client("sagemaker").create_model(
            ModelName=name,
            ExecutionRoleArn=self.aws.role_arn,
            PrimaryContainer={**container, "Environment": variables},
        )

    def config(self, name: str, model: str, **more: Any) -> None:
        """Make an endpoint configuration of one variant and one instance."""
        variant = {"VariantName": "v", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        self.aws.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant], **more
        )

    def begin(self, name: str, config: str) -> None:
        """Make an endpoint, and do not wait for it."""
        self.aws.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=config)

    def ready(self, name: str) -> None:
        """Wait until an endpoint is in service."""
        self.aws.client("sagemaker").get_waiter("endpoint_in_service").wait(
            EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600}
        )

    def endpoint(
        self, title: str, name: str, models: Models, kind: str, variables: dict[str, str], **more: Any
    ) -> tuple[Server, Server]:
        """An endpoint called ``name``, and the bare model server behind it."""
        before = set(self.aws.home.glob("jobs/Endpoint-*"))
        self.model(name, models, kind, variables)
        self.config(name, name, **more)
        self.begin(name, name)
        self.ready(name)
        [folder] = set(self.aws.home.glob("jobs/Endpoint-*")) - before
        events = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
        [socket] = [event["address"] for event in events if event["event"] == "serving"]
        # Whatever the edge speaks with it, a model server answers HTTP on its socket.
        return self.server(title, name, folder), bare(folder, f"unix:{socket.partition(':')[2]}")

    def server(self, title: str, name: str, folder: Path) -> Server:
        """The endpoint as its clients see it; what counts are the platform and the endpoint's own processes."""
        url = f"{self.aws.url}/endpoints/{name}/invocations"

        def ask(rows: Rows) -> bytes:
            return load.signed(self.keys, "sagemaker", self.aws.region, "POST", url, CSV, csv(rows))

        return Server(title, self.aws.url, ask, _predictions, [*self.platform(), *naming(str(folder))])

    def platform(self) -> list[int]:
        """The processes of the platform itself, without those of jobs."""
        jobs = set(naming(f"{self.aws.home}/jobs/"))
        return [process for process in naming(str(self.aws.home)) if process not in jobs]

    def processes(self) -> list[int]:
        """All the processes, those of endpoints too."""
        return naming(str(self.aws.home))


def bare(folder: Path, address: str) -> Server:
    """The model server of an endpoint, asked without Clary."""

    def ask(rows: Rows) -> bytes:
        return load.http("POST", "/invocations", CSV, csv(rows))

    return Server("bare model server", address, ask, _predictions, naming(str(folder)))


def csv(rows: Rows) -> bytes:
    """Rows as CSV."""
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


def _predictions(answer: Any) -> Sequence[float]:
    """The predictions in an answer of the built-in algorithm or of a script."""
    if isinstance(answer, dict):
        return [each["score"] if isinstance(each, dict) else each for each in answer["predictions"]]
    found: Sequence[float] = answer
    return found
