"""Channels as streams of batches: every format, every input mode, and what is wrong with the data."""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

CSV, LIBSVM, PARQUET = "text/csv", "text/libsvm", "application/x-parquet"
RECORDIO, JSONLINES = "application/x-recordio-protobuf", "application/jsonlines"

_READ = """
import json, os, sys, warnings
warnings.simplefilter("error")
from pathlib import Path
from clary_runtimes.algorithms.data import block, stream
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel
def plain(table):
    table = table.toarray() if hasattr(table, "toarray") else table
    return [["nan" if cell != cell else cell for cell in row] for row in table.tolist()]
answers = []
for case in json.loads(sys.argv[1]):
    block.BYTES = case.get("bytes", 8 << 20)
    channel = Channel("train", Path(case["path"]), case["type"], case.get("mode", "File"), "FullyReplicated", "None")
    try:
        rows = stream.rows(channel, **case.get("given", {}))
        width = rows.width
        passes = []
        for _ in range(case.get("passes", 1)):
            batches = list(rows.batches(case.get("size", 2)))
            features = [batch.features for batch in batches]
            table = [row for each in features for row in plain(each)]
            beside = []
            for name in ("labels", "weights", "groups"):
                values = [getattr(batch, name) for batch in batches]
                beside.append(None if values[0] is None else [each for part in values for each in part.tolist()])
            passes.append([table, *beside, [len(batch) for batch in batches], str(features[0].dtype)])
        answers.append([width, *passes])
    except UserError as error:
        answers.append(str(error))
print(json.dumps(answers), flush=True)
os._exit(0)  # as jobs end: pyarrow's threads may abort a process that takes its leave of Python
"""


def read(runtime: Any, cases: Sequence[dict[str, Any]]) -> list[Any]:
    found: list[Any] = runtime.evaluate(_READ, json.dumps(cases))
    return found


def channel(root: Path, content: bytes | str, name: str = "a.csv") -> str:
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return str(root)


@pytest.fixture(params=["xgboost", "linear_learner"])
def runtime(request: pytest.FixtureRequest) -> Any:
    """An image with pyarrow, and one without."""
    return request.getfixturevalue(request.param)


def test_csv_is_read_alike_however_it_is_cut(runtime: Any, tmp_path: Path) -> None:
    text = "".join(f"{row % 2},{row}.5,{-row},{'' if row == 7 else row / 4}\n" for row in range(23))
    path = channel(tmp_path / "a", text.rstrip("\n"))
    channel(tmp_path / "a", "\ufeff1,99,98,97\n", "b.csv")
    channel(tmp_path / "a", "", "c.csv")
    channel(tmp_path / "a", "1,2,3,4\n", "_SUCCESS")
    cases = [
        {"path": path, "type": CSV, "bytes": size, "size": rows, "passes": 2, "given": {"missing": True}}
        for size, rows in ((1 << 20, 100), (64, 2), (40, 5), (100, 24))
    ]
    wanted = [[row + 0.5, -row, "nan" if row == 7 else row / 4] for row in range(23)] + [[99, 98, 97]]
    for case, found in zip(cases, read(runtime, cases), strict=True):
        width, first, second = found
        assert width == 3 and first == second
        assert first[0] == wanted
        assert first[1] == [row % 2 for row in range(23)] + [1]
        assert sum(first[4]) == 24 and set(first[4][:-1]) <= {case["size"]}
        assert first[5] == "float32"


def test_the_other_forms_of_csv(runtime: Any, tmp_path: Path) -> None:
    forms: list[tuple[str, str, dict[str, Any], list[Any], Any, Any]] = [
        ("1;2;3\n4;5;6\n", CSV, {}, [[2, 3], [5, 6]], [1, 4], None),
        ("1,2\r\n3,4\r\n", CSV, {}, [[2], [4]], [1, 3], None),
        ("1,2\r3,4\r", CSV, {}, [[2], [4]], [1, 3], None),
        ("\n1,2\n\n3,4\n\n", CSV, {}, [[2], [4]], [1, 3], None),
        ('"1","2"\n"3","4"\n', CSV, {}, [[2], [4]], [1, 3], None),
        ("1,2\n3,4\n", "text/csv;label_size=0", {}, [[1, 2], [3, 4]], None, None),
        ("1,2\n3,4\n", CSV, {"label": False}, [[1, 2], [3, 4]], None, None),
        ("1,0.5,2\n3,2,4\n", CSV, {"weights": True}, [[2], [4]], [1, 3], [0.5, 2]),
        ("+1,.5,1e3\n-0,1.,-1E-2\n", CSV, {}, [[0.5, 1000], [1, pytest.approx(-0.01)]], [1, 0], None),
    ]
    cases = [
        {"path": channel(tmp_path / str(number), text), "type": kind, "given": given, "bytes": size}
        for number, (text, kind, given, *_) in enumerate(forms)
        for size in (1 << 20, 7)
    ]
    found = read(runtime, cases)
    for number, (text, _, _, features, labels, weights) in enumerate(forms):
        for answer in found[2 * number : 2 * number + 2]:
            assert answer[1][:3] == [features, labels, weights], text


