"""S3 side by side: Clary, Clary in front of Swift, Swift, moto, and a sink that throws the bytes away.

    ./dev bench objects [--full] [--only clary sink] [--keys 10000] [--gigabytes 1]

Large objects are put and got by boto3 as it is, so that the sink shows what that client can do at most. Small ones and
lists are asked for by a lean client that replays requests which were signed beforehand. The servers are measured by
turns, and medians are shown: other work on the machine meets them all alike. Clary and Swift keep what they answered on
the disk, moto in its memory and in temporary files, the sink nowhere.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import io
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

import clary
from bench import swift
from bench.load import fetch, http, replay, run
from bench.moto import moto_server
from clary.core.files import write_private
from clary.testing.server import Server

BUCKET = "bench"
CLIENTS = 8
SECONDS = 4.0
"""The most for one figure of small objects."""
AT_ONCE = 2000
PAGES = 20
"""Pages at the beginning and at the end of a list that are measured."""
LARGE_PARTS = TransferConfig(multipart_chunksize=64 << 20, max_concurrency=4)


@dataclass
class Subject:
    """One of the servers, and what was measured of it."""

    name: str
    url: str
    keys: tuple[str, str]
    processes: set[int] = field(default_factory=set)
    figures: dict[str, list[float]] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        self.s3 = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.keys[0],
            aws_secret_access_key=self.keys[1],
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, read_timeout=900),
        )
        self.s3.create_bucket(Bucket=BUCKET)

    def request(self, method: str, path: str, body: bytes = b"", query: str = "") -> bytes:
        """A signed request as bytes."""
        url = f"{self.url}/{BUCKET}{quote(path)}" + (f"?{query}" if query else "")
        request = AWSRequest(method=method, url=url, data=body)
        S3SigV4Auth(Credentials(*self.keys), "s3", "us-east-1").add_auth(request)
        return http(method, url, dict(request.headers.items()), body)

    def add(self, title: str, value: float) -> None:
        """Keep one measurement of a figure."""
        self.figures.setdefault(title, []).append(value)


# -- the servers


def _clary(stack: ExitStack) -> Subject:
    return _of_clary("Clary", stack.enter_context(clary.server()))


def _of_clary(name: str, aws: Server) -> Subject:
    frozen = aws.session().get_credentials().get_frozen_credentials()
    return Subject(name, aws.url, (frozen.access_key, frozen.secret_key))


def _swift(stack: ExitStack) -> Subject:
    return Subject("Swift", stack.enter_context(swift.swift_server()), (swift.ACCESS_KEY, swift.SECRET_KEY))


def _clary_before_swift(stack: ExitStack) -> Subject:
    home = Path(tempfile.mkdtemp(prefix="clary-"))
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    (home / "secrets").mkdir(mode=0o700)
    keys = {"AccessKeyId": swift.ACCESS_KEY, "SecretAccessKey": swift.SECRET_KEY}
    write_private(home / "secrets" / "objects.json", json.dumps(keys))
    url = stack.enter_context(swift.swift_server())
    return _of_clary("Clary+Swift", stack.enter_context(clary.server(home, objects_url=url)))


def _moto(stack: ExitStack) -> Subject:
    return Subject("moto", stack.enter_context(moto_server()), ("AKIDEXAMPLE", "secret"))


def _sink(stack: ExitStack) -> Subject:
    command = [sys.executable, "-m", "bench.sink"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    stack.callback(process.wait)
    stack.callback(process.terminate)
    assert process.stdout is not None
    return Subject("sink", f"http://127.0.0.1:{int(process.stdout.readline())}", ("k", "s"))


SUBJECTS: dict[str, Callable[[ExitStack], Subject]] = {
    "clary": _clary,
    "clary-before-swift": _clary_before_swift,
    "swift": _swift,
    "moto": _moto,
    "sink": _sink,
}


# -- large objects


def large(subject: Subject, file: Path, round_: int) -> None:
    """One put in one request, one in parts, and one get, in MB/s."""
    size = file.stat().st_size / 1e6
    key = f"large-{round_}"
    with file.open("rb") as body:
        _timed(
            subject, "put, one request, MB/s", size, lambda: subject.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        )
    _timed(subject, "get, MB/s", size, lambda: _read(subject, key))
    _timed(subject, "put in parts, MB/s", size, lambda: subject.s3.upload_file(str(file), BUCKET, f"{key}-parts"))
    if subject.name != "sink":
        subject.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key}, {"Key": f"{key}-parts"}]})


def _timed(subject: Subject, title: str, size: float, work: Callable[[], object]) -> None:
    begun = time.perf_counter()
    work()
    subject.add(title, size / (time.perf_counter() - begun))


def _read(subject: Subject, key: str) -> None:
    for _ in subject.s3.get_object(Bucket=BUCKET, Key=key)["Body"].iter_chunks(1 << 20):
        pass


# -- small objects


_numbers = count()


def small(subject: Subject) -> None:
    """Puts and gets of 1 KB a second, by eight clients."""
    keys = [f"/small/{next(_numbers):09}" for _ in range(AT_ONCE)]
    body = os.urandom(1000)
    puts = [subject.request("PUT", key, body) for key in keys]
    done = run(replay(subject.url, puts, CLIENTS, SECONDS))
    subject.add("puts of 1 KB, a second", done.rate)
    subject.add("put of 1 KB, median ms", done.median)
    there = keys[: len(done.latencies) - CLIENTS]
    gets = [subject.request("GET", key) for key in there] * (1 + AT_ONCE // max(1, len(there)))
    done = run(replay(subject.url, gets[:AT_ONCE], CLIENTS, SECONDS))
    subject.add("gets of 1 KB, a second", done.rate)
    subject.add("get of 1 KB, median ms", done.median)


# -- lists


def fill(subject: Subject, keys: int, seconds: float) -> None:
    """Put keys until there are so many, or the time is over."""
    until = time.monotonic() + seconds
    while subject.made < keys and time.monotonic() < until:
        end = min(keys, subject.made + AT_ONCE)
        puts = [subject.request("PUT", f"/listed/{number:09}", b"x") for number in range(subject.made, end)]
        subject.made += len(run(replay(subject.url, puts, CLIENTS, max(1.0, until - time.monotonic()))).latencies)
    subject.add("keys in the list", subject.made)


def lists(subject: Subject) -> None:
    """Pages of a thousand keys, one after the other, at both ends of the list; in milliseconds a page."""
    if subject.made < 2:
        return
    subject.add("first pages, ms", _pages(subject, ""))
    behind = max(0, subject.made - PAGES * 1000)
    subject.add("last pages, ms", _pages(subject, f"listed/{behind:09}" if behind else ""))


def _pages(subject: Subject, after: str) -> float:
    token, times = "", []
    for _ in range(PAGES):
        query = {"list-type": "2", "prefix": "listed/"}
        query |= {"continuation-token": token} if token else {"start-after": after} if after else {}
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(query.items()))
        request = subject.request("GET", "", query=text)
        begun = time.perf_counter()
        answer = asyncio.run(fetch(subject.url, request))
        times.append((time.perf_counter() - begun) * 1000)
        found = re.search(rb"<NextContinuationToken>([^<]*)<", answer)
        if found is None:
            break
        token = html.unescape(found[1].decode())
    return statistics.median(times)


# -- memory


class _Endless(io.RawIOBase):
    """So many bytes, of which none is on a disk."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._block = os.urandom(8 << 20)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        size = min(self._left, len(self._block) if size < 0 else size)
        self._left -= size
        return (self._block * (size // len(self._block) + 1))[:size]


def huge(subject: Subject, gigabytes: float) -> None:
    """One object in parts, with the memory of the server's processes watched."""
    size = int(gigabytes * 1e9)
    before = _memory(subject.processes)
    with _peak(subject.processes) as peak:
        begun = time.perf_counter()
        subject.s3.upload_fileobj(_Endless(size), BUCKET, "huge", Config=LARGE_PARTS)
        seconds = time.perf_counter() - begun
    subject.add(f"{gigabytes:g} GB in parts, MB/s", size / 1e6 / seconds)
    subject.add("  memory before, MB", before)
    subject.add("  memory at most, MB", peak[0])
    if subject.name != "sink":
        subject.s3.delete_object(Bucket=BUCKET, Key="huge")


@contextmanager
def _peak(processes: set[int]) -> Iterator[list[float]]:
    found, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            found[0] = max(found[0], _memory(processes))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _memory(processes: set[int]) -> float:
    """Megabytes that the processes and their children have in memory."""
    total = 0
    for process in processes | _below(processes):
        try:
            total += int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return total * os.sysconf("SC_PAGE_SIZE") / 1e6


def _below(processes: set[int]) -> set[int]:
    """The children of the processes, their children, and so on."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in processes | found} - found:
        found |= more
    return found


# -- all of it


def _print(subjects: list[Subject]) -> None:
    heads = "".join(f"{subject.name:>14}" for subject in subjects)
    print(f"\n{'medians':26}{heads}")
    for title in dict.fromkeys(title for subject in subjects for title in subject.figures):
        cells = ""
        for subject in subjects:
            values = subject.figures.get(title)
            cells += f"{statistics.median(values):14,.1f}" if values else f"{'-':>14}"
        print(f"{title:26}{cells}")
    first = subjects[0]
    if len(subjects) < 2:
        return
    # Of rates more is better, of milliseconds less.
    print(f"\n{f'{first.name} in relation to':26}" + "".join(f"{subject.name:>14}" for subject in subjects[1:]))
    for title in first.figures:
        if "memory" in title or title.startswith("keys"):
            continue
        cells = ""
        for subject in subjects[1:]:
            ours, theirs = first.figures[title], subject.figures.get(title)
            cells += f"{statistics.median(ours) / statistics.median(theirs):14.2f}" if theirs else f"{'-':>14}"
        print(f"{title:26}{cells}")
    print(flush=True)


def main() -> None:
    """Measure all servers by turns and print their medians, and how the first compares with the others."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="a million keys, and an object of 10 GB")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS), help="only these servers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=256, help="size of a large object, in MiB")
    parser.add_argument("--keys", type=int, help="keys in the list")
    parser.add_argument("--fill-seconds", type=float, help="the most for one server to get its keys")
    parser.add_argument("--gigabytes", type=float, help="size of the object that memory is watched with")
    arguments = parser.parse_args()
    keys = arguments.keys if arguments.keys is not None else 1_000_000 if arguments.full else 5_000
    patience = arguments.fill_seconds or (1800 if arguments.full else 60)
    gigabytes = arguments.gigabytes if arguments.gigabytes is not None else 10 if arguments.full else 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        file = folder / "large"
        with file.open("wb") as out:
            for _ in range(arguments.megabytes):
                out.write(os.urandom(1 << 20))
        subjects = []
        for name in arguments.only:
            before = _below({os.getpid()})
            subject = SUBJECTS[name](stack)
            subject.processes = _below({os.getpid()}) - before
            subjects.append(subject)
        for round_ in range(arguments.rounds):
            for subject in subjects:
                large(subject, file, round_)
            for subject in subjects:
                small(subject)
            print(f"round {round_ + 1} of {arguments.rounds}", flush=True)
        listed = [subject for subject in subjects if subject.name != "sink"]
        for subject in listed if keys else []:
            fill(subject, keys, patience)
        for _ in range(arguments.rounds):
            for subject in listed:
                lists(subject)
        for subject in subjects if gigabytes else []:
            huge(subject, gigabytes)
        _print(subjects)


if __name__ == "__main__":
    main()
