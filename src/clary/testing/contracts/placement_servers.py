"""What every placement does with jobs that are servers. Part of ``PlacementContract``."""

from __future__ import annotations

import os
import signal
import textwrap

import pytest

from clary.compute.spec import Limits
from clary.testing.contracts.jobs import SERVER, Jobs, ask, end, names
from clary.testing.contracts.waiting import wait_for, wait_for_end


class ServersContract:
    """The suite."""

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
