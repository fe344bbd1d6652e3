"""100,000 requests such as nobody makes on purpose: each gets an answer, and none of them that of a fault."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from abuse_fuzzer import Fuzzer
from abuse_machine import Stalls
from abuse_processes import Processes
from abuse_requests import Call
from abuse_wire import Answer, Broken, Line

from clary.testing.server import Server

pytestmark = [pytest.mark.slow("abuse"), pytest.mark.timeout(1500)]

REQUESTS = int(os.environ.get("CLARY_FUZZ_REQUESTS", "100000"))
SEED = os.environ.get("CLARY_FUZZ_SEED", "1")
THREADS = 8
ROUND = 25_000
"""After so many requests the server is emptied, so that what was made does not pile up."""

# Statuses of 500 and more that are answers: what Clary does not do (yet), and "try again".
ALLOWED = {501: ("NotImplemented",), 503: ("SlowDown", "ServiceUnavailable")}
SLOW_SECONDS = 20
MORE_MB = {"edge": 150, "control": 400}
"""How much memory may grow between the first round and the last, in MiB: what is read of botocore's models is kept,
operation by operation and member by member, and 1,100 operations take many requests until all is there."""
SLOW_BY_NATURE = {"sqs.ReceiveMessage"}
"""They wait for messages, up to 20 s, when they are asked to."""

_NAMED = re.compile(r'"([A-Za-z]{1,60})": ?"([^"\\]{1,500})"|<([A-Za-z]{1,60})>([^<]{1,500})</')


class Findings:
    """What went wrong, each sort told once with its first request, and how often."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self._lock = threading.Lock()

    def add(self, sort: str, number: int, raw: bytes, answer: Answer | None) -> None:
        told = answer.body[:300] if answer is not None else b""
        with self._lock:
            self.counts[sort] += 1
            self.first.setdefault(sort, f"seed {SEED} number {number}\n    {raw[:3000]!r}\n    answer: {told!r}")

    def __str__(self) -> str:
        return "\n".join(f"{self.counts[sort]} x {sort}: {first}" for sort, first in self.first.items())


def is_fault(answer: Answer, method: str) -> bool:
    """Whether an answer says that the platform did something wrong."""
    if answer.status < 500:
        return False
    if method == "HEAD":
        return answer.status not in ALLOWED
    text = answer.body.decode("utf-8", "replace") + answer.headers.get("x-amzn-errortype", "")
    return not any(code in text for code in ALLOWED.get(answer.status, ()))


def work(fuzzer: Fuzzer, numbers: Iterator[int], findings: Findings, stalls: Stalls) -> None:
    """Send requests over one connection after another, for as long as there are numbers."""
    line = Line(fuzzer.server.url)
    for number in numbers:
        raw, call = fuzzer.request(number, line.host)
        method = raw[:5].partition(b" ")[0].decode("latin-1")
        broken = call.name.startswith("raw")
        began = time.monotonic()
        try:
            if broken:
                line.close()
                line.seconds = 3.0
            answer = line.ask(raw, method)
        except TimeoutError:
            # What was spoilt may tell of more than it sends; the server waits for that, for a while.
            if not broken and not stalls.within(began, time.monotonic()):
                findings.add(f"hang {call.name}", number, raw, None)
            continue
        except Broken as error:
            if not broken:
                findings.add(f"{error} {call.name}", number, raw, None)
            continue
        except Exception as error:  # noqa: BLE001 - whatever it is, it is found
            findings.add(f"{type(error).__name__} {error} {call.name}", number, raw, None)
            continue
        finally:
            if broken:
                line.close()
                line.seconds = 30.0
        findings.statuses[answer.status] += 1
        if is_fault(answer, method):
            findings.add(f"{answer.status} {call.name}", number, raw, answer)
        elif (took := _took(began, stalls)) > SLOW_SECONDS and call.name not in SLOW_BY_NATURE:
            findings.add(f"slow {call.name} ({took:.1f} s)", number, raw, answer)
        if answer.status == 200 and not broken and len(answer.body) < 100_000:
            service = call.name.partition(".")[0]
            for found in _NAMED.findall(answer.body.decode("utf-8", "replace") + _sent(call))[:60]:
                fuzzer.known.add(service, found[0] or found[2], found[1] or found[3])
    line.close()


def _took(began: float, stalls: Stalls) -> float:
    """The seconds of an answer, without those in which the machine stood still."""
    now = time.monotonic()
    return now - began - stalls.within(began, now)


def _sent(call: Call) -> str:
    return call.body.decode("utf-8", "replace") if len(call.body) < 20_000 else ""


class Shared:
    """An iterator that threads share."""

    def __init__(self, numbers: range) -> None:
        self._numbers, self._lock = iter(numbers), threading.Lock()

    def __iter__(self) -> Shared:
        return self

    def __next__(self) -> int:
        with self._lock:
            return next(self._numbers)


def test_nothing_is_answered_with_a_fault(victim: Server) -> None:
    processes, findings = Processes(victim.home), Findings()
    fuzzer = Fuzzer(victim, SEED)
    before, memory = processes.pids(), {}
    began = time.monotonic()
    with Stalls(victim.home) as stalls:
        for start in range(0, REQUESTS, ROUND):
            victim.reset()
            fuzzer.prepare()
            numbers = Shared(range(start, min(start + ROUND, REQUESTS)))
            threads = [threading.Thread(target=work, args=(fuzzer, numbers, findings, stalls)) for _ in range(THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            memory[start] = processes.memory_mb()
            took = time.monotonic() - began
            print(f"{start + ROUND} requests, {took:.0f} s, {memory[start]}, {dict(findings.statuses)}")
            assert processes.pids() == before, "a process died"
    print(findings)
    tracebacks = processes.tracebacks()
    for text, count in Counter(tracebacks).most_common():
        print(f"{count} x {text}")
    assert not findings.counts, str(findings)
    first, *_, last = [*memory.values(), *memory.values()]
    assert all(last[name] < first[name] + more for name, more in MORE_MB.items()), memory
    assert not tracebacks