def test_the_other_formats(runtime: Any, tmp_path: Path, golden: Path) -> None:
    libsvm = "1 0:1 2:2.5\n0 1:7\n1 0:-1 3:1e2\n"
    wide = [[1, 0, 2.5, 0], [0, 7, 0, 0], [-1, 0, 0, 100]]
    lines = '[1, 2, 3]\n{"label": 0, "features": [4, null]}\n\n{"features": [5, 6], "label": [1]}'
    cases = [
        {"path": channel(tmp_path / "a", libsvm), "type": LIBSVM, "size": 9},
        {"path": channel(tmp_path / "a", libsvm), "type": LIBSVM, "size": 9, "given": {"dense": True, "width": 5}},
        {"path": channel(tmp_path / "b", "1:0.5 qid:3 0:1 # note\n0:2 qid:4 1:2\n"), "type": LIBSVM, "size": 9},
        {"path": channel(tmp_path / "c", lines), "type": JSONLINES, "given": {"missing": True}},
        *(
            {
                "path": channel(tmp_path / name, (golden / f"{name}.recordio").read_bytes() * 5),
                "type": RECORDIO,
                "bytes": size,
            }
            for name in ("dense-float32", "dense-float64", "integers", "sparse")
            for size in (1 << 20, 150)
        ),
    ]
    found = read(runtime, cases)
    assert found[0][1][:2] == [wide, [1, 0, 1]]
    assert found[1][1][:2] == [[[*row, 0] for row in wide], [1, 0, 1]]
    assert found[2][1][:4] == [[[1, 0], [0, 2]], [1, 0], [0.5, 2], [3, 4]]
    assert found[3][1][:2] == [[[2, 3], [4, "nan"], [5, 6]], [1, 0, 1]]
    flowers = [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]]
    for answer in found[4:8]:
        assert [cell for row in answer[1][0] for cell in row] == pytest.approx(
            [cell for row in flowers * 5 for cell in row]
        )
        assert answer[1][1] == [0, 1, 2] * 5
    for answer in found[8:10]:
        assert answer[1][:2] == [[[1, -2], [300, 4]] * 5, [1, 0] * 5]
    for answer in found[10:]:
        assert answer[1][:2] == [[[0, 0, 3.5, 0, 1], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]] * 5, [1, 0, 1] * 5]


def test_parquet(xgboost: Any, linear_learner: Any, tmp_path: Path) -> None:
    write = """
import json, sys, pandas
for number, rows in enumerate(([[1, 2.5, None], [0, 3, 4]], [[1, 5, 6]])):
    pandas.DataFrame(rows, columns=["label", "a", "b"]).to_parquet(f"{sys.argv[1]}/{number}.parquet")
pandas.DataFrame({"label": [1, 2], "a": ["1", "x"]}).to_parquet(f"{sys.argv[1]}/../text/0.parquet")
print(json.dumps(1))
"""
    (tmp_path / "text").mkdir()
    path = channel(tmp_path / "files", b"", "_empty")
    xgboost.evaluate(write, path)
    found = read(
        xgboost,
        [
            {"path": path, "type": PARQUET, "given": {"missing": True}},
            {"path": str(tmp_path / "text"), "type": PARQUET},
            {"path": channel(tmp_path / "cut", b"PAR1nonsense", "cut.parquet"), "type": PARQUET},
        ],
    )
    assert found[0][1][:2] == [[[2.5, "nan"], [3, 4], [5, 6]], [1, 0, 1]]
    assert found[1].startswith("0.parquet, row 2, column 2 ('a'): 'x' is not numeric")
    assert found[2].startswith("cut.parquet: Failed to load parquet data with exception:\n")
    [refused] = read(linear_learner, [{"path": path, "type": PARQUET}])
    assert refused.startswith("This image has no Parquet reader")


