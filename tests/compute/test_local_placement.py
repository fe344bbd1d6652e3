"""The local placement, with each isolation."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from clary.compute.isolation.select import ISOLATIONS, availability
from clary.compute.placement.local import LocalPlacement
from clary.compute.spec import ImageSpec, Input, JobSpec, SpecError
from clary.core.settings import Settings
from clary.testing.contracts.isolation import IsolationContract
from clary.testing.contracts.jobs import SERVER, Jobs, Store, ask, end
from clary.testing.contracts.placement import PlacementContract
from clary.testing.contracts.waiting import log_text, wait_for, wait_for_end


@pytest.fixture(params=list(ISOLATIONS))
def isolation(request: pytest.FixtureRequest) -> str:
    works, remedy = availability(request.param)
    if not works:
        pytest.skip(remedy)
    return str(request.param)


class TestPlacement(PlacementContract):
    pass


class TestIsolation(IsolationContract):
    pass


class TestLocal:
    @pytest.fixture
    def jobs(self, placement: LocalPlacement, image: ImageSpec, store: Store) -> Jobs:
        return Jobs(placement, "plain", image, store)

    def test_agents_outlive_who_launched_them(self, jobs: Jobs, settings: Settings) -> None:
        spec = jobs.python("import time; print('ready', flush=True); time.sleep(600)")
        code = (
            "import sys; from pathlib import Path; from clary.core.settings import Settings; from"
            " clary.compute.spec import JobSpec;"
            "from clary.compute.placement.local import LocalPlacement;"
            "LocalPlacement(Settings(Path(sys.argv[1]), Path(sys.argv[2]))).launch(JobSpec.from_json(sys.argv[3]),"
            " 'ticket')"
        )
        subprocess.run(
            [sys.executable, "-c", code, settings.home, settings.cache, spec.to_json()],
            check=True,
            start_new_session=True,
        )
        jobs.says(spec.id, "ready")
        assert jobs.placement.observe(spec.id).alive
        jobs.placement.remove(spec.id)

    def test_events_wake_the_control_plane(self, jobs: Jobs, settings: Settings) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
            wake.bind(str(settings.wake_socket("control")))
            wake.settimeout(10)
            seen = jobs.run("")
            assert [wake.recv(300).decode() for _ in seen.events] == [seen.id] * 3

    def test_files_are_private(self, jobs: Jobs, placement: LocalPlacement) -> None:
        seen = jobs.run("import os; assert os.getppid() > 1; print('x:1')")
        folder = placement.folder(seen.id)
        for name in ("ticket", "spec.json", "log", "events.jsonl"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert jobs.store.ticket not in (folder / "spec.json").read_text() + (folder / "log").read_text()

    def test_the_disk_may_be_full(self, tmp_path: Path, image: ImageSpec, store: Store) -> None:
        home = tmp_path / "small"
        home.mkdir()
        if (
            os.geteuid()
            or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", home], check=False).returncode
        ):
            pytest.skip("a small file system needs root")
        try:
            placement = LocalPlacement(Settings(home=home, cache=tmp_path))
            store.put("bucket", "in/large", b"x" * (8 << 20))
            jobs = Jobs(placement, "plain", image, store)
            seen = jobs.run("", inputs=[Input("input/data/train", "s3://bucket/in/")])
            assert end(seen)["event"] == "failed"
            assert "No space left on device" in end(seen)["message"]
            wait_for(lambda: not placement.observe(seen.id).alive)
        finally:
            subprocess.run(["umount", home], check=True)

    def test_long_homes_have_servers_too(self, tmp_path: Path, image: ImageSpec, store: Store, isolation: str) -> None:
        home = tmp_path / ("h" * 100)
        placement = LocalPlacement(Settings(home=home, cache=tmp_path))
        jobs = Jobs(placement, isolation, image, store)
        spec = jobs.start(jobs.python(SERVER, "unix", kind="server"))
        address = wait_for(lambda: placement.observe(spec.id).address)
        assert ask(address or "") == 200
        placement.remove(spec.id)
        assert not Path((address or "")[5:]).parent.exists()

    def test_an_agent_that_never_began_is_started_again(self, jobs: Jobs, placement: LocalPlacement) -> None:
        spec = jobs.python("print('begun')")
        folder = placement.folder(spec.id)
        folder.mkdir(mode=0o700)
        (folder / "spec.json").write_text(spec.to_json())
        seen = placement.observe(spec.id)
        assert not seen.started
        assert not seen.lost
        jobs.start(spec)
        wait_for_end(placement, spec.id)
        assert "begun" in log_text(placement, spec.id)

    @pytest.mark.parametrize("id", ["", "..", "a/b", "-a", ".a", "a" * 201, "ü"])
    def test_ids_are_folder_names(self, placement: LocalPlacement, id: str) -> None:
        with pytest.raises(SpecError):
            placement.folder(id)
        with pytest.raises(SpecError):
            JobSpec(id, ImageSpec("x"))
