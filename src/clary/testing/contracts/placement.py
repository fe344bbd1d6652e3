"""What every placement does, whatever the isolation.

A test module derives from ``PlacementContract`` and provides the fixtures ``placement``, ``isolation`` (the name of
one), ``image`` (an
``ImageSpec`` with a Python) and ``store``: an S3 endpoint with ``url``, ``ticket``, ``put(bucket, key, data)``,
``get(bucket, key)`` and
``keys(bucket)``.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from clary.compute.placement.base import Placement, StaleAttempt
from clary.compute.spec import ImageSpec, JobSpec, Limits, MetricDefinition, Output
from clary.testing.contracts.jobs import Jobs, Store, alive, commands_with, end, names
from clary.testing.contracts.placement_data import DataContract
from clary.testing.contracts.placement_servers import ServersContract
from clary.testing.contracts.waiting import log_text, wait_for, wait_for_end


class PlacementContract(DataContract, ServersContract):
    """The suite."""

    @pytest.fixture
    def jobs(self, placement: Placement, isolation: str, image: ImageSpec, store: Store) -> Any:
        yield Jobs(placement, isolation, image, store)
        for id in placement.list():
            placement.remove(id)

    def test_a_job_runs_and_says_so(self, jobs: Jobs) -> None:
        seen = jobs.run(
            "print('hello'); import os; print(os.environ['GREETING'])", environment={"GREETING": "good day"}
        )
        assert names(seen) == ["starting", "running", "completed"]
        assert end(seen)["exit_code"] == 0
        assert log_text(jobs.placement, seen.id).splitlines()[-2:] == ["hello", "good day"]
        wait_for(lambda: not jobs.placement.observe(seen.id).alive)

    def test_an_unknown_job_is_not_alive(self, jobs: Jobs) -> None:
        seen = jobs.placement.observe("never-launched")
        assert (seen.alive, seen.started, seen.events) == (False, False, ())

    def test_the_end_of_a_traceback_is_the_reason(self, jobs: Jobs) -> None:
        seen = jobs.run("raise ValueError('no such thing')")
        assert end(seen)["event"] == "failed"
        assert end(seen)["reason"] == "algorithm"
        assert end(seen)["exit_code"] == 1
        assert end(seen)["message"] == "AlgorithmError: ValueError: no such thing, exit code: 1"

    def test_the_failure_file_is_the_reason(self, jobs: Jobs) -> None:
        seen = jobs.run(
            "import os, sys; open(os.environ['CLARY_ML_ROOT'] + '/output/failure', 'w').write('x' * 2000); sys.exit(3)"
        )
        assert end(seen)["message"] == f"AlgorithmError: {'x' * 1024}, exit code: 3"

    def test_an_unknown_program_is_the_callers_fault(self, jobs: Jobs) -> None:
        spec = jobs.python("")
        seen_spec = JobSpec.from_json(spec.to_json().replace('"python3"', '"no-such-program"'))
        jobs.start(seen_spec)
        seen = wait_for_end(jobs.placement, spec.id)
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")
        assert "cannot be started" in end(seen)["message"]

    def test_a_script_that_asks_for_packages_gets_them(self, jobs: Jobs) -> None:
        files = {"code/requirements.txt": "# two\ntoolz\n"}
        seen = jobs.run("import toolz; print(toolz.__file__)", files=files, requirements="requirements.txt")
        assert end(seen)["event"] == "completed", end(seen)
        assert "/toolz/" in log_text(jobs.placement, seen.id)
        seen = jobs.run("", files={"code/requirements.txt": "-r /etc/passwd"}, requirements="requirements.txt")
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")
        assert end(jobs.run("", requirements="requirements.txt"))["event"] == "completed"

    def test_launching_again_changes_nothing(self, jobs: Jobs) -> None:
        spec = jobs.start(jobs.python("print('once')"))
        jobs.start(spec)
        wait_for_end(jobs.placement, spec.id)
        jobs.start(spec)
        wait_for(lambda: not jobs.placement.observe(spec.id).alive)
        assert log_text(jobs.placement, spec.id).count("once") == 1
        assert jobs.placement.list() == [spec.id]

    def test_a_stop_reaches_the_users_process_and_the_model_is_kept(self, jobs: Jobs) -> None:
        spec = jobs.start(
            jobs.python(
                """
                import os, signal, sys, time
                def save(*_):
                    open(os.environ['CLARY_ML_ROOT'] + '/model/m', 'w').write('so far'); print('saved'); sys.exit(0)
                signal.signal(signal.SIGTERM, save)
                print('ready')
                while True: time.sleep(60)
                """,
                outputs=[Output("model", "s3://stopped/model.tar.gz", archive=True)],
            )
        )
        jobs.says(spec.id, "ready")
        jobs.placement.stop(spec.id)
        seen = wait_for_end(jobs.placement, spec.id, 5)
        assert (end(seen)["event"], end(seen)["reason"], end(seen)["exit_code"]) == ("stopped", "stopped", 0)
        assert "saved" in log_text(jobs.placement, spec.id)
        assert jobs.store.keys("stopped") == ["model.tar.gz"]

    def test_a_process_that_ignores_the_stop_is_killed(self, jobs: Jobs) -> None:
        code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(600)"
        spec = jobs.start(jobs.python(code, limits=Limits(grace_s=0.2)))
        jobs.says(spec.id, "ready")
        jobs.placement.stop(spec.id)
        seen = wait_for_end(jobs.placement, spec.id, 5)
        assert (end(seen)["event"], end(seen)["exit_code"]) == ("stopped", 137)

    def test_a_job_has_only_its_time(self, jobs: Jobs) -> None:
        seen = jobs.run("import time; time.sleep(600)", limits=Limits(max_runtime_s=0.3, grace_s=0.2))
        assert (end(seen)["event"], end(seen)["reason"]) == ("stopped", "timeout")
        assert end(seen)["message"].startswith("MaxRuntimeExceeded")

    def test_the_limit_that_came_first_is_the_one_told(self, jobs: Jobs) -> None:
        # All of them have passed when the agent looks for the first time, as on a machine that stood still.
        limits = Limits(max_runtime_s=0.0, interrupt_s=0.0, ends_at=time.time() - 100, grace_s=0.2)
        assert end(jobs.run("import time; time.sleep(600)", limits=limits))["reason"] == "wait"

    def test_a_job_has_only_its_memory(self, jobs: Jobs) -> None:
        code = "x = bytearray(400 << 20); x[::4096] = b'x' * len(x[::4096]); import time; time.sleep(600)"
        seen = jobs.run(code, limits=Limits(memory_bytes=200 << 20))
        assert (end(seen)["event"], end(seen)["reason"], end(seen)["exit_code"]) == ("failed", "algorithm", 137)
        assert "memory" in end(seen)["message"]

    def test_a_killed_agent_takes_its_job_along(self, jobs: Jobs) -> None:
        code = "import os, sys, time; print('ready', flush=True); time.sleep(600)"
        spec = jobs.start(jobs.python(code))
        jobs.says(spec.id, "ready")
        running = jobs.placement.observe(spec.id).latest("running")
        assert running is not None
        process = int(running["pid"])
        os.kill(self.agent(jobs, spec.id), signal.SIGKILL)
        wait_for(lambda: jobs.placement.observe(spec.id).lost, what="the loss of the agent")
        wait_for(lambda: not alive(process), what="the end of the process")
        again = JobSpec.from_json(
            spec.to_json().replace('"attempt":1', '"attempt":2').replace("time.sleep(600)", "print('again')")
        )
        jobs.start(again)
        seen = wait_for_end(jobs.placement, spec.id)
        assert (seen.attempt, end(seen)["event"]) == (2, "completed")
        assert "again" in log_text(jobs.placement, spec.id)
        with pytest.raises(StaleAttempt):
            jobs.start(spec)

    def test_what_a_job_leaves_behind_dies_with_it(self, jobs: Jobs) -> None:
        seen = jobs.run(
            """
            import subprocess, sys
            child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', 'left-behind-by-a-job'],
            start_new_session=True)
            """
        )
        assert end(seen)["event"] == "completed"
        wait_for(lambda: not commands_with("left-behind-by-a-job"), what="the end of the leftover")

    def test_metrics_are_read_from_the_log(self, jobs: Jobs) -> None:
        seen = jobs.run(
            (
                "print('[1]#011train-rmse:0.5'); print('[2] train-rmse:2.5e-1 loss=nan-ish'); print('bad'); print('a'"
                " * 50 + '!')"
            ),
            metrics=[
                MetricDefinition("train:rmse", r"train-rmse:([0-9.eE+-]+)"),
                MetricDefinition("broken", "("),
                MetricDefinition("text", "loss=(nan.*)"),
            ],
        )
        assert end(seen)["event"] == "completed"
        lines = jobs.placement.metrics(seen.id).read_text().splitlines()
        assert [line.partition(', "time"')[0] for line in lines] == [
            '{"name": "train:rmse", "value": 0.5',
            '{"name": "train:rmse", "value": 0.25',
        ]
        assert "'broken' is not read" in log_text(jobs.placement, seen.id)

    def test_what_a_job_uses_is_told(self, jobs: Jobs) -> None:
        seen = jobs.run(
            """
            import os, time
            held = bytearray(os.urandom(1 << 20)) * 100
            with open(os.environ['CLARY_ML_ROOT'] + '/model/m', 'wb') as file:
                file.write(held)
                os.fsync(file.fileno())
            while time.process_time() < 2: pass
            """,
            limits=Limits(memory_bytes=1 << 30, disk_bytes=1 << 30),
        )
        assert end(seen)["event"] == "completed", log_text(jobs.placement, seen.id)
        minutes = jobs.placement.usage(seen.id)
        assert minutes and all(minute % 60 == 0 and abs(time.time() - minute) < 600 for minute in minutes)
        assert 1 < max(values["CPUUtilization"] for values in minutes.values()) < 200
        for name in ("MemoryUtilization", "DiskUtilization"):
            assert 9.5 < max(values[name] for values in minutes.values()) < 20
        jobs.placement.remove(seen.id, keep_log=True)
        assert jobs.placement.usage(seen.id) == jobs.placement.usage("never-launched") == {}

    def test_what_a_job_uses_while_it_is_being_stopped_counts(self, jobs: Jobs) -> None:
        code = """
            import signal, sys, time
            def save(*_):
                while time.process_time() < 3: pass
                sys.exit()
            signal.signal(signal.SIGTERM, save)
            print('ready', flush=True)
            signal.pause()
        """
        spec = jobs.start(jobs.python(code))
        jobs.says(spec.id, "ready")
        jobs.placement.stop(spec.id)
        assert end(wait_for_end(jobs.placement, spec.id))["event"] == "stopped"
        assert max(values["CPUUtilization"] for values in jobs.placement.usage(spec.id).values()) > 10

    def test_any_bytes_can_be_logged(self, jobs: Jobs) -> None:
        seen = jobs.run(
            "import sys; w = sys.stdout.buffer.write; w(b'\\xff\\xfe bad\\n'); w(b'10%\\r20%\\r\\n'); w(b'y' *"
            " 600000 + b'\\n'); w(b'no end')"
        )
        lines = log_text(jobs.placement, seen.id).splitlines()
        assert "�� bad" in lines
        assert lines[-1] == "no end"
        assert [line for line in lines if line.endswith("%")] == ["10%", "20%"]
        assert [len(line) for line in lines if line.startswith("yyy")] == [262144, 262144, 75712]

    def test_removal_leaves_nothing_or_the_log(self, jobs: Jobs) -> None:
        first = jobs.start(jobs.python("import time; print('ready', flush=True); time.sleep(600)"))
        second = jobs.run("print('kept')")
        jobs.says(first.id, "ready")
        running = jobs.placement.observe(first.id).latest("running")
        jobs.placement.remove(first.id)
        jobs.placement.remove(second.id, keep_log=True)
        assert jobs.placement.list() == []
        assert not jobs.placement.log(first.id).exists()
        assert "kept" in log_text(jobs.placement, second.id)
        assert running is not None
        wait_for(lambda: not alive(int(running["pid"])))
        jobs.placement.remove("never-launched")

    def agent(self, jobs: Jobs, id: str) -> int:
        """The pid of the job's agent; a placement on another machine overrides this."""
        return int((jobs.placement.log(id).parent / "lock").read_text().split()[0])
