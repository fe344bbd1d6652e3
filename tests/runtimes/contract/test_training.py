"""Reading what a training job is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clary_runtimes.contract.errors import UserError, shorten, write_failure
from clary_runtimes.contract.folders import Folders, folders
from clary_runtimes.contract.machine import cpus, gpus
from clary_runtimes.contract.training import ContractError, read_training_input


def _write(root: Path, name: str, content: object) -> None:
    path = root / "input" / "config" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def test_without_any_file_there_is_one_host_and_no_input(tmp_path: Path) -> None:
    job = read_training_input(Folders(tmp_path), {"TRAINING_JOB_NAME": "job"})
    assert (job.name, job.hyperparameters, job.channels, job.checkpoints) == ("job", {}, {}, None)
    assert job.resources.hosts == ("algo-1",) and job.resources.is_leader


def test_configuration_files_are_read(tmp_path: Path) -> None:
    _write(tmp_path, "hyperparameters.json", {"a": "1", "b": 2, "c": '"x"'})
    _write(tmp_path, "inputdataconfig.json", {"train": {"ContentType": "text/csv", "TrainingInputMode": "FastFile"}})
    _write(tmp_path, "resourceconfig.json", {"current_host": "algo-2", "hosts": ["algo-2", "algo-1"]})
    _write(tmp_path, "checkpointconfig.json", {"LocalPath": "/opt/ml/checkpoints"})
    job = read_training_input(Folders(tmp_path), {})
    assert job.hyperparameters == {"a": "1", "b": "2", "c": '"x"'}
    train = job.channels["train"]
    assert (train.content_type, train.input_mode, train.distribution) == ("text/csv", "FastFile", "FullyReplicated")
    assert train.path == tmp_path / "input" / "data" / "train"
    assert job.resources.hosts == ("algo-1", "algo-2") and not job.resources.is_leader
    assert job.checkpoints == tmp_path / "checkpoints"
    with pytest.raises(UserError, match="Missing required channel: validation"):
        job.channel("validation")
    assert job.channel("validation", required=False) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("hyperparameters.json", "{", "hyperparameters.json is not JSON"),
        ("hyperparameters.json", [], "hyperparameters.json is not a JSON object"),
        ("inputdataconfig.json", {"train": 1}, "channel 'train' is not an object"),
        ("resourceconfig.json", {"current_host": "a", "hosts": []}, "'hosts' is not a list of names"),
        ("resourceconfig.json", {"current_host": "c", "hosts": ["a"]}, "'current_host' 'c' is not one of the hosts"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, content: object, message: str) -> None:
    _write(tmp_path, name, content)
    with pytest.raises(ContractError, match=message):
        read_training_input(Folders(tmp_path), {})


def test_data_files_are_sorted_and_hidden_ones_left_out(tmp_path: Path) -> None:
    _write(tmp_path, "inputdataconfig.json", {"train": {}})
    folder = tmp_path / "input" / "data" / "train"
    for name in ("b.csv", "a.csv", "sub/c.csv", "_SUCCESS", ".hidden", "_temporary/d.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    job = read_training_input(Folders(tmp_path), {})
    assert [str(file.relative_to(folder)) for file in job.channels["train"].files()] == ["a.csv", "b.csv", "sub/c.csv"]


def test_root_is_taken_from_the_environment() -> None:
    assert folders({}).root == Path("/opt/ml")
    where = folders({"CLARY_ML_ROOT": "/somewhere"})
    assert where.model == Path("/somewhere/model")
    assert where.resolve("/opt/ml/model/code") == Path("/somewhere/model/code")
    assert where.resolve("file:///opt/ml/code") == Path("/somewhere/code")
    assert where.resolve("/opt/mlx") == Path("/opt/mlx")


def test_a_failure_that_the_script_wrote_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "output" / "failure"
    write_failure(path, "first")
    write_failure(path, "second")
    assert path.read_text() == "first"


def test_long_reasons_lose_their_middle() -> None:
    text = "begin" + "x" * 2000 + "end"
    short = shorten(text, 100)
    assert len(short) == 100 and short.startswith("begin") and short.endswith("end")
    assert shorten("short", 100) == "short"


def test_machine() -> None:
    assert cpus() >= 1
    assert gpus({"CUDA_VISIBLE_DEVICES": ""}) == 0
    assert gpus({"CUDA_VISIBLE_DEVICES": "0,2"}) == 2