def _feed(path: str, epochs: Sequence[bytes]) -> threading.Thread:
    """Write the epochs of a channel into its FIFOs, as the platform does."""
    for epoch in range(len(epochs)):
        os.mkfifo(f"{path}_{epoch}")

    def write() -> None:
        for epoch, data in enumerate(epochs):
            try:
                with Path(f"{path}_{epoch}").open("wb", buffering=0) as file:
                    view = memoryview(data)
                    while view:
                        view = view[file.write(view[:1000]) or 0 :]
            except BrokenPipeError:
                pass  # closed early

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_every_pass_is_an_epoch_of_the_pipe(runtime: Any, tmp_path: Path, golden: Path) -> None:
    rows = "".join(f"{row % 2},{row},{row * 2}\n" for row in range(2000))
    feeders = [
        _feed(str(tmp_path / "csv"), [rows.encode()] * 3),
        _feed(str(tmp_path / "recordio"), [(golden / "sparse.recordio").read_bytes()]),
        _feed(str(tmp_path / "wrong"), [rows.encode() + b"1,x,2\n"]),
        _feed(str(tmp_path / "empty"), [b""]),
    ]
    kinds = {"csv": CSV, "recordio": RECORDIO, "wrong": CSV, "empty": CSV}
    cases = [
        {"path": str(tmp_path / name), "type": kind, "mode": "Pipe", "bytes": 4096} for name, kind in kinds.items()
    ]
    found = read(runtime, [{**cases[0], "passes": 3, "size": 300}, *cases[1:]])
    width, *passes = found[0]
    assert width == 2 and passes[0] == passes[1] == passes[2]
    assert passes[0][0] == [[row, row * 2] for row in range(2000)]
    assert found[1][1][1] == [1, 0, 1]
    assert found[2].startswith("channel 'train', row 2001, column 2: could not convert string to float: 'x'")
    assert found[3].startswith("No data in channel 'train'")
    for feeder in feeders:
        feeder.join(10)
        assert not feeder.is_alive()


def test_parquet_files_come_through_a_pipe(xgboost: Any, tmp_path: Path) -> None:
    write = """
import json, sys, pandas
for number, rows in enumerate(([[1, 2.5], [0, 3]], [[1, 5]])):
    pandas.DataFrame(rows, columns=["label", "a"]).to_parquet(f"{sys.argv[1]}/{number}")
print(json.dumps(1))
"""
    xgboost.evaluate(write, str(tmp_path))
    feeder = _feed(str(tmp_path / "train"), [(tmp_path / "0").read_bytes() + (tmp_path / "1").read_bytes()])
    [found] = read(xgboost, [{"path": str(tmp_path / "train"), "type": PARQUET, "mode": "Pipe"}])
    assert found[1][:2] == [[[2.5], [3], [5]], [1, 0, 1]]
    feeder.join(10)


