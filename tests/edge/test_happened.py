"""What the logs say has happened lately."""

from __future__ import annotations

import time
from pathlib import Path

from clary.edge.happened import LARGEST_READ, deaths, errors

NOW = 1_800_000_000.0


def logged(seconds_ago: float, level: str, text: str = "x") -> str:
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW - seconds_ago))
    return f"{moment},123 {level} clary.control.scheduler {text}\n"


def test_errors_of_the_last_hour(tmp_path: Path) -> None:
    log = tmp_path / "control.log"
    assert errors(log, NOW - 3600) == 0
    lines = [logged(4000, "ERROR"), logged(100, "INFO", "ERROR"), logged(90, "ERROR"), "Traceback\n ERROR\n"]
    log.write_text("".join([*lines, logged(5, "CRITICAL"), "ERROR half a li"]))
    assert errors(log, NOW - 3600) == 2


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "control.log"
    log.write_bytes(logged(5, "ERROR").encode() + b"\xff" * LARGEST_READ + b"\n" + logged(5, "ERROR").encode())
    assert errors(log, NOW - 3600) == 1


def test_deaths_of_the_last_hour(tmp_path: Path) -> None:
    log = tmp_path / "supervisor.log"
    assert deaths(log, NOW - 3600) == {}
    for ago, text in (
        (4000, "control ended with signal 9; started again in 0 s"),
        (300, "control-2 ended with signal 9; started again in 0 s"),
        (200, "control-2 ended with exit status 1; started again in 1 s"),
        (100, "edge started as process 7"),
    ):
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - ago))
        with log.open("a") as file:
            file.write(f"{moment} {text}\n")
    assert deaths(log, NOW - 3600) == {"control-2": 2}
