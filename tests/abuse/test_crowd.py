"""Many clients that are slow or send too much: others go on unharmed, and memory stays what it was."""

from __future__ import annotations

import contextlib
import io
import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from statistics import median
from urllib.parse import urlsplit

import pytest
from abuse_processes import Processes
from abuse_requests import Call, Keys
from abuse_wire import Broken, Line

from clary.testing.server import Server

pytestmark = [pytest.mark.slow("abuse"), pytest.mark.timeout(600)]

SLOW = 330
"""Of each of three kinds of slow clients."""
GOOD = 10
ROUNDS = 30
OBJECT = 8 << 20
MORE_MB = 300
"""How much the edge's memory may grow, in MiB: what it holds of bodies at most (256), and the buffers of a thousand
connections."""
CONTROL_MORE_MB = 300


@pytest.fixture(autouse=True)
def _many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 4096:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))


@pytest.fixture
def keys(victim: Server) -> Keys:
    """The administrator's."""
    found = victim.session().get_credentials()
    return Keys(found.access_key, found.secret_key)


def who(keys: Keys, host: str) -> bytes:
    """A small request to the control plane."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    return Call(headers={"content-type": "application/x-www-form-urlencoded"}, body=body, service="sts").signed(
        host, keys
    )


def work(victim: Server, keys: Keys, rounds: int = ROUNDS) -> tuple[Counter[int], list[float]]:
    """What good clients see: the statuses of their answers, and how long each took, in seconds."""
    statuses: Counter[int] = Counter()
    times: list[float] = []

    def one() -> None:
        line = Line(victim.url)
        for number in range(rounds):
            if number % 2:
                request = who(keys, line.host)
            else:
                request = Call("GET", "/crowd/small", service="s3").signed(line.host, keys)
            began = time.monotonic()
            statuses[line.ask(request).status] += 1
            times.append(time.monotonic() - began)
        line.close()

    together([one] * GOOD)
    return statuses, times


def together(actions: list[Callable[[], None]]) -> None:
    """Do all of it at once; raises the first error."""
    errors: list[Exception] = []

    def run(action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@contextlib.contextmanager
def slow(victim: Server, beginnings: list[bytes]) -> Iterator[list[socket.socket]]:
    """Connections that send these beginnings, then nothing, and read nothing."""
    parts = urlsplit(victim.url)
    connections = []
    try:
        for beginning in beginnings:
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(20)
            connection.connect((parts.hostname or "", parts.port or 0))
            connection.sendall(beginning)
            connections.append(connection)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def test_a_thousand_slow_connections(victim: Server, keys: Keys) -> None:
    s3, processes = victim.client("s3"), Processes(victim.home)
    s3.create_bucket(Bucket="crowd")
    s3.put_object(Bucket="crowd", Key="small", Body=b"data")
    s3.put_object(Bucket="crowd", Key="large", Body=bytes(OBJECT))
    host, pids = urlsplit(victim.url).netloc, processes.pids()
    _, quiet = work(victim, keys)
    before = processes.memory_mb()
    upload = Call("PUT", "/crowd/half", body=bytes(100_000), service="s3").signed(host, keys)
    download = Call("GET", "/crowd/large", service="s3").signed(host, keys)
    beginnings = [
        kind
        for _ in range(SLOW)
        for kind in (b"POST / HTTP/1.1\r\nhost: " + host.encode() + b"\r\nx-half: ", upload[:-50_000], download)
    ]
    with slow(victim, beginnings):
        statuses, busy = work(victim, keys)
        during = processes.memory_mb()
    print(f"quiet {median(quiet) * 1e3:.1f} ms, busy {median(busy) * 1e3:.1f} ms; before {before}, during {during}")
    assert statuses == Counter({200: GOOD * ROUNDS})
    assert during["edge"] < before["edge"] + MORE_MB
    assert during["control"] < before["control"] + CONTROL_MORE_MB
    assert processes.pids() == pids
    # Once they are gone, nothing is left of them.
    statuses, _ = work(victim, keys, 10)
    assert statuses == Counter({200: GOOD * 10})
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="crowd")["Contents"]] == ["large", "small"]
    assert not processes.tracebacks()


def test_floods_of_heads_and_bodies(victim: Server, keys: Keys) -> None:
    processes = Processes(victim.home)
    victim.client("s3").create_bucket(Bucket="crowd")
    victim.client("s3").put_object(Bucket="crowd", Key="small", Body=b"data")
    work(victim, keys, 4)
    before, pids = processes.memory_mb(), processes.pids()
    endless = {
        "headers": (b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"x-a: " + b"b" * 1000 + b"\r\n"),
        "a header": (b"GET / HTTP/1.1\r\nhost: localhost\r\nx-a: ", b"b" * 1000),
        "a path": (b"GET /", b"b" * 1000),
        "a body": (
            b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
            b"400\r\n" + b"a" * 1024 + b"\r\n",
        ),
        "trailers": (b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x-a: b\r\n"),
        "line ends": (b"", b"\r\n"),
    }

    def flood(beginning: bytes, piece: bytes) -> None:
        until = time.monotonic() + 8
        parts = urlsplit(victim.url)
        with socket.create_connection((parts.hostname or "", parts.port or 0), 20) as connection:
            connection.settimeout(2)
            with contextlib.suppress(OSError):
                connection.sendall(beginning)
                while time.monotonic() < until:
                    connection.sendall(piece * 100)

    floods: list[Callable[[], None]] = [lambda each=each: flood(*each) for each in endless.values()] * 5  # type: ignore[misc]
    seen: list[Counter[int]] = []
    together([*floods, lambda: seen.append(work(victim, keys)[0])])
    peak = processes.memory_mb()
    print(f"before {before}, after {peak}, peak {processes.peak_mb()}")
    assert seen == [Counter({200: GOOD * ROUNDS})]
    assert processes.peak_mb()["edge"] < before["edge"] + MORE_MB
    assert processes.pids() == pids
    assert not processes.tracebacks()


@pytest.mark.parametrize(
    ("path", "megabytes"),
    [("/", 20), ("/", 7), ("/endpoints/none/invocations", 20)],
    ids=["refused", "call", "payload"],
)
def test_two_hundred_large_bodies_at_once(victim: Server, keys: Keys, path: str, megabytes: int) -> None:
    processes = Processes(victim.home)
    victim.client("s3").create_bucket(Bucket="crowd")
    victim.client("s3").put_object(Bucket="crowd", Key="small", Body=b"data")
    work(victim, keys, 4)
    before, pids = processes.memory_mb(), processes.pids()
    body = b'{"NameContains": "' + b"a" * (megabytes << 20) + b'"}'
    headers = {"content-type": "application/x-amz-json-1.1"}
    if path == "/":
        headers["x-amz-target"] = "SageMaker.ListModels"
    call = Call("POST", path, "", headers, body, "sagemaker")
    statuses: Counter[int] = Counter()
    peaks: list[float] = []
    over = threading.Event()

    def send() -> None:
        line = Line(victim.url, 120)
        # Signed at the last moment, and not kept: two hundred of them would fill the memory of the test.
        request = call.signed(line.host, keys)
        head, _, _ = request.partition(b"\r\n\r\n")
        del request
        try:
            connection = line.connect()
            connection.settimeout(120)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(head + b"\r\n\r\n")
                source = io.BytesIO(body)
                while piece := source.read(65_536):
                    connection.sendall(piece)
            statuses[line.read().status] += 1
        except Broken:
            statuses[0] += 1
        line.close()

    def look() -> None:
        while not over.wait(0.05):
            peaks.append(processes.memory_mb()["edge"])

    watching = threading.Thread(target=look)
    watching.start()
    seen: list[Counter[int]] = []
    try:
        together([*[send] * 200, lambda: seen.append(work(victim, keys, 10)[0])])
    finally:
        over.set()
        watching.join()
    print(f"{path} {megabytes} MB: {dict(statuses)}; before {before}, peak {max(peaks):.0f} {processes.peak_mb()}")
    assert seen == [Counter({200: GOOD * 10})]
    assert set(statuses) <= {0, 400, 413, 503}
    assert max(peaks) < before["edge"] + 3 * MORE_MB
    assert processes.peak_mb()["control"] < before["control"] + 3 * CONTROL_MORE_MB
    assert processes.pids() == pids
    assert not processes.tracebacks()