def test_mistakes_name_file_row_and_remedy(runtime: Any, tmp_path: Path, golden: Path) -> None:
    records = (golden / "dense-float32.recordio").read_bytes()
    mistakes: list[tuple[bytes | str, str, dict[str, Any], str]] = [
        ("1,2\n0,nan\n", CSV, {}, "a.csv, row 2, column 2: the value is missing or not a finite number"),
        ("1,2\n0,\n", CSV, {}, "a.csv, row 2, column 2: the value is missing or not a finite number"),
        ("1,2\n0,inf\n", CSV, {}, "a.csv, row 2, column 2: the value is missing or not a finite number"),
        ("1,2\nnan,3\n", CSV, {}, "a.csv, row 2: the label is missing or not a finite number; correct it"),
        ("1,2,3\n1,-2,3\n", CSV, {"weights": True}, "a.csv, row 2: the weight is negative"),
        ("1,2,3\n0,1\n", CSV, {}, "a.csv, row 2: it has 2 columns where the first row has 3; give every row"),
        ("1,2\n0,1,2\n", CSV, {}, "a.csv, row 2: it has 3 columns where the first row has 2; give every row"),
        ("label,age\n1,2\n", CSV, {}, "a.csv, row 1, column 1: could not convert string to float: 'label'; remove"),
        ("1,2\n0,red\n", CSV, {}, "a.csv, row 2, column 2: could not convert string to float: 'red'; encode text as"),
        ("1\n0\n", CSV, {}, "a.csv: it has 1 columns; a label and at least one feature are needed"),
        (b"1,2\n0,\xe9\n", CSV, {}, "a.csv, row 2: byte 3 (0xE9) is not UTF-8; save the file as UTF-8"),
        ("1,2\n".encode("utf-16"), CSV, {}, "a.csv: it is UTF-16 text; save it as UTF-8"),
        (gzip.compress(b"1,2\n"), CSV, {}, "a.csv: it is gzip data; unpack it, or stream it in Pipe mode"),
        (records, CSV, {}, "a.csv: it is RecordIO data; set the channel's ContentType"),
        ("", CSV, {}, "No data in channel 'train'"),
        ("\n\n", CSV, {}, "No data in channel 'train'"),
        ("1,2\n", "text/csv;label_size=2", {}, "Channel 'train': label_size must be 0 or 1"),
        ("1,2\n", "image/png", {}, "Content type image/png is not supported"),
        ("1,2,3\n", CSV, {"width": 5}, "a.csv, row 1: it has 2 features where feature_dim is 5"),
        (records[:-8], RECORDIO, {}, "a.csv, row 3: the record is cut short at byte"),
        (b"1,2,3\n4,5,6\n", RECORDIO, {}, "a.csv, row 1: this is not RecordIO data"),
        (records + struct.pack("<II", 0xCED7230A, 4) + b"\xff" * 4, RECORDIO, {}, "a.csv, row 4: it is not an aialgs"),
        (records + (golden / "integers.recordio").read_bytes(), RECORDIO, {}, "a.csv, row 4: it has 2 features where"),
        ((golden / "unlabelled.recordio").read_bytes(), RECORDIO, {}, "a.csv, row 1: the record has no label"),
        ("1 0:1\nx 1:2\n", LIBSVM, {}, "a.csv, row 2: 'x 1:2...' is not LIBSVM format; write rows as"),
        ("1 0:1\n0 0:nan\n", LIBSVM, {}, "a.csv, row 2, column 2: the value is missing"),
        ("1 0:1\n0 9:1\n", LIBSVM, {"width": 5}, "a.csv, row 1 or after: there is a feature with the index 9"),
        ("[1, 2]\n[1, 2, 3]\n", JSONLINES, {}, "a.csv, row 2: it has 3 values where the first row has 2"),
        ('[1, 2]\n{"label": 1}\n', JSONLINES, {}, "a.csv, row 2: it is not an array of numbers; write rows as"),
        ("[1, 2]\n{\n", JSONLINES, {}, "a.csv, row 2: it is not JSON"),
    ]  # fmt: skip
    cases = [
        {"path": channel(tmp_path / str(number), content), "type": kind, "given": given}
        for number, (content, kind, given, _) in enumerate(mistakes)
    ]
    for answer, (content, _, _, message) in zip(read(runtime, cases), mistakes, strict=True):
        assert isinstance(answer, str) and answer.startswith(message), (content, answer)


def test_rows_of_later_files_must_fit(runtime: Any, tmp_path: Path) -> None:
    channel(tmp_path / "a", "1,2,3\n" * 5)
    path = channel(tmp_path / "a", "1,2\n", "b.csv")
    [found] = read(runtime, [{"path": path, "type": CSV}])
    assert found.startswith("b.csv, row 1: it has 1 features where the rows before have 2")


