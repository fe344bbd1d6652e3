from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.services.logs import log_file
from clary.services.logs.log_file import LONGEST_MESSAGE, LogFile

messages = st.text(alphabet="abc é中 ", max_size=12)
lines = st.lists(st.tuples(st.integers(0, 30), messages), max_size=30).map(
    lambda items: sorted(items, key=lambda i: i[0])
)


def write(path: Path, items: list[tuple[int, str]], tail: str = "") -> LogFile:
    path.write_bytes("".join(f"{time} {text}\n" for time, text in items).encode() + tail.encode())
    return LogFile(path)


@given(lines, st.sampled_from([8, 64, 65536]), st.sampled_from(["", "31", "31 not yet"]))
def test_both_directions_read_the_same(items: list[tuple[int, str]], block: int, tail: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "_BLOCK", block)
        file = write(Path(folder) / "log", items, tail)
        forward = list(file.forward())
        assert [(event.timestamp, event.message) for event in forward] == items
        assert list(file.backward()) == forward[::-1]
        assert [event.start for event in forward] == [0, *(event.end for event in forward)][: len(forward)]
        assert file.end() == (forward[-1].end if forward else 0)
        for event in forward:
            assert next(file.forward(event.start)) == event
            assert next(file.backward(event.end)) == event


@given(lines, st.integers(0, 31), st.integers(0, 31))
def test_times(items: list[tuple[int, str]], since: int, until: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder) / "log", items)
        expected = [item for item in items if since <= item[0] < until]
        assert [(event.timestamp, event.message) for event in file.forward(0, since, until)] == expected
        assert [(event.timestamp, event.message) for event in file.backward(None, since, until)] == expected[::-1]
        places = [event.start for event in file.forward() if event.timestamp >= since]
        assert file.offset_of(since) == (places[0] if places else file.end())


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "none")
    assert list(file.forward()) == list(file.backward()) == []
    assert file.end() == file.offset_of(5) == 0
    assert file.extent().first is None


def test_a_growing_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = write(path, [(1, "a")], "2 b")
    assert [event.message for event in file.forward()] == ["a"]
    with path.open("a") as target:
        target.write("c\n3 d\n")
    assert [event.message for event in file.forward(file.offset_of(2))] == ["bc", "d"]
    extent = file.extent()
    assert (extent.first, extent.last) == (1, 3)


def test_very_long_lines_are_cut(tmp_path: Path) -> None:
    long = "x" * (5 * LONGEST_MESSAGE)
    file = write(tmp_path / "log", [(1, "a"), (2, long), (3, "b")])
    forward = list(file.forward())
    assert [event.message for event in forward] == ["a", "x" * LONGEST_MESSAGE, "b"]
    assert [(event.timestamp, event.start, event.end) for event in file.backward()] == [
        (event.timestamp, event.start, event.end) for event in reversed(forward)
    ]
    assert all(len(event.message) <= LONGEST_MESSAGE for event in file.backward())


def test_lines_of_another_form_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"5 a\nno time\n\n6 \xff\n")
    events = list(LogFile(path).forward())
    assert [(event.timestamp, event.message) for event in events] == [(5, "a"), (5, "no time"), (5, ""), (6, "\ufffd")]
