"""What training jobs have reported of their objective, read while the files grow."""

from __future__ import annotations

import json
from pathlib import Path

from clary.services.sagemaker.tuning.curves import Curves


def line(value: float, name: str = "score") -> str:
    return json.dumps({"name": name, "value": value, "time": 1.0}) + "\n"


def test_only_whole_lines_of_the_metric_count(tmp_path: Path) -> None:
    file, curves = tmp_path / "metrics.jsonl", Curves()
    assert curves.read("job", "score", [file]) == []
    file.write_text(
        line(1) + line(7, "other") + "what an agent left that was killed\n" + line(float("nan")) + line(2)[:9]
    )
    assert curves.read("job", "score", [file]) == [1.0]
    with file.open("a") as stream:
        stream.write(line(2)[9:] + line(3))
    assert curves.read("job", "score", [file]) == [1.0, 2.0, 3.0]
    assert curves.read("job", "score", [file]) == [1.0, 2.0, 3.0]
    assert curves.averages("job").at(2) == 1.5


def test_the_hosts_of_a_job_report_together(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "two")]
    for number, file in enumerate(files):
        file.write_text(line(number))
    curves = Curves()
    assert curves.read("job", "score", files) == [0.0, 1.0]
    curves.forget(["job", "unknown"])
    assert not curves.has("job")
    assert curves.read("job", "score", files[1:]) == [1.0]
