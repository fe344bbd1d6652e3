"""``InvokeEndpoint`` beside other model servers, with the same models, in one run and by turns.

    ./dev bench inference [--only uvicorn mlserver] [--model sklearn] [--requests 4000] [--seconds 1]
    ./dev bench inference --rate 500 | --capture | --memory | --many

A load generator replays one request, signed beforehand for Clary; to the *bare model server* behind the endpoint it
sends the same payload as HTTP through its Unix socket. Peers are installed once, each in an environment of its own, and
stopped (SIGSTOP) while another server is measured. Each figure is the best of several turns; the µs of CPU are those of
all the server's processes, for each request, and tell the most on a machine with other work.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import clary
from bench.inference import _scale
from bench.inference._models import MODELS, Models, make
from bench.inference._processes import pinned
from bench.inference._servers import BATCHING, Platform, Server, peer_server, python_of
from bench.inference.peers import PEERS
from bench.load import Figures, paced, replay, run

CLIENTS, ROWS = (1, 8, 64), (1, 100)
CLARY, BATCHED, BARE = "Clary", "Clary, batching declared", "bare model server"
UVICORN = PEERS["uvicorn"].title
SUMMARY = (
    "| | clients | | rate beside the best peer | beside the best framework | p99 beside the best | "
    "CPU beside the least | added ms at the median |\n|" + " --- |" * 8
)


@dataclass(frozen=True)
class Best:
    """The best of several turns: the highest rate with its latencies, and the least CPU."""

    figures: Figures
    cpu: float


def by_turns(servers: Sequence[Server], work: Callable[[Server], Callable[[], Figures]], turns: int) -> dict[str, Best]:
    """Measure all servers, one after the other, so many times."""
    found: dict[str, Best] = {}
    for _ in range(turns):
        for server in servers:
            try:
                figures, cpu = server.measure(work(server))
            except (OSError, RuntimeError) as error:
                print(f"{server.title} failed: {error}", file=sys.stderr)
                continue
            before = found.get(server.title)
            if before is not None:
                figures = max(figures, before.figures, key=lambda each: each.rate)
                cpu = min(cpu, before.cpu)
            found[server.title] = Best(figures, cpu)
    return found


def table(found: dict[str, Best], clients: int) -> None:
    """Print the rows of the table for so many clients."""
    for title, best in found.items():
        figures = best.figures
        cells = f"{figures.rate:,.0f} | {figures.median:.2f} | {figures.quantile(0.99):.2f} | {best.cpu:,.0f}"
        print(f"| {clients} | {title} | {cells} |", flush=True)


def beside(found: dict[str, Best], peers: Sequence[str]) -> Iterator[str]:
    """How Clary stands beside the best peers and the bare model server, as rows of a table."""
    there = {peer: found[peer] for peer in peers if peer in found}
    for title in (each for each in (CLARY, BATCHED) if each in found):
        ours, cells = found[title].figures, []
        frameworks = {peer: best for peer, best in there.items() if peer != UVICORN}
        for group in (there, frameworks):
            best = max(group, key=lambda peer: group[peer].figures.rate, default="")
            cells.append(f"{ours.rate / group[best].figures.rate:.2f} ({best})" if best else "")
        tail = min((best.figures.quantile(0.99) for best in there.values()), default=None)
        cells.append(f"{ours.quantile(0.99) / tail:.2f}" if tail else "")
        cpu = min((best.cpu for best in there.values()), default=None)
        cells.append(f"{found[title].cpu / cpu:.2f}" if cpu else "")
        added = f"{ours.median - found[BARE].figures.median:.2f}" if title == CLARY and BARE in found else ""
        yield f"{title} | {' | '.join(cells)} | {added} |"


class Bench:
    """What all measurements share: the platform, the models, and how much is asked."""

    def __init__(self, platform: Platform, models: Models, arguments: argparse.Namespace) -> None:
        self.platform, self.models, self.arguments = platform, models, arguments
        self.summary: list[str] = []

    def load(self, server: Server, count: int, clients: int, seconds: float | None = None) -> Callable[[], Figures]:
        """The closed loop with requests of ``count`` rows."""
        request = server.request(self.models.rows[:count])
        requests = [request] * self.arguments.requests

        def work() -> Figures:
            with pinned(self.arguments.client_core):
                return run(replay(server.address, requests, clients, seconds or self.arguments.seconds))

        return work

    def endpoints(self, kind: str) -> list[Server]:
        """Clary's rows of the table."""
        ours, bare = self.platform.endpoint(CLARY, f"bench-{kind}", self.models, kind, {})
        servers = [ours]
        if kind == "sklearn":
            servers.append(self.platform.endpoint(BATCHED, f"bench-{kind}-batch", self.models, kind, BATCHING)[0])
        servers.append(bare)
        for server in servers:
            server.check(self.models, kind)
        return servers

    def peers(self, kind: str) -> None:
        """The tables for one model."""
        with contextlib.ExitStack() as stack:
            servers = self.endpoints(kind)
            for name in self.arguments.only:
                try:
                    cores = self.arguments.server_cores
                    servers.append(stack.enter_context(peer_server(name, self.models, kind, cores)))
                except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                    print(f"{PEERS[name].title} is left out: {error}", file=sys.stderr, flush=True)
            titles = [server.title for server in servers if server.resting]
            for count in ROWS:
                print(f"\n{kind}, {count} row{'s' * (count > 1)}\n")
                print("| clients | | requests/s | median ms | p99 ms | µs of CPU |\n|" + " --- |" * 6)
                for server in servers:
                    server.measure(self.load(server, count, 8, 0.5))  # warm
                for clients in CLIENTS:
                    work = partial(self.load, count=count, clients=clients)
                    found = by_turns(servers, work, self.arguments.turns)
                    table(found, clients)
                    what = f"| {kind}, {count} row{'s' * (count > 1)} | {clients} | "
                    self.summary += [what + line for line in beside(found, titles)]

    def rate(self, kind: str, rate: float) -> None:
        """What Clary adds at a fixed rate."""
        servers = self.endpoints(kind)

        def work(server: Server) -> Callable[[], Figures]:
            requests = [server.request(self.models.rows[:1])] * int(rate * 4)

            def paces() -> Figures:
                with pinned(self.arguments.client_core):
                    return run(paced(server.address, requests, rate))

            return paces

        for server in servers:
            work(server)()
        medians: dict[str, list[float]] = {}
        print(f"\n{kind}, 1 row, {rate:g} requests/s\n\n| turn | | median ms | p99 ms | µs of CPU |\n|" + " --- |" * 5)
        for turn in range(self.arguments.turns):
            for server in servers:
                figures, cpu = server.measure(work(server))
                medians.setdefault(server.title, []).append(figures.median)
                p99 = figures.quantile(0.99)
                print(f"| {turn + 1} | {server.title} | {figures.median:.2f} | {p99:.2f} | {cpu:.0f} |", flush=True)
        print(
            f"\nadded at the median, best turn of each: {min(medians[CLARY]) - min(medians[BARE]):.2f} ms", flush=True
        )

    def capture(self, kind: str) -> None:
        """What data capture costs."""
        self.platform.aws.client("s3").create_bucket(Bucket="bench-captured")
        wanted = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://bench-captured/here",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
        }
        off, _ = self.platform.endpoint("capture off", f"off-{kind}", self.models, kind, {})
        on, _ = self.platform.endpoint(
            "capture at 100 %", f"on-{kind}", self.models, kind, {}, DataCaptureConfig=wanted
        )
        print(f"\n{kind}, data capture\n\n| rows | clients | | requests/s | median ms | p99 ms | µs of CPU |")
        print("|" + " --- |" * 7)
        self.arguments.requests = 10**6
        for count in ROWS:
            for clients in CLIENTS:
                # Captures are written every five seconds: a turn has one such moment at least.
                work = partial(self.load, count=count, clients=clients, seconds=6)
                found = by_turns([off, on], work, self.arguments.turns)
                for title, best in found.items():
                    figures = best.figures
                    cells = (
                        f"{figures.rate:,.0f} | {figures.median:.2f} | {figures.quantile(0.99):.2f} | {best.cpu:.0f}"
                    )
                    print(f"| {count} | {clients} | {title} | {cells} |")
                without, with_it = (found[each.title] for each in (off, on))
                share = f"{with_it.figures.rate / without.figures.rate - 1:+.0%} requests/s"
                cpu = f"{with_it.cpu / without.cpu - 1:+.0%} CPU"
                print(f"| {count} | {clients} | *with capture* | {share}; {cpu} ||||", flush=True)