_IMAGES = """
import json, sys
from pathlib import Path
from clary_runtimes.algorithms.data.images import image_folder, listed_images
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel
root = Path(sys.argv[1])
def channel(name):
    return Channel(name, root / name, "application/x-image", "File", "FullyReplicated", "None")
answers = []
for look in (
    lambda: image_folder(channel("train")),
    lambda: (listed_images(channel("train"), channel("train_lst")), []),
    lambda: (listed_images(channel("train"), channel("bad_lst")), []),
    lambda: image_folder(channel("flat")),
    lambda: image_folder(channel("none")),
    lambda: image_folder(channel("train"))[0][0].decode(),
):
    try:
        found, classes = look()
        answers.append([[[str(each.path.relative_to(root)), *each.label] for each in found], classes])
    except UserError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""


def test_images_are_listed_and_not_read(linear_learner: Any, tmp_path: Path) -> None:
    for name in ("dogs/1.jpg", "cats/2.png", "cats/1.JPG", "cats/notes.txt"):
        file = tmp_path / "train" / name
        channel(file.parent, b"not an image", file.name)
    channel(tmp_path / "train_lst", "5\t1\tdogs/1.jpg\n7\t0\tcats/2.png\n", "train.lst")
    channel(tmp_path / "bad_lst", "5\t1\tdogs/1.jpg\n7\t0\tcats/../../x.png\n", "bad.lst")
    channel(tmp_path / "flat", b"", "1.jpg")
    channel(tmp_path / "none", b"", "readme.txt")
    found = linear_learner.evaluate(_IMAGES, str(tmp_path))
    assert found[0] == [
        [["train/cats/1.JPG", 0.0], ["train/cats/2.png", 0.0], ["train/dogs/1.jpg", 1.0]],
        ["cats", "dogs"],
    ]
    assert found[1] == [[["train/dogs/1.jpg", 1.0], ["train/cats/2.png", 0.0]], []]
    assert found[2].startswith("bad.lst, row 2: there is no file 'cats/../../x.png' in channel 'train'")
    assert found[3].startswith("1.jpg: it lies in no subfolder of channel 'flat'")
    assert found[4].startswith("No data in channel 'none'")
    assert found[5].startswith("This image cannot decode images")


_PEAK = """
import re, sys
from pathlib import Path
from clary_runtimes.algorithms.data import block, stream
from clary_runtimes.contract.training import Channel
block.BYTES = 1 << 20
channel = Channel("train", Path(sys.argv[1]), "text/csv", "Pipe", "FullyReplicated", "None")
rows = sum(len(batch) for batch in stream.rows(channel).batches(1000))
# Not ``ru_maxrss``, which is never less than what the process had that started this one.
print([rows, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])])
"""


def test_memory_does_not_grow_with_the_data(linear_learner: Any, tmp_path: Path) -> None:
    line = b"1," + b",".join(b"%.4f" % (number / 7) for number in range(30)) + b"\n"
    peaks = []
    for count in (80_000, 320_000):
        path = str(tmp_path / str(count))
        feeder = _feed(path, [line * count])
        done = subprocess.run(
            [linear_learner.python, "-c", _PEAK, path],
            env=linear_learner.variables(Path("/nowhere")),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        rows, peak = json.loads(done.stdout)
        assert rows == count
        peaks.append(peak)
        feeder.join(10)
    assert peaks[1] < peaks[0] * 1.1


_LARGE = """
import json, os
from clary_runtimes.algorithms.data import block, spool
block.BYTES, spool.LARGE = 1000, 1000
if os.environ["CLARY_RUNTIME"] == "linear-learner":
    from clary_runtimes.algorithms.linear_learner import source
    source.PIECE, source.SAMPLE = 2000, 8000
