"""The readers of the documented data formats, run in an image's environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_RECORDIO = """
import json, sys
from pathlib import Path
from clary_runtimes.algorithms.data.recordio import read_table, read_records, write_labels
features, labels = read_table(Path(sys.argv[1]).read_bytes())
print(json.dumps([features.round(4).tolist(), str(features.dtype), None if labels is None else labels.tolist()]))
"""

_ROWS = """
import json, sys
from clary_runtimes.algorithms.data.delimited import parse_rows
answers = []
for body in json.loads(sys.argv[1]):
    try:
        answers.append(["nan" if cell != cell else cell for row in parse_rows(body.encode()).tolist() for cell in row])
    except ValueError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""

FLOWERS = [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]]


@pytest.mark.parametrize(
    ("name", "features", "dtype", "labels"),
    [
        ("dense-float32", FLOWERS, "float32", [0.0, 1.0, 2.0]),
        ("dense-float64", FLOWERS, "float64", [0.0, 1.0, 2.0]),
        ("unlabelled", FLOWERS, "float32", None),
        ("integers", [[1.0, -2.0], [300.0, 4.0]], "float32", [1.0, 0.0]),
        ("sparse", [[0, 0, 3.5, 0, 1], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]], "float32", [1.0, 0.0, 1.0]),
    ],
)
def test_recordio_of_the_sdk_is_read(
    linear_learner: Any, golden: Path, name: str, features: Any, dtype: str, labels: Any
) -> None:
    found = linear_learner.evaluate(_RECORDIO, str(golden / f"{name}.recordio"))
    assert found[0] == [pytest.approx(row, rel=1e-5) for row in features]
    assert found[1:] == [dtype, labels]


def test_recordio_faults_are_named(linear_learner: Any, golden: Path) -> None:
    code = """
import json, sys
from pathlib import Path
from clary_runtimes.algorithms.data.recordio import RecordIOError, read_table
good = Path(sys.argv[1]).read_bytes()
answers = []
for bad in (b"1,2,3\\n4,5,6\\n", good[:-8], good[:4], good + b"\\x0a\\x23\\xd7\\xce\\x04\\0\\0\\0\\xff\\xff\\xff\\xff"):
    try:
        read_table(bad)
        answers.append("")
    except RecordIOError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""
    found = linear_learner.evaluate(code, str(golden / "dense-float32.recordio"))
    assert found == [
        "Invalid RecordIO magic number at byte 0",
        "Truncated record at byte 128",
        "Truncated RecordIO header at byte 0",
        "A record is not an aialgs.data.Record protocol buffer",
    ]


def test_recordio_answers_are_what_the_reader_reads(linear_learner: Any) -> None:
    code = """
import json
from clary_runtimes.algorithms.data.recordio import read_records, write_labels
data = write_labels([{"score": [0.25], "predicted_label": [1]}, {"score": [0.5, 0.125]}])
labels = [record.label for record in read_records(data)]
print(json.dumps([{name: tensor.values.tolist() for name, tensor in label.items()} for label in labels]))
"""
    assert linear_learner.evaluate(code) == [
        {"score": [0.25], "predicted_label": [1.0]},
        {"score": [0.5, 0.125]},
    ]


def test_csv_payloads(linear_learner: Any) -> None:
    cases: list[tuple[str, Any]] = [
        ("1,2,3\n", [1, 2, 3]),
        ("1,2\r\n3,4", [1, 2, 3, 4]),
        ("-1.5e3", [-1500]),
        (".5,+1,1.", [0.5, 1, 1]),
        ("1;2;3", [1, 2, 3]),
        ("1\t2", [1, 2]),
        ('"1","2"', [1, 2]),
        ("1,,3", [1, "nan", 3]),
        ("1,nan", [1, "nan"]),
        ("1,abc", "row 1, column 2: could not convert string to float: 'abc'"),
        ("1,null", "row 1, column 2: could not convert string to float: 'null'"),
        ("1,true", "row 1, column 2: could not convert string to float: 'true'"),
        ("[1],2", "row 1, column 1: could not convert string to float: '[1]'"),
        ("1,2\n3", "row 2: it has 1 columns where the first row has 2"),
        ("1,2,3\n4,5\n6,7,8,9", "row 2: it has 2 columns where the first row has 3"),
        ("", "there is no row"),
    ]
    found = linear_learner.evaluate(_ROWS, json.dumps([body for body, _ in cases]))
    assert found == [answer for _, answer in cases]


def test_csv_files_small_and_large_are_read_alike(linear_learner: Any, tmp_path: Path) -> None:
    code = """
