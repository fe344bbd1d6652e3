"""Standbys: a process that has imported everything becomes the next job's, and never two jobs'."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.compute.isolation.select import availability
from clary.compute.placement.local import LocalPlacement, _locked
from clary.compute.spec import ImageSpec, Input, JobSpec, Output
from clary.core.settings import Settings
from clary.testing.contracts.jobs import Jobs, end
from clary.testing.contracts.waiting import log_text, wait_for, wait_for_end

TELL = """
import json, os, sys
print(json.dumps([os.getpid(), "decimal" in sys.modules, sys.argv, os.environ.get("COLOUR", "")]))
"""


@pytest.fixture
def jobs(placement: LocalPlacement, image: ImageSpec, store: Any) -> Iterator[Jobs]:
    works, remedy = availability("bubblewrap")
    if not works:
        pytest.skip(remedy)
    yield Jobs(
        placement,
        "bubblewrap",
        ImageSpec(image.uri, python=image.python, paths=image.paths, preload=["decimal"]),
        store,
    )
    for id in placement.list():
        placement.remove(id)
    placement.retire_all()


def waiting(jobs: Jobs, pool: str = "pool-1", **fields: Any) -> Path:
    """The folder of a standby that has imported its modules."""
    jobs.placement.prepare(jobs.python("", pool=pool, **fields))
    [folder] = [each for each in (jobs.placement.standbys._root / pool).iterdir() if each.name != "cache"]
    wait_for(lambda: (folder / "ready").exists(), what="a standby that is ready")
    return folder


def log(jobs: Jobs, code: str, *words: str, **fields: Any) -> str:
    seen = jobs.run(code, *words, pool="pool-1", **fields)
    assert end(seen)["event"] == "completed", (end(seen), log_text(jobs.placement, seen.id))
    return log_text(jobs.placement, seen.id)


def test_a_job_is_run_by_the_process_that_waited(jobs: Jobs, store: Any) -> None:
    folder = waiting(jobs)
    store.put("bucket", "data/a", b"input")
    read = "import os; print(open('/opt/ml/input/data/train/a').read()); open('/opt/ml/model/m', 'w').write('model')"
    said = log(
        jobs,
        TELL + read,
        "one",
        "two",
        environment={"COLOUR": "blue"},
        inputs=[Input("input/data/train", "s3://bucket/data/")],
        outputs=[Output("model", "s3://bucket/model/")],
    )
    assert '[2, true, ["-c", "one", "two"], "blue"]' in said
    assert "input" in said
    assert store.get("bucket", "model/m") == b"model"
    assert not folder.exists()
    assert '[2, false, ["-c"], ""]' in log(jobs, TELL), "there was one standby, and it is used up"


def test_jobs_of_a_pool_share_a_cache_and_nothing_else(jobs: Jobs) -> None:
    cache = "/opt/ml/sagemaker/warmpoolcache/"
    for number in range(2):
        waiting(jobs)
        said = log(
            jobs,
            f"import os; print(os.listdir({cache!r}), os.listdir('/tmp'), os.listdir('/opt/ml/model'))\n"
            f"for name in ({cache!r}, '/tmp/', '/opt/ml/model/'): open(name + 'left', 'w')",
        )
        assert ("['left'] [] []" if number else "[] [] []") in said
    waiting(jobs)
    jobs.placement.retire("pool-1")
    waiting(jobs)
    assert "cached: []" in log(jobs, f"import os; print('cached:', os.listdir({cache!r}))")


@pytest.mark.parametrize(
    "other",
    [{"network": False}, {"hosts": ["algo-1", "algo-2"]}, {"role_arn": "arn:aws:iam::123456789012:role/Other"}],
    ids=lambda fields: next(iter(fields)),
)
def test_a_job_that_differs_is_started_anew(jobs: Jobs, other: dict[str, Any]) -> None:
    folder = waiting(jobs)
    spec = JobSpec(**{**vars(jobs.python(TELL, pool="pool-1")), **other})
    jobs.placement.launch(spec, jobs.store.ticket)
    wait_for_end(jobs.placement, spec.id)
    assert '[2, false, ["-c"], ""]' in log_text(jobs.placement, spec.id)
    assert not folder.exists()


def test_what_a_running_interpreter_cannot_be_is_executed(jobs: Jobs) -> None:
    waiting(jobs)
    assert "false" in log(jobs, TELL, environment={"PYTHONHASHSEED": "5"})
    waiting(jobs)
    spec = JobSpec(**{**vars(jobs.python("", pool="pool-1")), "command": ["/bin/sh", "-c", "echo shell $COLOUR"]})
    jobs.placement.launch(spec, jobs.store.ticket)
    wait_for_end(jobs.placement, spec.id)
    assert "shell" in log_text(jobs.placement, spec.id)


@pytest.mark.parametrize(
    ("code", "status", "shown"),
    [
        ("raise ValueError('no such colour')", 1, 'File "<string>", line 1, in <module>\nValueError: no such colour'),
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('why not')", 1, "why not"),
        ("colour =", 1, "SyntaxError: invalid syntax"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, ""),
    ],
)
def test_it_ends_as_an_interpreter_does(jobs: Jobs, code: str, status: int, shown: str) -> None:
    waiting(jobs)
    seen = jobs.run(code, pool="pool-1")
    assert end(seen)["exit_code"] == status
    lines = log_text(jobs.placement, seen.id)
    assert all(line in lines for line in shown.split("\n"))
    assert "clary_runtimes/standby.py" not in lines


def test_it_hears_sigterm(jobs: Jobs) -> None:
    waiting(jobs)
    spec = jobs.python(
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('ready');"
        " time.sleep(600)",
        pool="pool-1",
    )
    jobs.placement.launch(spec, jobs.store.ticket)
    jobs.says(spec.id, "ready")
    jobs.placement.stop(spec.id)
    assert end(wait_for_end(jobs.placement, spec.id))["event"] == "stopped"


def test_a_standby_that_died_costs_nothing(jobs: Jobs) -> None:
    folder = waiting(jobs)
    agent = int((folder / "lock").read_text().split()[0])
    os.kill(agent, signal.SIGKILL)
    wait_for(lambda: not _locked(folder), what="the end of the agent")
    assert "false" in log(jobs, TELL)


def test_a_process_that_died_is_replaced(jobs: Jobs) -> None:
    folder = waiting(jobs)
    os.killpg(int((folder / "process").read_text().split()[0]), signal.SIGKILL)
    assert "false" in log(jobs, TELL)


def test_standbys_end_with_who_made_them(jobs: Jobs, settings: Settings) -> None:
    folder = waiting(jobs, pool=f"pool-{uuid.uuid4().hex[:6]}")
    [standby] = jobs.placement.standbys._waiting.values()
    os.close(standby.pipe)  # as the end of this process would
    wait_for(lambda: not _locked(folder), what="the end of the agent")
    jobs.placement.standbys._waiting.clear()
    jobs.placement.retire_all()
    assert not folder.exists()


def test_one_that_is_not_ready_is_left_to_the_next_job(jobs: Jobs) -> None:
    folder = waiting(jobs)
    (folder / "ready").unlink()
    assert "false" in log(jobs, TELL)
    assert _locked(folder)
    (folder / "ready").touch()
    assert "true" in log(jobs, TELL)


def test_one_whose_process_cannot_start_is_none(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\necho no; exit 3\n")
    (tmp_path / "python").chmod(0o755)
    broken = JobSpec(
        **{**vars(jobs.python("", pool="pool-1")), "image": ImageSpec("x", python=str(tmp_path / "python"))}
    )
    jobs.placement.prepare(broken)
    [standby] = jobs.placement.standbys._waiting.values()
    wait_for(lambda: not _locked(standby.folder), what="the end of the agent")
    assert not (standby.folder / "ready").exists()


def test_there_is_one_a_pool(jobs: Jobs) -> None:
    folder = waiting(jobs)
    assert waiting(jobs) == folder
    other = waiting(jobs, network=False)
    assert other != folder
    assert not folder.exists()
