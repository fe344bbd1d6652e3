"""What every placement does with the data of jobs: inputs, outputs and volumes. Part of ``PlacementContract``."""

from __future__ import annotations

import io
import tarfile
import uuid
from pathlib import Path

import pytest

from clary.compute.spec import Input, Limits, Output
from clary.testing.contracts.jobs import Jobs, end, names
from clary.testing.contracts.waiting import log_text, wait_for


def _write(path: Path, text: str) -> None:
    path.write_text(text)


class DataContract:
    """The suite."""

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
