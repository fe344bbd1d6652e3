"""Tests marked ``slow("name")`` run with ``--all`` or ``--shard name`` only; skips are counted at the end."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("clary")
    group.addoption("--all", action="store_true", help="run the slow shards too")
    group.addoption("--shard", metavar="NAME", help="run nothing but this slow shard")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--all"):
        return
    wanted = config.getoption("--shard")
    kept, left = [], []
    for item in items:
        marker = item.get_closest_marker("slow")
        shard = marker.args[0] if marker else None
        (kept if shard == wanted else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(
        report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr) for report in skipped
    )
    terminalreporter.write_line(f"skipped tests: {len(skipped)}")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"  {count} x {reason.removeprefix('Skipped: ')}")
