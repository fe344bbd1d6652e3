"""Script mode: what a training script is given, and what becomes of its failure."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
from pathlib import Path
from typing import Any

import pytest

from clary_runtimes.contract.folders import Folders
from clary_runtimes.contract.training import read_training_input
from clary_runtimes.frameworks.environment import command_arguments, script_environment
from clary_runtimes.frameworks.script import failure_reason

PROGRAM = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": '"s3://bucket/job/source/sourcedir.tar.gz"'}

SHOW = """
import json, os, sys
names = {name: value for name, value in os.environ.items() if name.startswith(("SM_", "SAGEMAKER_", "CURRENT_HOST"))}
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "seen.json"), "w") as file:
    json.dump({"arguments": sys.argv[1:], "variables": names, "folder": os.getcwd(), "path": sys.path}, file)
"""


def _code(root: Path, **files: str) -> None:
    for name, content in files.items():
        path = root / "code" / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_arguments_and_variables(sklearn: Any, ml_root: Path, datasets: Path) -> None:
    _code(ml_root, train__py=SHOW)
    job = sklearn.job(ml_root).channel("train", datasets / "iris-train.csv").channel("eval-data", "1,2\n")
    given = {
        "n-estimators": "10",
        "name": '"abc"',
        "flag": "true",
        "x": "0.5",
        "plain": "text",
        "grid": '{"a": 1, "b": 2}',
    }
    log = job.succeed({**given, **PROGRAM, "sagemaker_region": '"eu-west-1"', "sagemaker_job_name": '"job-1"'})
    assert "Reporting training SUCCESS" in log
    seen = json.loads((ml_root / "output" / "data" / "seen.json").read_text())
    assert seen["arguments"] == [
        "--flag", "True", "--grid", "a=1,b=2", "--n-estimators", "10", "--name", "abc", "--plain", "text", "-x", "0.5",
    ]  # fmt: skip
    assert seen["folder"] == str(ml_root / "code")
    variables = seen["variables"]
    assert variables["SM_MODEL_DIR"] == str(ml_root / "model")
    assert variables["SM_CHANNELS"] == '["eval-data","train"]'
    assert variables["SM_CHANNEL_TRAIN"] == str(ml_root / "input" / "data" / "train")
    assert variables["SM_CHANNEL_EVAL-DATA"] == str(ml_root / "input" / "data" / "eval-data")
    assert variables["SM_OUTPUT_DATA_DIR"] == str(ml_root / "output" / "data")
    assert json.loads(variables["SM_HPS"]) == {
        "n-estimators": 10, "name": "abc", "flag": True, "x": 0.5, "plain": "text", "grid": {"a": 1, "b": 2},
    }  # fmt: skip
    assert variables["SM_HP_NAME"] == "abc" and variables["SM_HP_FLAG"] == "true"
    assert json.loads(variables["SM_USER_ARGS"]) == seen["arguments"]
    assert (
        variables["SM_HOSTS"] == '["algo-1"]' and variables["SM_CURRENT_HOST"] == variables["CURRENT_HOST"] == "algo-1"
    )
    assert variables["SM_MODULE_NAME"] == "train" and variables["SM_USER_ENTRY_POINT"] == "train.py"
    assert int(variables["SM_NUM_CPUS"]) >= 1 and variables["SM_NUM_GPUS"].isdigit()
    assert variables["SAGEMAKER_REGION"] == "eu-west-1" and variables["SAGEMAKER_JOB_NAME"] == "job-1"
    environment = json.loads(variables["SM_TRAINING_ENV"])
    assert environment["hyperparameters"]["n-estimators"] == 10 and environment["model_dir"] == str(ml_root / "model")


def test_framework_parameters_stay_with_the_container(tmp_path: Path) -> None:
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True)
    given = {**PROGRAM, "sagemaker_mpi_enabled": "true", "sagemaker_container_log_level": "10", "epochs": "3"}
    (config / "hyperparameters.json").write_text(json.dumps(given))
    script = script_environment(read_training_input(Folders(tmp_path), {}), {})
    assert (script.program, script.arguments) == ("train.py", ["--epochs", "3"])
    assert script.variables["SM_FRAMEWORK_PARAMS"] == '{"sagemaker_mpi_enabled":true}'
    assert script.variables["SM_LOG_LEVEL"] == "10"
    assert (
        script_environment(read_training_input(Folders(tmp_path), {}), {"SAGEMAKER_PROGRAM": "x.py"}).program == "x.py"
    )


def test_values_without_text() -> None:
    assert command_arguments({"a": None, "list": [1, 2]}) == ["-a", "", "--list", "[1, 2]"]


def test_a_failing_script_leaves_its_traceback(sklearn: Any, ml_root: Path) -> None:
    _code(
        ml_root,
        train__py="import sys\nprint('before', file=sys.stderr)\ndef f():\n    raise ValueError('boom é')\nf()\n",
    )
    done = sklearn.job(ml_root).train({**PROGRAM, "epochs": "1"})
    assert done.status == 1
    command = "python3 train.py --epochs 1"
    assert done.failure.startswith(
        'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "Traceback (most recent call last):\n'
    )
    assert done.failure.endswith(f'ValueError: boom é"\nCommand "{command}"')
    assert "before" in done.log and "Reporting training FAILURE" in done.log


def test_a_script_that_says_nothing_but_a_status(sklearn: Any, ml_root: Path) -> None:
    _code(ml_root, train__py="import sys; print('no such file', file=sys.stderr); sys.exit(3)")
    done = sklearn.job(ml_root).train(PROGRAM)
    assert (done.status, done.failure.split("\nCommand")[0]) == (
        1,
        'ExecuteUserScriptError:\nExitCode 3\nErrorMessage "no such file"',
    )


def test_a_failure_file_of_the_script_is_kept(sklearn: Any, ml_root: Path) -> None:
    script = (
        "import os, sys\nopen(os.path.join(os.environ['SM_OUTPUT_DIR'], 'failure'), 'w').write('mine')\nsys.exit(1)"
    )
    _code(ml_root, train__py=script)
    assert sklearn.job(ml_root).train(PROGRAM).failure == "mine"


def test_long_tracebacks_fit_into_the_reason() -> None:
    reason = failure_reason(
        1, "Traceback (most recent call last):\n" + "x" * 5000 + "\nValueError: the end", "python " + "y" * 900
    )
    assert len(reason) <= 1000
    assert "Traceback (most recent call last):" in reason and 'ValueError: the end"\nCommand "python' in reason
    assert 'ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"' in failure_reason(-9, "", "python x.py")


def test_sigterm_reaches_the_script(sklearn: Any, ml_root: Path) -> None:
    _code(
        ml_root,
        train__py=(
            "import os, signal, sys, threading\n"
            "stopped = threading.Event()\n"
            "signal.signal(signal.SIGTERM, lambda *_: stopped.set())\n"
            "print('ready')\n"
            "while not stopped.wait(0.05): pass\n"
            "open(os.path.join(os.environ['SM_MODEL_DIR'], 'saved'), 'w').close()\n"
            "sys.exit(int(os.environ['SM_HP_STATUS']))\n"
        ),
    )
    for status in (0, 5):
        job = sklearn.job(ml_root)
        process = job.start({**PROGRAM, "status": str(status)})
        for line in process.stdout:
            if line == "ready\n":
                break
        process.send_signal(signal.SIGTERM)
        done = job.finish(process)
        assert (done.status, done.failure) == (status, "")
        assert (ml_root / "model" / "saved").exists()


def test_a_shell_script(sklearn: Any, ml_root: Path) -> None:
    _code(ml_root, **{"train.sh": '#!/bin/sh\necho "$@" > "$SM_MODEL_DIR/seen"\n'})
    sklearn.job(ml_root).succeed({"sagemaker_program": "train.sh", "name": "two words; and more"})
    assert (ml_root / "model" / "seen").read_text() == "--name two words; and more\n"
    assert os.access(ml_root / "code" / "train.sh", os.X_OK)


def test_a_package(sklearn: Any, ml_root: Path) -> None:
    _code(
        ml_root,
        **{
            "setup.py": "",
            "pkg/__init__.py": "",
            "pkg/main.py": "import os\nfrom pkg import side\n",
            "pkg/side.py": SHOW,
        },
    )
    sklearn.job(ml_root).succeed({"sagemaker_program": "pkg/main.py"})
    assert json.loads((ml_root / "output" / "data" / "seen.json").read_text())["arguments"] == []


def test_source_in_a_channel_is_unpacked(sklearn: Any, ml_root: Path) -> None:
    def archive(name: str) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            entry = tarfile.TarInfo(name)
            entry.size = len(SHOW)
            tar.addfile(entry, io.BytesIO(SHOW.encode()))
        return stream.getvalue()

    place = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz"}
    job = sklearn.job(ml_root / "a").channel("code", archive("train.py"), file="sourcedir.tar.gz")
    job.succeed(place)
    assert (ml_root / "a" / "output" / "data" / "seen.json").exists()
    job = sklearn.job(ml_root / "b").channel("code", archive("../../escaped.py"), file="sourcedir.tar.gz")
    done = job.train(place)
    assert done.status == 2 and "cannot be unpacked" in done.failure
    assert not list(ml_root.rglob("escaped.py"))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "Hyperparameter sagemaker_program is not set"),
        (PROGRAM, "There is no source code: s3://bucket/job/source/sourcedir.tar.gz"),
        (
            {"sagemaker_program": "other.py", "sagemaker_submit_directory": "/opt/ml/input"},
            "other.py is not in the source folder",
        ),
    ],
)
def test_missing_code_is_named(sklearn: Any, ml_root: Path, given: dict[str, str], reason: str) -> None:
    done = sklearn.job(ml_root).train(given)
    assert done.status == 2 and reason in done.failure


def test_the_xgboost_image_runs_scripts_too(xgboost: Any, ml_root: Path) -> None:
    _code(ml_root, train__py=SHOW)
    xgboost.job(ml_root).succeed({**PROGRAM, "num_round": "-7"})
    assert json.loads((ml_root / "output" / "data" / "seen.json").read_text())["arguments"] == ["--num_round", "-7"]
