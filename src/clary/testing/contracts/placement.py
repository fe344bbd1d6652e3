"""What every placement does, whatever the isolation.

A test module derives from ``PlacementContract`` and provides the fixtures ``placement``, ``isolation`` (the name of
one), ``image`` (an
``ImageSpec`` with a Python) and ``store``: an S3 endpoint with ``url``, ``ticket``, ``put(bucket, key, data)``,
``get(bucket, key)`` and
``keys(bucket)``.
"""

from __future__ import annotations

import io
import os
import signal
import tarfile
import textwrap
import time
import uuid
from pathlib import Path
from typing import Any, Protocol

import pytest

from clary.compute.placement.base import Observation, Placement, StaleAttempt
from clary.compute.spec import ImageSpec, Input, JobSpec, Limits, MetricDefinition, Output
from clary.testing.contracts.waiting import log_text, wait_for, wait_for_end

SERVER = """
import http.server, os, socket, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self): return "client"
    def do_GET(self):
        self.send_response(200); self.send_header("content-length", "2"); self.end_headers(); self.wfile.write(b"ok")
class Unix(socketserver.ThreadingUnixStreamServer): pass
if sys.argv[1] == "unix":
    server = Unix(os.environ["CLARY_SERVE_SOCKET"], Handler)
else:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler)
print("server process", os.getpid(), flush=True)
server.serve_forever()
"""


class Store(Protocol):
    """The S3 endpoint of a suite."""

    url: str
    ticket: str

    def put(self, bucket: str, key: str, data: bytes) -> None: ...
    def get(self, bucket: str, key: str) -> bytes: ...
    def keys(self, bucket: str) -> list[str]: ...


class Jobs:
    """Launches jobs of one combination."""

    def __init__(self, placement: Placement, isolation: str, image: ImageSpec, store: Store) -> None:
        self.placement = placement
        self.isolation = isolation
        self.image = image
        self.store = store

    def python(self, code: str, *words: str, **fields: Any) -> JobSpec:
        """A job that runs Python code."""
        fields.setdefault("id", f"job-{uuid.uuid4().hex[:12]}")
        fields.setdefault("limits", Limits(grace_s=10, retry_s=10))
        command = ["python3", "-c", textwrap.dedent(code), *words]
        return JobSpec(
            image=self.image,
            command=command,
            isolation=self.isolation,
            endpoint_url=self.store.url,
            role_arn="arn:aws:iam::123456789012:role/TestRole",
            **fields,
        )

    def run(self, code: str, *words: str, **fields: Any) -> Observation:
        """Run Python code to its end."""
        spec = self.python(code, *words, **fields)
        self.placement.launch(spec, self.store.ticket)
        return wait_for_end(self.placement, spec.id)

    def start(self, spec: JobSpec) -> JobSpec:
        """Launch a job and return it."""
        self.placement.launch(spec, self.store.ticket)
        return spec

    def says(self, id: str, text: str) -> None:
        """Wait until the job's log holds ``text``."""
        log = self.placement.log(id)
        wait_for(lambda: log.exists() and text in log.read_text("utf-8"), what=f"{text!r} in the log")


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def names(seen: Observation) -> list[str]:
    """The names of the events."""
    return [str(each["event"]) for each in seen.events]


def end(seen: Observation) -> Any:
    """The last event."""
    assert seen.terminal is not None
    return seen.terminal


