"""What further endpoints cost: memory, and the time of a call to one among many."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench.inference._models import Models
from bench.inference._processes import cpu_seconds, memory_mb, program
from bench.inference._servers import Platform
from bench.load import Figures

CONFIGS, AT_ONCE, SPARE_MB = 1000, 8, 2000


def memory(platform: Platform, models: Models, kind: str) -> None:
    """Print what the first endpoint of a model holds, and each of four further ones; PSS, after some calls."""
    held = [memory_mb(platform.processes())]
    for number in range(5):
        name = f"memory-{kind}-{number}"
        server, bare = platform.endpoint(name, name, models, kind, {})
        for _ in range(20):
            server.check(models, kind)
        held.append(memory_mb(platform.processes()))
    further = (held[5] - held[1]) / 4
    print(f"\n{kind}: MB (PSS) of Clary and its endpoints\n\n| endpoints | MB |\n| --- | --- |")
    for number, mb in enumerate(held):
        print(f"| {number} | {mb:,.0f} |")
    parts = ", ".join(f"{program(process)} {memory_mb([process]):.1f}" for process in bare.processes)
    print(f"\neach further endpoint: {further:.0f} MB; the last one's processes: {parts}", flush=True)


def many(
    platform: Platform,
    models: Models,
    kind: str,
    endpoints: int,
    load: Callable[..., Callable[[], Figures]],
) -> None:
    """Print what a call takes beside one endpoint, beside 1,000 configurations, and beside 200 endpoints.

    Every endpoint has its server; where memory ends, so does the making of further ones.
    """
    server, _ = platform.endpoint("first", "many", models, kind, {})
    server.check(models, kind)
    measured: list[tuple[str, Figures, float]] = []
    clients = (1, 8, 64)

    def measure(title: str) -> None:
        time.sleep(3)
        for each in clients:
            server.measure(load(server, 1, each))
            runs = [server.measure(load(server, 1, each)) for _ in range(3)]
            figures = max((figures for figures, _ in runs), key=lambda figures: figures.rate)
            measured.append((f"{each} | {title}", figures, min(cpu for _, cpu in runs)))

    measure("1 configuration, 1 endpoint")
    for number in range(CONFIGS - 1):
        platform.config(f"config-{number}", "many")
    measure(f"{CONFIGS:,} configurations, 1 endpoint")
    alone = _at_rest(platform)
    begun, made = time.monotonic(), 1
    while made < endpoints and _available_mb() > SPARE_MB:
        names = [f"endpoint-{made + each}" for each in range(min(AT_ONCE, endpoints - made))]
        for name in names:
            platform.begin(name, "many")
        for name in names:
            platform.ready(name)
        made += len(names)
    print(f"\n{kind}: {made} endpoints in service after {time.monotonic() - begun:.0f} s", end="")
    print("" if made == endpoints else f"; for more this machine has too little memory, {_available_mb():,.0f} MB left")
    held = memory_mb(platform.processes())
    print(f"all of them hold {held:,.0f} MB (PSS), {_available_mb():,.0f} MB are left")
    print(
        f"at rest, CPU in percent of a core: {alone:.1f} with one endpoint, {_at_rest(platform):.1f} now\n", flush=True
    )
    measure(f"{CONFIGS:,} configurations, {made} endpoints")
    print("| clients | | requests/s | median ms | p99 ms | µs of CPU |\n|" + " --- |" * 6)
    for each in clients:
        for title, figures, cpu in measured:
            if title.startswith(f"{each} |"):
                cells = f"{figures.rate:,.0f} | {figures.median:.2f} | {figures.quantile(0.99):.2f} | {cpu:.0f}"
                print(f"| {title} | {cells} |")


def _at_rest(platform: Platform) -> float:
    """What Clary and its endpoints use while nobody asks them, in percent of a core."""
    time.sleep(2)
    processes = platform.processes()
    before, begun = cpu_seconds(processes), time.monotonic()
    time.sleep(5)
    return (cpu_seconds(processes) - before) / (time.monotonic() - begun) * 100


def _available_mb() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) * 1024 / 1e6
