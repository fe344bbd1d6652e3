"""An installation whose processes the tests kill, and jobs that wait in their middle until a test lets them go on."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from clary.cli.installation import EXECUTION_ROLE, Installation
from clary.compute.placement.local import LocalPlacement
from clary.control.child import process_start
from clary.control.supervisor import answers, read_state
from clary.core.settings import load
from clary.testing.sessions import session

PYTHON = "clary/python:3.11"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET = "survival"

STEPS = """
import os, pathlib, sys, time
ml = pathlib.Path(os.environ["CLARY_ML_ROOT"])
for step in range(6):
    print("step", step, flush=True)
    (ml / "model" / f"part-{step}").write_bytes(bytes([step]) * 100_000)
    if step == 2 and "wait" in sys.argv:
        (ml / "reached").touch()
        while not (ml / "go").exists():
            time.sleep(0.01)
print("all steps done", flush=True)
"""
"""Trains: six lines in the log, six files in the model. With ``wait``, it stops in the middle until told to go on."""

INFERENCE = """
import os, pathlib, time
def model_fn(folder):
    ml = pathlib.Path(folder).parent
    (ml / "reached").touch()
    while os.environ.get("WAIT") and not (ml / "go").exists():
        time.sleep(0.01)
    return os.environ["ANSWER"]
def input_fn(body, content_type):
    return body
def predict_fn(body, model):
    return f"{model} {body} {os.getpid()}"
def output_fn(text, accept):
    return text
"""
"""Serves: answers with a word of its own, the request and its pid. With ``WAIT``, it loads until told to go on."""


def wait_until(condition: Callable[[], Any], seconds: float = 60, what: object = None) -> Any:
    """The first true value of ``condition``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what() if callable(what) else what}"
        time.sleep(0.02)
    return value


def alive(pid: int) -> bool:
    return process_start(pid) != ""