class PlacementContract:
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

    def test_continuous_outputs_are_there_before_the_end(self, jobs: Jobs) -> None:
        code = """
            import os, time
            open(os.environ['CLARY_ML_ROOT'] + '/checkpoints/step-1', 'w').write('1')
            print('ready', flush=True); time.sleep(600)
            """
        output = Output("checkpoints", "s3://checkpoints/run/", when="always", continuous=True)
        spec = jobs.start(jobs.python(code, outputs=[output], limits=Limits(sync_s=0.1)))
        jobs.says(spec.id, "ready")
        wait_for(lambda: jobs.store.keys("checkpoints") == ["run/step-1"], what="the checkpoint")
        assert jobs.placement.observe(spec.id).terminal is None

    def test_launching_again_changes_nothing(self, jobs: Jobs) -> None:
        spec = jobs.start(jobs.python("print('once')"))
        jobs.start(spec)
        wait_for_end(jobs.placement, spec.id)
        jobs.start(spec)
        wait_for(lambda: not jobs.placement.observe(spec.id).alive)
        assert log_text(jobs.placement, spec.id).count("once") == 1
        assert jobs.placement.list() == [spec.id]

    def test_files_and_inputs_come_in_and_outputs_go_out(self, jobs: Jobs) -> None:
        for key in ("data/train/a.csv", "data/train/deep/b.csv", "data/train/ünï çode+&.csv", "data/other.csv"):
            jobs.store.put("bucket", key, key.encode())
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            member = tarfile.TarInfo("pkg/train.py")
            member.size = 5
            tar.addfile(member, io.BytesIO(b"x = 1"))
        jobs.store.put("bucket", "code/sourcedir.tar.gz", archive.getvalue())
        seen = jobs.run(
            """
            import os, sys
            root = os.environ['CLARY_ML_ROOT']
            for folder, _, names in sorted(os.walk(sys.argv[1])):
                for name in sorted(names):
                    print(os.path.relpath(os.path.join(folder, name), sys.argv[1]), open(os.path.join(folder,
                    name)).read())
            assert open(root + '/code/pkg/train.py').read() == 'x = 1'
            assert open(root + '/input/config/hyperparameters.json').read() == '{"a": "1"}'
            open(root + '/model/model.bin', 'w').write('the model')
            open(root + '/output/data/scores.txt', 'w').write('1 2 3')
            """,
            "/opt/ml/input/data/train",
            files={"input/config/hyperparameters.json": '{"a": "1"}'},
            inputs=[
                Input("input/data/train", "s3://bucket/data/train"),
                Input("/opt/ml/code", "s3://bucket/code/sourcedir.tar.gz", kind="object", extract=True),
                Input("input/data/none", "s3://bucket/nothing/here", optional=True),
            ],
            outputs=[
                Output("model", "s3://bucket/out/model.tar.gz", archive=True),
                Output("output/data", "s3://bucket/out/data", when="always"),
            ],
        )
        assert end(seen)["event"] == "completed", end(seen)
        assert names(seen) == ["starting", "downloading", "downloaded", "running", "uploading", "uploaded", "completed"]
        log = log_text(jobs.placement, seen.id)
        for name in ("a.csv", "deep/b.csv", "ünï çode+&.csv"):
            assert f"{name} data/train/{name}" in log
        assert "other.csv" not in log
        assert jobs.store.get("bucket", "out/data/scores.txt") == b"1 2 3"
        with tarfile.open(fileobj=io.BytesIO(jobs.store.get("bucket", "out/model.tar.gz"))) as tar:
            assert tar.getnames() == ["model.bin"]

    def test_missing_data_is_the_callers_fault(self, jobs: Jobs) -> None:
        seen = jobs.run("", inputs=[Input("input/data/train", "s3://bucket/not/there/")])
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")
        assert 'No S3 objects found under S3 URL "s3://bucket/not/there/"' in end(seen)["message"]
        assert "TestRole" in end(seen)["message"]
        assert "running" not in names(seen)

    @pytest.mark.parametrize("key", ["in/../../../escaped", "in/a/../../b", "in/./c"])
    def test_keys_do_not_leave_their_folder(self, jobs: Jobs, key: str) -> None:
        jobs.store.put("keys", key, b"out")
        seen = jobs.run("", inputs=[Input("input/data/train", "s3://keys/in/")])
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")
        assert "rename the object" in end(seen)["message"]

    def test_archives_do_not_leave_their_folder(self, jobs: Jobs) -> None:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, "../../../.."
            tar.addfile(link)
            member = tarfile.TarInfo("link/escaped")
            tar.addfile(member, io.BytesIO(b""))
        jobs.store.put("bucket", "evil.tar.gz", archive.getvalue())
        seen = jobs.run("", inputs=[Input("code", "s3://bucket/evil.tar.gz", kind="object", extract=True)])
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")
        assert "cannot be unpacked" in end(seen)["message"]

    def test_links_out_of_the_job_are_not_uploaded(self, jobs: Jobs) -> None:
        seen = jobs.run(
            """
            import os
            os.chdir(os.environ['CLARY_ML_ROOT'] + '/output/data')
            open('own', 'w').write('own'); os.symlink('own', 'link'); os.symlink('/etc/passwd', 'stolen');
            os.mkfifo('pipe')
            """,
            outputs=[Output("output/data", "s3://links/out")],
        )
        assert end(seen)["event"] == "completed"
        assert jobs.store.keys("links") == ["out/link", "out/own"]
        assert "stolen is not uploaded" in log_text(jobs.placement, seen.id)

    def test_inputs_do_not_go_through_links(self, jobs: Jobs) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, "elsewhere"
            tar.addfile(link)
        jobs.store.put("bucket", "code.tar.gz", buffer.getvalue())
        jobs.store.put("bucket", "data/link/file", b"x")
        code = Input("code", "s3://bucket/code.tar.gz", kind="object", extract=True)
        for second in (Input("code/link", "s3://bucket/data/"), Input("code", "s3://bucket/data/")):
            seen = jobs.run("", inputs=[code, second])
            assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")
            assert "leads through a link" in end(seen)["message"]

    @pytest.mark.parametrize("archive", [True, False])
    def test_folders_that_became_links_are_not_uploaded(self, jobs: Jobs, archive: bool, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("secret")
        code = "import os, sys; m = os.environ['CLARY_ML_ROOT'] + '/model'; os.rmdir(m); os.symlink(sys.argv[1], m)"
        output = Output("model", "s3://bucket/out", archive=archive)
        seen = jobs.run(code, str(tmp_path), outputs=[output])
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")
        assert "model is a link out of the job's folders" in end(seen)["message"]
        assert not jobs.store.keys("bucket")

    def test_names_of_files_may_be_any_bytes(self, jobs: Jobs) -> None:
        code = """
            import os
            folder = os.environ['CLARY_ML_ROOT'] + '/model'
            os.mkfifo(os.fsencode(folder) + b'/pipe-\\xff')
            """
        for archive in (True, False):
            seen = jobs.run(code, outputs=[Output("model", "s3://bucket/out", archive=archive)])
            assert end(seen)["event"] == "completed", end(seen)
            assert "pipe-?" in log_text(jobs.placement, seen.id)

    @pytest.mark.parametrize("path", ["/", "../../etc", "x" * 300, "/" + "/".join(["y" * 100] * 4)])
    def test_outputs_that_no_folder_can_be_are_refused(self, jobs: Jobs, path: str) -> None:
        seen = jobs.run("", outputs=[Output(path, "s3://bucket/out")])
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")

    def test_after_a_failure_only_some_outputs_are_kept(self, jobs: Jobs) -> None:
        seen = jobs.run(
            (
                "import os, sys; [open(os.environ['CLARY_ML_ROOT'] + n, 'w').write('x') for n in ('/model/m',"
                " '/output/data/d')]; sys.exit(1)"
            ),
            outputs=[
                Output("model", "s3://failed/model.tar.gz", archive=True),
                Output("output/data", "s3://failed/output.tar.gz", archive=True, when="always"),
            ],
        )
        assert end(seen)["event"] == "failed"
        assert jobs.store.keys("failed") == ["output.tar.gz"]

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

    def test_a_volume_outlives_its_jobs(self, jobs: Jobs) -> None:
        count = """
            import os, pathlib, sys
            file = pathlib.Path(os.environ['KEPT']) / 'runs'
            runs = int(file.read_text()) + 1 if file.exists() else 1
            file.write_text(str(runs))
            print('run', runs, 'of', sys.argv[1] == os.environ['KEPT'])
        """
        volume = f"volume-{uuid.uuid4().hex[:12]}"

        def run(kept: str = volume) -> str:
            path = "/var/lib/kept"
            seen = jobs.run(count, path, volumes={path: kept}, environment={"KEPT": path})
            assert end(seen)["event"] == "completed", log_text(jobs.placement, seen.id)
            text = log_text(jobs.placement, seen.id)
            jobs.placement.remove(seen.id)
            return text

        assert "run 1 of True" in run()
        assert "run 2 of True" in run()
        assert "run 1 of" in run(f"{volume}-other")
        assert {volume, f"{volume}-other"} <= set(jobs.placement.volumes())
        for each in (volume, f"{volume}-other", f"{volume}-never"):
            jobs.placement.discard(each)
        assert not {volume, f"{volume}-other"} & set(jobs.placement.volumes())
        assert "run 1 of" in run()
        jobs.placement.discard(volume)

    def test_a_volume_is_filled_once_and_as_a_whole_and_can_be_fixed(self, jobs: Jobs) -> None:
        code = """
            import os, pathlib
            folder = pathlib.Path(os.environ['KEPT'])
            print('read', (folder / 'x').read_text())
            try:
                (folder / 'y').write_text('')
            except OSError as error:
                print('refused', error.errno)
        """
        volume, path = f"volume-{uuid.uuid4().hex[:12]}", "/var/lib/kept"

        def broken(folder: Path) -> None:
            (folder / "x").write_text("half")
            raise ValueError("no more")

        with pytest.raises(ValueError, match="no more"):
            jobs.placement.fill(volume, broken)
        assert list(jobs.placement.volumes()) == []
        for text in ("first", "second"):
            jobs.placement.fill(volume, lambda folder, text=text: _write(folder / "x", text))  # type: ignore[misc]
        seen = jobs.run(code, volumes={path: volume}, fixed=[path], environment={"KEPT": path})
        assert end(seen)["event"] == "completed", log_text(jobs.placement, seen.id)
        said = log_text(jobs.placement, seen.id)
        assert "read first" in said and ("refused 30" in said or jobs.isolation == "plain")
        jobs.placement.discard(volume)

    @pytest.mark.parametrize("way", ["unix", "tcp"])
    def test_a_server_serves_and_stops(self, jobs: Jobs, way: str) -> None:
        spec = jobs.start(jobs.python(SERVER, way, kind="server"))
        address = wait_for(lambda: jobs.placement.observe(spec.id).address, what="serving")
        assert address is not None
        assert way == "tcp" or address.startswith("unix:")
        assert ask(address) == 200
        jobs.placement.stop(spec.id)
        seen = wait_for_end(jobs.placement, spec.id)
        assert end(seen)["event"] == "stopped"
        assert seen.address is None

    def test_a_server_is_asked_where_it_answers(self, jobs: Jobs) -> None:
        elsewhere = SERVER.replace(
            "self.send_response(200)", "self.send_response(200 if self.path == '/well' else 404)"
        )
        spec = jobs.start(jobs.python(elsewhere, "unix", kind="server", health="/well"))
        wait_for(lambda: jobs.placement.observe(spec.id).address, what="serving")

    def test_a_dead_server_is_started_again(self, jobs: Jobs) -> None:
        spec = jobs.start(jobs.python(SERVER, "unix", kind="server"))
        wait_for(lambda: jobs.placement.observe(spec.id).address, what="serving")
        running = jobs.placement.observe(spec.id).latest("running")
        assert running is not None
        os.kill(int(running["pid"]), signal.SIGKILL)
        wait_for(lambda: "restarted" in names(jobs.placement.observe(spec.id)), what="the restart")
        address = wait_for(lambda: jobs.placement.observe(spec.id).address, what="serving again")
        assert ask(address or "") == 200

    def test_a_server_that_hangs_after_a_restart_is_started_again(self, jobs: Jobs) -> None:
        begin = """
            import os, pathlib, time
            starts = pathlib.Path(os.environ["CLARY_ML_ROOT"]) / "starts"
            count = starts.stat().st_size + 1 if starts.exists() else 1
            starts.write_text("x" * count)
            if count == 2:
                time.sleep(600)
            """
        limits = Limits(start_s=3, grace_s=0.2)
        spec = jobs.start(jobs.python(textwrap.dedent(begin) + SERVER, "unix", kind="server", limits=limits))
        wait_for(lambda: jobs.placement.observe(spec.id).address, what="serving")
        running = jobs.placement.observe(spec.id).latest("running")
        assert running is not None
        os.kill(int(running["pid"]), signal.SIGKILL)
        wait_for(lambda: names(jobs.placement.observe(spec.id)).count("restarted") == 2, what="the second restart")
        restarted = jobs.placement.observe(spec.id).latest("restarted")
        assert restarted is not None
        assert "did not answer /ping within 3 seconds" in restarted["message"]
        address = wait_for(lambda: jobs.placement.observe(spec.id).address, what="serving again")
        assert ask(address or "") == 200
        events = jobs.placement.observe(spec.id).events
        ended = [each["time"] for each in events if each["event"] == "restarted"]
        begun = [each["time"] for each in events if each["event"] == "running"]
        pauses = [after - before for before, after in zip(ended, begun[1:], strict=True)]
        assert pauses[1] > 1.5 * pauses[0] > 0.5, "the pauses grow"

    def test_a_server_that_never_gets_healthy_fails(self, jobs: Jobs) -> None:
        seen = jobs.run("import time; time.sleep(600)", kind="server", limits=Limits(start_s=0.3, grace_s=0.2))
        assert end(seen)["event"] == "failed"
        assert "did not pass the ping health check" in end(seen)["message"]
        seen = jobs.run("raise RuntimeError('no model')", kind="server")
        assert "RuntimeError: no model" in end(seen)["detail"]

    def agent(self, jobs: Jobs, id: str) -> int:
        """The pid of the job's agent; a placement on another machine overrides this."""
        return int((jobs.placement.log(id).parent / "lock").read_text().split()[0])


def alive(process: int) -> bool:
    """Whether the process runs: neither gone nor ended and not waited for."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def commands_with(text: str) -> list[int]:
    """Pids of running processes with ``text`` in their command."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:  # noqa: PTH123
                    if text.encode() in file.read():
                        found.append(int(name))
            except OSError:
                continue  # it ended
    return found


def ask(address: str, path: str = "/ping") -> int:
    """The status that a server answers with."""
    from clary.compute.agent.http import Connection

    connection = Connection(address if address.startswith("unix:") else f"http://{address[4:]}", 5)
    try:
        answer = connection.request("GET", path, {"connection": "close"})
        answer.read()
        return answer.status
    finally:
        connection.close()
