"""The program: its lines, its errors, and when it ends."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

MIXED = [0, 0, 3]


def run(tuner: Any, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [tuner.python, "-m", "clary_runtimes.tuning", *arguments],
        env=tuner.variables(Path("/nowhere")),
        capture_output=True,
        check=True,
        timeout=60,
        **options,
    )


def test_a_point_has_a_number_or_an_index_for_every_dimension(ask: Any) -> None:
    trials = [{"point": [place / 10, 0.5, place % 3], "value": float(place)} for place in range(8)]
    for known in ([], trials):
        points = ask(dimensions=MIXED, seed=3, count=4, trials=known)["points"]
        assert len(points) == 4
        for first, second, third in points:
            assert 0 <= first <= 1 and 0 <= second <= 1 and third in (0, 1, 2) and isinstance(third, int)


def test_the_same_request_gets_the_same_answer_whatever_was_asked_before(ask: Any, tuner: Any) -> None:
    trials = [{"point": [place / 10, place % 7 / 7, place % 3], "value": float(place % 4)} for place in range(9)]
    request = {"dimensions": MIXED, "seed": 5, "count": 3, "trials": [*trials, {"point": [0.5, 0.5, 1], "value": None}]}
    first = ask(**request)
    ask(dimensions=[0], seed=9, count=5)
    assert ask(**request) == first
    done = run(tuner, input=json.dumps(request).encode() + b"\n")
    assert json.loads(done.stdout) == first
    assert ask(**{**request, "seed": 6}) != first
    assert ask(dimensions=MIXED, seed=1) != ask(dimensions=MIXED, seed=2)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "an object"),
        (b"{}", "dimensions"),
        (b'{"dimensions": []}', "dimensions"),
        (b'{"dimensions": [-1]}', "dimensions[0]"),
        (b'{"dimensions": [0.5]}', "dimensions[0]"),
        (b'{"dimensions": [true]}', "dimensions[0]"),
        (b'{"dimensions": [0], "cuont": 1}', "cuont"),
        (b'{"dimensions": [0], "count": 0}', "count"),
        (b'{"dimensions": [0], "count": 100000}', "count"),
        (b'{"dimensions": [0], "seed": -1}', "seed"),
        (b'{"dimensions": [0], "maximize": 1}', "maximize"),
        (b'{"dimensions": [0], "trials": {}}', "trials"),
        (b'{"dimensions": [0], "trials": [[0.5]]}', "trials[0]"),
        (b'{"dimensions": [0], "trials": [{"value": 1}]}', "trials[0].point"),
        (b'{"dimensions": [0], "trials": [{"point": [0.5, 0.5], "value": 1}]}', "trials[0].point"),
        (b'{"dimensions": [0], "trials": [{"point": [1.5], "value": 1}]}', "trials[0].point[0]"),
        (b'{"dimensions": [0], "trials": [{"point": ["a"], "value": 1}]}', "trials[0].point[0]"),
        (b'{"dimensions": [3], "trials": [{"point": [3], "value": 1}]}', "trials[0].point[0]"),
        (b'{"dimensions": [0], "trials": [{"point": [0.5], "value": NaN}]}', "NaN"),
        (b'{"dimensions": [0], "trials": [{"point": [0.5], "value": Infinity}]}', "Infinity"),
        (b'{"dimensions": [0], "trials": [{"point": [0.5], "value": 1e999}]}', "trials[0].value"),
        (b'{"dimensions": [0], "trials": [{"point": [0.5], "value": "1"}]}', "trials[0].value"),
        (b'{"dimensions": [0], "trials": [{"point": [0.5], "value": 1, "failed": null}]}', "trials[0].failed"),
        (b'{"dimensions": [0], "parents": [{"point": [0.5], "value": null}]}', "parents[0].value"),
        (b'{"dimensions": [0], "parents": [{"point": [0.5], "value": 1, "group": -1}]}', "parents[0].group"),
    ],
)
def test_what_cannot_be_understood_is_told_and_the_program_goes_on(ask: Any, line: bytes, named: str) -> None:
    found = ask(line)
    assert list(found) == ["error"] and named in found["error"]
    assert len(ask(dimensions=[0])["points"]) == 1


@pytest.mark.parametrize("values", [[1e308, -1e308] * 4, [5e-324, 0.0] * 4, [1.0] * 8, [1e308] * 8])
def test_numbers_at_their_limits_are_only_numbers(ask: Any, values: list[float]) -> None:
    trials = [{"point": [place / 10, 0.5], "value": value} for place, value in enumerate(values)]
    for maximize in (False, True):
        assert len(ask(dimensions=[0, 0], maximize=maximize, count=2, trials=trials)["points"]) == 2


def test_points_that_repeat_are_no_trouble(ask: Any) -> None:
    trials = [{"point": [0.5, 0.5], "value": float(place % 2)} for place in range(30)]
    assert len(ask(dimensions=[0, 0], count=3, trials=trials)["points"]) == 3


def test_it_ends_with_its_input_and_answers_a_last_line_without_an_end(tuner: Any) -> None:
    done = run(tuner, input=b'\n{"dimensions": [2]}\n\n{"dimensions": [0, 2]}')
    answers = [json.loads(line)["points"] for line in done.stdout.splitlines()]
    assert [len(points[0]) for points in answers] == [1, 2]
    assert done.stderr == b""


def test_it_ends_when_nobody_asks(tuner: Any) -> None:
    with subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE) as silent:
        assert run(tuner, "0.2", stdin=silent.stdout).stdout == b""
        silent.kill()


def test_a_long_history_costs_little(ask: Any, tuner: Any) -> None:
    code = """
import json, random, sys, time
from clary_runtimes.tuning.answers import answer
draw = random.Random(0)
points = [[draw.random() for _ in range(5)] for _ in range(200)]
trials = [{"point": point, "value": sum((x - 0.3) ** 2 for x in point)} for point in points]
line = json.dumps({"dimensions": [0] * 5, "trials": trials}).encode()
answer(line)
best = 9.0
for _ in range(5):
    began = time.process_time()
    answer(line)
    best = min(best, time.process_time() - began)
print(json.dumps(best))
"""
    assert tuner.evaluate(code, OPENBLAS_NUM_THREADS="1") < 0.3
    started = time.monotonic()
    run(tuner, input=b"")
    assert time.monotonic() - started < 10