import json, sys
from pathlib import Path
from clary_runtimes.algorithms.data import delimited
from clary_runtimes.contract.errors import UserError
answers = []
for threshold in (1 << 40, 0):
    delimited.PANDAS_FROM = threshold
    for path in sorted(Path(sys.argv[1]).iterdir()):
        try:
            table = delimited.read_csv(path).tolist()
            answers.append(["nan" if cell != cell else cell for row in table for cell in row])
        except UserError as error:
            answers.append(str(error))
print(json.dumps(answers))
"""
    files: dict[str, tuple[str, Any]] = {
        "a-plain.csv": ("1,2.5\n3,4\n", [1, 2.5, 3, 4]),
        "b-mark.csv": ("\ufeff1,2\n\n3,4", [1, 2, 3, 4]),
        "c-holes.csv": ("1,,2\n3,nan,\n", [1, "nan", 2, 3, "nan", "nan"]),
        "d-header.csv": (
            "label,age\n1,2\n",
            "d-header.csv, row 1, column 1: could not convert string to float: 'label'",
        ),
        "e-text.csv": ("1,2\n3,NA\n", "e-text.csv, row 2, column 2: could not convert string to float: 'NA'"),
        "f-short.csv": ("1,2,3\n4,5\n", "f-short.csv, row 2: it has 2 columns where the first row has 3"),
        "g-long.csv": ("1,2\n3,4,5\n", "g-long.csv, row 2: it has 3 columns where the first row has 2"),
        "h-semicolons.csv": ("1;2\n3;4\n", [1, 2, 3, 4]),
    }
    for name, (content, _) in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    expected = [answer for _, answer in files.values()]
    assert linear_learner.evaluate(code, str(tmp_path)) == expected * 2


def test_libsvm(linear_learner: Any) -> None:
    code = """
import json
from clary_runtimes.algorithms.data.libsvm import LibsvmError, parse_libsvm
x, y, w, g = parse_libsvm(b"1:0.5 qid:1 0:1 3:2.5 # note\\n\\n0:2 qid:2\\n")
answers = [x.toarray().tolist(), y.tolist(), w.tolist(), g.tolist()]
answers.append(parse_libsvm(b"2:7\\n", labels=False)[0].toarray().tolist())
for bad in (b"1 0:1\\nx 2:3", b"1 0:a", b"1 2 3", b"1 -1:2", b"1:2 0:1\\n1 0:1"):
    try:
        answers.append(parse_libsvm(bad, "f.svm")[0].shape)
    except LibsvmError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""
    assert linear_learner.evaluate(code) == [
        [[1.0, 0.0, 0.0, 2.5], [0.0, 0.0, 0.0, 0.0]],
        [1.0, 0.0],
        [0.5, 2.0],
        [1, 2],
        [[0.0, 0.0, 7.0]],
        "f.svm, row 2: 'x 2:3...' is not LIBSVM format",
        "f.svm, row 1: '1 0:a...' is not LIBSVM format",
        "f.svm, row 1: '1 2 3...' is not LIBSVM format",
        "f.svm, a feature index is negative",
        "f.svm, 1 of 2 rows have an instance weight; all or none must",
    ]
