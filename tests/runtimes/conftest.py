"""Jobs and servers as they run inside an image: real environments, temporary ``/opt/ml`` folders, real data."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from clary_runtimes.serving import frames

SOURCE = Path(__file__).parents[2] / "src"
IMAGES = SOURCE / "clary" / "images"
GOLDEN = Path(__file__).parent / "golden"

_DATASETS = """
import sys
from pathlib import Path
import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
folder = Path(sys.argv[1])
for name in ("breast_cancer", "diabetes", "iris"):
    features, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
    parts = train_test_split(
        features, labels, test_size=0.25, random_state=0, stratify=None if name == "diabetes" else labels
    )
    for part, rows, marks in (("train", parts[0], parts[2]), ("validation", parts[1], parts[3])):
        np.savetxt(folder / f"{name}-{part}.csv", np.column_stack([marks, rows]), delimiter=",", fmt="%.8g")
"""


def _environment(image: str) -> Path:
    """The Python of an environment with the locked requirements of a catalogue image, built once a machine."""
    requirements = tomllib.loads((IMAGES / f"{image}.toml").read_text(encoding="utf-8"))["requirements"]
    digest = hashlib.sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("CLARY_CACHE") or Path.home() / ".cache" / "clary") / "test-envs"
    cache.mkdir(parents=True, exist_ok=True)
    folder, python = cache / f"{image}-{digest}", cache / f"{image}-{digest}" / "bin" / "python"
    with (cache / f"{image}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            uv = [sys.executable, "-m", "uv"]
            subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
            subprocess.run(
                [*uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python), *requirements], check=True
            )
            (folder / "ready").touch()
    return python


@dataclass
class Runtime:
    """An image's environment and the variable that says what runs in it."""

    python: Path
    name: str

    def variables(self, root: Path, **extra: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        own = {
            "CLARY_RUNTIME": self.name,
            "CLARY_ML_ROOT": str(root),
            "PYTHONPATH": str(SOURCE),
            "OMP_NUM_THREADS": "2",
        }
        return {**kept, **own, **extra}

    def job(self, root: Path) -> Job:
        """A training job with nothing in its folder yet."""
        return Job(root, self)

    def evaluate(self, code: str, *arguments: str, **extra: str) -> Any:
        """What ``code`` prints as JSON when it runs in the environment."""
        done = subprocess.run(
            [self.python, "-c", code, *arguments],
            env=self.variables(Path("/nowhere"), **extra),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@dataclass
class Finished:
    """A training job that has ended."""

    status: int
    log: str
    failure: str


@dataclass
class Job:
    """A training job's folder, filled piece by piece, and its run."""

    root: Path
    runtime: Runtime
    channels: dict[str, dict[str, str]] = field(default_factory=dict)

    def channel(self, name: str, content: bytes | str | Path, content_type: str = "text/csv", file: str = "") -> Job:
        folder = self.root / "input" / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            content = content.read_bytes()
        data = content.encode() if isinstance(content, str) else content
        (folder / (file or f"{name}.data")).write_bytes(data)
        self.channels[name] = {
            "ContentType": content_type,
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
        return self

    def configure(self, hyperparameters: Mapping[str, str]) -> Job:
        config = self.root / "input" / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "hyperparameters.json").write_text(json.dumps(dict(hyperparameters)))
        (config / "inputdataconfig.json").write_text(json.dumps(self.channels))
        resources = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
        (config / "resourceconfig.json").write_text(json.dumps(resources))
        return self

    def start(self, hyperparameters: Mapping[str, str], **extra: str) -> subprocess.Popen[str]:
        self.configure(hyperparameters)
        return subprocess.Popen(
            [self.runtime.python, "-m", "clary_runtimes.train"],
            env=self.runtime.variables(self.root, **extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Finished:
        log = process.communicate(timeout=120)[0]
        failure = self.root / "output" / "failure"
        return Finished(process.returncode, log, failure.read_text("utf-8") if failure.exists() else "")

    def train(self, hyperparameters: Mapping[str, str], **extra: str) -> Finished:
        return self.finish(self.start(hyperparameters, **extra))

    def succeed(self, hyperparameters: Mapping[str, str], **extra: str) -> str:
        """Train, and return the log of a success."""
        done = self.train(hyperparameters, **extra)
        assert done.status == 0, done.log
        assert done.failure == ""
        return done.log


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


@dataclass
class Answer:
    status: int
    content_type: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Frames:
    """A connection that carries many invocations."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(str(path))
        self._socket.sendall(frames.PREFACE)
        self._splitter = frames.Splitter()
        self._answers: dict[int, tuple[int, bytes, bytes]] = {}

    def ask(self, *requests: tuple[int, bytes, bytes]) -> None:
        """Number, content type and body of each; all of them at once."""
        self._socket.sendall(b"".join(frames.request(number, kind, None, body) for number, kind, body in requests))

    def answer(self, number: int) -> tuple[int, bytes, bytes]:
        """Status, content type and body."""
        while number not in self._answers:
            data = self._socket.recv(65_536)
            assert data, "the server closed the connection"
            for frame in self._splitter.feed(data):
                found, *answer = frames.read_reply(frame)
                self._answers[found] = (answer[0], answer[1], answer[2])
        return self._answers.pop(number)

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


@dataclass
class Server:
    """A model server that runs."""

    socket: Path
    process: subprocess.Popen[bytes]
    log: Path

    def request(
        self, method: str, path: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = UnixConnection(self.socket)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers.get("content-type", ""), response.read())

    def invoke(self, body: bytes | str, content_type: str | None = "text/csv", accept: str | None = None) -> Answer:
        headers = {"Content-Type": content_type, "Accept": accept}
        return self.request("POST", "/invocations", body, {name: value for name, value in headers.items() if value})

    def frames(self) -> Frames:
        """A connection that carries many invocations."""
        return Frames(self.socket)

    def ping(self) -> int:
        """The status of ``/ping``; 0 while nothing listens."""
        try:
            return self.request("GET", "/ping").status
        except (FileNotFoundError, ConnectionError):
            return 0

    def wait(self, status: int = 200) -> Server:
        """Return once ``/ping`` answers with ``status``; fail if the server ends before."""
        deadline = time.monotonic() + 60
        while self.ping() != status:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        return self


Serve = Callable[..., Server]


@pytest.fixture(scope="session")
def runtime_of() -> Callable[[str, str], Runtime]:
    """The environment of an image, by its file in the catalogue, and what runs in it."""
    return lambda image, name: Runtime(_environment(image), name)


@pytest.fixture(scope="session")
def xgboost() -> Runtime:
    return Runtime(_environment("xgboost-3.0"), "xgboost")


@pytest.fixture(scope="session")
def old_xgboost() -> Runtime:
    return Runtime(_environment("xgboost-1.7"), "xgboost")


@pytest.fixture(scope="session")
def linear_learner() -> Runtime:
    return Runtime(_environment("linear-learner"), "linear-learner")


@pytest.fixture(scope="session")
def sklearn() -> Runtime:
    return Runtime(_environment("scikit-learn-1.2"), "sklearn")


@pytest.fixture(scope="session")
def datasets(linear_learner: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``<name>-train.csv`` and ``<name>-validation.csv`` of three real data sets, label first."""
    folder = tmp_path_factory.mktemp("datasets")
    subprocess.run([linear_learner.python, "-c", _DATASETS, str(folder)], check=True)
    return folder


@pytest.fixture
def golden() -> Path:
    """RecordIO files as SDK v2.257 (``sagemaker.amazon.common``) wrote them."""
    return GOLDEN


@pytest.fixture
def ml_root(tmp_path: Path) -> Path:
    return tmp_path / "ml"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a model server; every server is ended with SIGTERM, after which it must leave with 0."""
    servers: list[Server] = []

    def start(runtime: Runtime, root: Path, **extra: str) -> Server:
        path, log = tmp_path / f"{len(servers)}.sock", tmp_path / f"{len(servers)}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [runtime.python, "-m", "clary_runtimes.serve"],
                env=runtime.variables(root, CLARY_SERVE_SOCKET=str(path), **extra),
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        servers.append(Server(path, process, log))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.terminate()
            assert server.process.wait(30) == 0, server.log.read_text()
            assert not server.socket.exists()