def _cores(text: str) -> set[int]:
    return {int(each) for each in text.split(",")}


def main() -> None:
    """Make the models, and measure what is asked for."""
    everything = os.sched_getaffinity(0)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", choices=list(PEERS), default=list(PEERS), metavar="PEER", help="peers")
    parser.add_argument("--model", choices=MODELS, help="one model instead of both")
    parser.add_argument("--requests", type=int, default=4000, help="the most for one figure")
    parser.add_argument("--seconds", type=float, default=1.2, help="the longest for one figure")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--client-core", type=_cores, default={max(everything)}, help="of the load generator")
    parser.add_argument("--server-cores", type=_cores, default=everything, help="of all servers: 0 or 0,1")
    parser.add_argument("--rate", type=float, help="requests a second: what Clary adds at this rate")
    parser.add_argument("--capture", action="store_true", help="what data capture costs")
    parser.add_argument("--memory", action="store_true", help="what a further endpoint holds")
    parser.add_argument("--many", action="store_true", help="a call beside 1,000 configurations and 200 endpoints")
    parser.add_argument("--endpoints", type=int, default=200, help="how many for --many")
    arguments = parser.parse_args()
    # What was started is ended, too, if this program is told to end.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    kinds = [arguments.model] if arguments.model else MODELS
    python = python_of(PEERS["uvicorn"])
    # Whatever is started from here on keeps to the servers' cores.
    os.sched_setaffinity(0, arguments.server_cores)
    with tempfile.TemporaryDirectory() as folder, clary.server() as aws:
        platform = Platform(aws)
        bench = Bench(platform, make(aws, python, Path(folder)), arguments)
        print(
            f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores; load generator on core"
            f" {_shown(arguments.client_core)}, servers on {_shown(arguments.server_cores)}; best of"
            f" {arguments.turns} turns",
            flush=True,
        )
        alone = False
        for kind in kinds:
            if arguments.rate:
                bench.rate(kind, arguments.rate)
            elif arguments.capture:
                bench.capture(kind)
            elif arguments.memory:
                _scale.memory(platform, bench.models, kind)
            elif arguments.many and not alone:
                alone = True
                _scale.many(platform, bench.models, kind, arguments.endpoints, bench.load)
            elif not arguments.many:
                bench.peers(kind)
        if not (arguments.rate or arguments.capture or arguments.memory or arguments.many):
            print("\n" + "\n".join([SUMMARY, *bench.summary]))
            print("\n" + "\n".join(f"- {PEERS[name].title}: {_settings(name)}" for name in arguments.only))


def _settings(name: str) -> str:
    peer = PEERS[name]
    return f"{', '.join(peer.packages)}; {peer.note}"


def _shown(cores: set[int]) -> str:
    return ",".join(map(str, sorted(cores)))


if __name__ == "__main__":
    main()