from clary_runtimes.contract.leaving import leave
from clary_runtimes.train import main
leave(main())
"""


def _train_large(runtime: Any, job: Any, hyperparameters: dict[str, str]) -> tuple[int, str]:
    """The exit status and the log of a job to which every channel is large."""
    job.configure(hyperparameters)
    done = subprocess.run(
        [runtime.python, "-c", _LARGE],
        env=runtime.variables(job.root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def _in_pipe_mode(job: Any, channels: Sequence[str]) -> list[threading.Thread]:
    """Let the channels of a job come through FIFOs instead of files."""
    feeders = []
    for name in channels:
        folder = job.root / "input" / "data" / name
        data = b"".join(file.read_bytes() for file in sorted(folder.iterdir()))
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        job.channels[name]["TrainingInputMode"] = "Pipe"
        feeders.append(_feed(str(folder), [data]))
    return feeders


@pytest.mark.parametrize("mode", ["File", "Pipe"])
@pytest.mark.parametrize("release", ["xgboost", pytest.param("old_xgboost", marks=pytest.mark.slow("runtimes"))])
def test_xgboost_bins_large_channels_without_holding_them(
    request: pytest.FixtureRequest, release: str, mode: str, ml_root: Path, datasets: Path
) -> None:
    runtime = request.getfixturevalue(release)
    given = {"num_round": "20", "objective": "binary:logistic", "eval_metric": "auc", "tree_method": "hist"}

    def job(name: str) -> Any:
        made = runtime.job(ml_root / name).channel("train", datasets / "breast_cancer-train.csv")
        return made.channel("validation", datasets / "breast_cancer-validation.csv")

    def scores(log: str) -> list[float]:
        line = next(line for line in log.splitlines() if line.startswith("[19]"))
        return [float(part.rpartition(":")[2]) for part in line.split("#011")[1:]]

    small = scores(job("small").succeed(given))
    large = job("large")
    feeders = _in_pipe_mode(large, ["train", "validation"]) if mode == "Pipe" else []
    status, log = _train_large(runtime, large, {name: value for name, value in given.items() if name != "tree_method"})
    assert status == 0, log
    assert "Train matrix has 426 rows and 30 columns" in log and "Validation matrix has 143 rows" in log
    assert scores(log) == pytest.approx(small, abs=0.01)
    assert (large.root / "model" / "xgboost-model").stat().st_size > 0
    for feeder in feeders:
        feeder.join(10)
        assert not feeder.is_alive()


def test_xgboost_reads_small_pipes_and_sparse_large_files(xgboost: Any, ml_root: Path, datasets: Path) -> None:
    rows = [line.split(",") for line in (datasets / "iris-train.csv").read_text().splitlines()]
    lines = [f"{row[0]} " + " ".join(f"{index}:{value}" for index, value in enumerate(row[1:])) for row in rows]
    given = {"num_round": "3", "objective": "multi:softmax", "num_class": "3"}
    small = xgboost.job(ml_root / "small").channel("train", "\n".join(lines[:-1]), "text/libsvm")
    for feeder in _in_pipe_mode(small, ["train"]):
        assert "Train matrix has 111 rows and 4 columns" in small.succeed(given)
        feeder.join(10)
    large = xgboost.job(ml_root / "large").channel("train", "\n".join([*lines, "1 9:2"]), "text/libsvm")
    status, log = _train_large(xgboost, large.channel("validation", "\n".join(lines), "text/libsvm"), given)
    assert status == 0 and "Train matrix has 113 rows and 10 columns" in log, log
    wrong = xgboost.job(ml_root / "wrong").channel("train", "\n".join([*lines * 3, "7 0:2"]), "text/libsvm")
    status, log = _train_large(xgboost, wrong, given)
    assert status == 2 and "label must be in [0, num_class) (row 337 has 7)" in log, log


@pytest.mark.parametrize("mode", ["File", "Pipe"])
def test_linear_learner_learns_large_channels_from_a_file(
    linear_learner: Any, mode: str, ml_root: Path, datasets: Path
) -> None:
    def job(name: str, data: str) -> Any:
        made = linear_learner.job(ml_root / name).channel("train", datasets / f"{data}-train.csv")
        return made.channel("validation", datasets / f"{data}-validation.csv")

    def value(log: str, metric: str) -> float:
        return float(log.rpartition(f"validation {metric} <")[2].partition("=")[2].split()[0])

    for data, metric, more in (
        ("breast_cancer", "binary_classification_accuracy", {"predictor_type": "binary_classifier"}),
        ("iris", "multiclass_accuracy", {"predictor_type": "multiclass_classifier", "num_classes": "3"}),
        ("diabetes", "r2", {"predictor_type": "regressor"}),
    ):
        given = {**more, "mini_batch_size": "20", "num_models": "4", "epochs": "30", "num_point_for_scaler": "90"}
        small = value(job(f"{data}-small", data).succeed(given), metric)
        large = job(f"{data}-large", data)
        feeders = _in_pipe_mode(large, ["train", "validation"]) if mode == "Pipe" else []
        status, log = _train_large(linear_learner, large, given)
        assert status == 0, log
        assert "The metrics of channel 'train' are those of" in log
        assert value(log, metric) == pytest.approx(small, abs=0.06)
        for feeder in feeders:
            feeder.join(10)
            assert not feeder.is_alive()


def test_large_channels_have_their_mistakes_named_too(linear_learner: Any, ml_root: Path, datasets: Path) -> None:
    rows = (datasets / "breast_cancer-train.csv").read_text().splitlines()
    for number, (line, message) in enumerate(
        (
            (
                rows[0].replace(",", ",nan,", 1).rpartition(",")[0],
                "train.data, row 427, column 2: the value is missing",
            ),
            (
                "2" + rows[0][1:],
                "Channel 'train': row 427 has label 2; the labels of a binary_classifier must be 0 or 1",
            ),
            ("1,2", "train.data, row 427: it has 2 columns where the first row has 31"),
        )
    ):
        job = linear_learner.job(ml_root / str(number)).channel("train", "\n".join([*rows, line]))
        status, log = _train_large(
            linear_learner, job, {"predictor_type": "binary_classifier", "num_point_for_scaler": "9"}
        )
        assert status == 2 and message in log, log