class Plant:
    """An installation under test: its processes by name, its jobs by folder, and clients of its API."""

    def __init__(self, home: Path) -> None:
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith("CLARY_") or name == "CLARY_CACHE"
        }
        self.environ = environ
        self.installation = Installation(load(home, environ))
        self.home = self.installation.home
        self.placement = LocalPlacement(self.installation.settings)
        self._supervisors: list[subprocess.Popen[bytes]] = []
        self._clients: dict[str, Any] = {}
        self.url = ""

    # -- the clock

    def take_clock(self) -> None:
        """Let the platform, once it is up, have a clock that can be set; agents and jobs keep the machine's."""
        path = [str(Path(__file__).with_name("clock")), self.environ.get("PYTHONPATH", "")]
        self.environ |= {"PYTHONPATH": os.pathsep.join(filter(None, path)), "TEST_CLOCK": f"{self.home}.clock"}
        self.set_clock(0.0)

    def set_clock(self, seconds: float) -> None:
        """Set it that many seconds forward, or back where they are negative, of the machine's."""
        clock = Path(f"{self.home}.clock")
        clock.with_suffix(".draft").write_text(str(seconds))
        clock.with_suffix(".draft").replace(clock)

    # -- processes

    def up(self) -> None:
        """``clary up --detach --port 0``."""
        started = self.installation.start(0, environ=self.environ)
        self._supervisors.append(started.process)
        if started.url != self.url:
            self.url = started.url
            self._clients.clear()

    def state(self) -> dict[str, Any]:
        return read_state(self.home / "run" / "supervisor.json") or {}

    def pid(self, name: str) -> int:
        """The process ``supervisor``, ``edge``, ``control`` …, or that of the agent of a job, by the job's id."""
        if name == "supervisor":
            return int(self.state()["pid"])
        if name in ("edge", *self.installation.settings.control_names):
            return int(self.state()["children"][name]["pid"])
        return int((self.placement.folder(name) / "lock").read_text().split()[0])

    def kill(self, *names: str) -> None:
        """Kill -9, all as close together as it goes; returns when they are gone."""
        pids = [self.pid(name) for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.reap()
        for pid in pids:
            wait_until(lambda pid=pid: not alive(pid), 10)

    def kill_server(self, job: str) -> None:
        """Kill -9 the process that the agent of a job, or of a model server, has started."""
        pid = self.server_pid(job)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), 10)

    def alive(self, name: str) -> bool:
        return alive(self.pid(name))

    def down(self) -> None:
        """``clary down``."""
        assert self.installation.stop()
        self.reap()

    def reset(self) -> None:
        status, body = self.installation.client(timeout=60).send("POST", "/_clary/reset", "clary")
        assert status == 200, body

    def reap(self) -> None:
        """Take notice of the end of supervisors, which are children of this process."""
        for process in self._supervisors:
            process.poll()

    def await_health(self) -> None:
        """Until the edge and the control plane both answer."""
        port = int(self.url.rpartition(":")[2])
        wait_until(lambda: answers("127.0.0.1", port), 30)

    def processes(self) -> dict[int, str]:
        """All processes that have to do with this installation, jobs and model servers among them."""
        found = {}
        needle = str(self.home).encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    command = (entry / "cmdline").read_bytes()
                    # Inside a sandbox the command line has other paths; the job's mark is in its environment.
                    if needle in command or b"CLARY_JOB_FOLDER=" + needle in (entry / "environ").read_bytes():
                        found[int(entry.name)] = command.replace(b"\0", b" ").decode("utf-8", "replace")[:200]
        return found

    def job_processes(self) -> dict[int, str]:
        state = self.state()
        own = {state["pid"], *(child["pid"] for child in state["children"].values())} if state else set()
        return {pid: command for pid, command in self.processes().items() if pid not in own}

    def await_rest(self) -> None:
        """Until nothing of any job is left but logs. The end is told first and cleaned up after."""
        wait_until(lambda: not self.job_processes(), 20, self.job_processes)
        wait_until(lambda: not self.placement.list(), 20, self.placement.list)

    def close(self) -> None:
        """End everything, however the test left it."""
        self.reap()
        for process in self._supervisors:
            if process.poll() is None:
                process.terminate()
                process.wait(30)
        for job in self.placement.list():
            self.placement.remove(job)
        # A killed supervisor's children leave by themselves.
        wait_until(lambda: not self.processes(), 20, self.processes)

    # -- clients

    def client(self, service: str, attempts: int = 10) -> Any:
        """A client that tries up to ``attempts`` times, for edges that are killed; kept for the next call."""
        name = f"{service} {attempts}"
        if name not in self._clients:
            keys = self.installation.administrator
            made = session(self.url, {"AccessKeyId": keys.access_key, "SecretAccessKey": keys.secret_key}, "us-east-1")
            config = Config(
                retries={"total_max_attempts": attempts, "mode": "standard"}, max_pool_connections=32, read_timeout=120
            )
            self._clients[name] = made.client(service, config=config)
        return self._clients[name]

    @property
    def role(self) -> str:
        return self.installation.role_arn(EXECUTION_ROLE)

    # -- training

    def train(self, name: str, *arguments: str, script: str = STEPS, **members: Any) -> None:
        self.client("s3").put_object(Bucket=BUCKET, Key=f"code/{name}/program.py", Body=script.encode())
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/code/{name}/"}
        self.client("sagemaker").create_training_job(
            TrainingJobName=name,
            RoleArn=self.role,
            AlgorithmSpecification={
                "TrainingImage": PYTHON,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/program.py"],
                **({"ContainerArguments": list(arguments)} if arguments else {}),
            },
            InputDataConfig=[{"ChannelName": "code", "DataSource": {"S3DataSource": source}}],
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
            **members,
        )

    def described(self, name: str) -> dict[str, Any]:
        described: dict[str, Any] = self.client("sagemaker").describe_training_job(TrainingJobName=name)
        return described

    def await_end(self, name: str, seconds: float = 60) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            described = self.described(name)
            return described if described["TrainingJobStatus"] not in ("InProgress", "Stopping") else None

        described: dict[str, Any] = wait_until(ended, seconds, lambda: self.described(name))
        return described

    def job(self, prefix: str = "TrainingJob-") -> str:
        """The id of the one job there is that begins so."""
        [job] = wait_until(lambda: [job for job in self.placement.list() if job.startswith(prefix)])
        return str(job)

    def reached(self, job: str, attempt: int = 1) -> bool:
        """Whether the job's process waits in its middle."""
        return self.placement.observe(job).attempt == attempt and (self.ml(job) / "reached").exists()

    def ml(self, job: str) -> Path:
        return self.placement.folder(job) / "ml"

    def await_middle(self, job: str, attempt: int = 1) -> None:
        wait_until(lambda: self.reached(job, attempt), 60, lambda: self.placement.observe(job))

    def go(self, job: str) -> None:
        (self.ml(job) / "go").touch()

    def lines(self, name: str) -> list[str]:
        """What the job itself printed, as CloudWatch Logs has it."""
        logs = self.client("logs")
        group = "/aws/sagemaker/TrainingJobs"
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        [stream] = [stream["logStreamName"] for stream in streams]
        lines, token = [], {}
        while True:
            page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
            if not page["events"]:
                return [line for line in lines if "step" in line]
            lines += [event["message"] for event in page["events"]]
            token = {"nextToken": page["nextForwardToken"]}

    def model(self, described: dict[str, Any]) -> dict[str, bytes]:
        """The files of a training job's model."""
        bucket, _, key = described["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
        body = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            return {
                member.name: archive.extractfile(member).read()  # type: ignore[union-attr]
                for member in archive
                if member.isfile()
            }

    # -- endpoints

    def prepare_endpoint(self, name: str, wait: bool = False, answer: str = "first") -> None:
        """A model and an endpoint configuration of that name."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            member = tarfile.TarInfo("code/inference.py")
            member.size = len(INFERENCE)
            archive.addfile(member, io.BytesIO(INFERENCE.encode()))
        self.client("s3").put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=packed.getvalue())
        sagemaker = self.client("sagemaker")
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.role,
            PrimaryContainer={
                "Image": SCIKIT_LEARN,
                "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz",
                "Environment": {
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                    "ANSWER": answer,
                    **({"WAIT": "1"} if wait else {}),
                },
            },
        )
        variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])

    def deploy(self, name: str, wait: bool = False, answer: str = "first") -> None:
        """Create an endpoint; with ``wait`` its server loads until told to go on."""
        self.prepare_endpoint(name, wait, answer)
        self.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)

    def await_service(self, name: str, seconds: float = 60) -> dict[str, Any]:
        sagemaker = self.client("sagemaker")

        def settled() -> dict[str, Any] | None:
            described: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
            return described if described["EndpointStatus"] not in ("Creating", "Updating") else None

        described: dict[str, Any] = wait_until(settled, seconds, self.placement.list)
        assert described["EndpointStatus"] == "InService", described
        return described

    def invoke(self, name: str, text: str, attempts: int = 10) -> tuple[str, str, int]:
        """The endpoint's word, the echo, and the pid of the server (as its sandbox counts)."""
        runtime = self.client("sagemaker-runtime", attempts)
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=text)["Body"].read()
        word, echo, pid = answer.decode().split(" ")
        return word, echo, int(pid)

    def server_pid(self, job: str) -> int:
        """The process that the agent of a model server has started."""
        return int((self.placement.folder(job) / "process").read_text().split()[0])

    def delete_endpoint(self, name: str) -> None:
        sagemaker = self.client("sagemaker")
        sagemaker.delete_endpoint(EndpointName=name)
        wait_until(lambda: not sagemaker.list_endpoints(NameContains=name)["Endpoints"])


@pytest.fixture(name="wait_until")
def wait_until_() -> Callable[..., Any]:
    return wait_until


@pytest.fixture
def plant() -> Iterator[Plant]:
    """A running installation with a bucket, alone in a folder of its own."""
    # Sockets live in it, and their paths are limited to about a hundred characters: pytest's folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="clary-"))
    made = Plant(folder / "home")
    try:
        made.up()
        made.client("s3").create_bucket(Bucket=BUCKET)
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)


@pytest.fixture
def new_plant() -> Iterator[Callable[[Path], Plant]]:
    """Makes further installations of homes that a test has; they end with it."""
    plants: list[Plant] = []

    def make(home: Path) -> Plant:
        plants.append(Plant(home))
        return plants[-1]

    yield make
    for each in plants:
        each.close()
