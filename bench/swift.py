"""OpenStack Swift with its S3 API on this machine: an S3 server of others, which keeps what it has answered.

One process each for proxy, accounts, containers and objects, one replica, and memcached beside them where there is one.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.environments import environment_of

ACCESS_KEY, SECRET_KEY = "test:tester", "testing"
REQUIREMENTS = Path(__file__).with_name("swift.txt")
_START_SECONDS = 60.0
_KINDS = ("account", "container", "object")

_COMMON = """
[swift-hash]
swift_hash_path_prefix = clary
swift_hash_path_suffix = bench
[storage-policy:0]
name = one
default = yes
"""

_NODE = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
devices = {devices}
mount_check = false
user = {user}
log_level = WARNING
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

_PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
user = {user}
log_level = WARNING
[pipeline:main]
pipeline = healthcheck catch_errors gatekeeper cache listing_formats bulk s3api tempauth slo dlo symlink versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:s3api]
use = egg:swift#s3api
max_upload_part_num = 10000
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:symlink]
use = egg:swift#symlink
"""  # noqa: E501


@contextmanager
def swift_server() -> Iterator[str]:
    """The address of a server that runs for the body of the ``with`` statement; it is installed on the first call.

    Everything in it is gone at the end. Raises ``RuntimeError`` with its log if it does not start.
    """
    programs = environment_of("swift", REQUIREMENTS.read_text().split()).parent
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="swift-", ignore_cleanup_errors=True)))
        folder, devices = home / "etc", home / "devices"
        folder.mkdir()
        (devices / "one").mkdir(parents=True)
        ports = dict(zip((*_KINDS, "proxy", "memcached"), _free_ports(5), strict=True))
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        (folder / "swift.conf").write_text(_COMMON)
        for kind in _KINDS:
            text = _NODE.format(kind=kind, port=ports[kind], folder=folder, devices=devices, user=user)
            (folder / f"{kind}-server.conf").write_text(text)
            _make_ring(programs, folder / f"{kind}.builder", ports[kind])
        text = _PROXY.format(port=ports["proxy"], folder=folder, user=user, memcached=ports["memcached"])
        (folder / "proxy-server.conf").write_text(text)
        log = stack.enter_context((home / "log").open("w+"))
        if (memcached := shutil.which("memcached")) is not None:
            as_user = ["-u", user] if os.geteuid() == 0 else []
            stack.enter_context(_running([memcached, "-l", "127.0.0.1", "-p", str(ports["memcached"]), *as_user], log))
        processes = [
            stack.enter_context(
                _running([str(programs / f"swift-{kind}-server"), str(folder / f"{kind}-server.conf"), "-v"], log)
            )
            for kind in (*_KINDS, "proxy")
        ]
        _wait(ports["proxy"], processes, home / "log")
        yield f"http://127.0.0.1:{ports['proxy']}"


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in sockets]


def _make_ring(programs: Path, builder: Path, port: int) -> None:
    """Which server has which part of the names: the one that there is has all."""
    for words in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/one", "1"], ["rebalance"]):
        command = [str(programs / "swift-ring-builder"), str(builder), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _running(command: list[str], log: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, processes: list[subprocess.Popen[bytes]], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthcheck")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        if time.monotonic() > until or any(process.poll() is not None for process in processes):
            raise RuntimeError(f"Swift does not start: {log.read_text()[-4000:]}")
        time.sleep(0.1)
