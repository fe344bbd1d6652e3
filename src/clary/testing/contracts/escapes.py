"""What an attacker's job would try against the platform and the machine, tried in real jobs of every sandbox.

Needs the same fixtures as ``PlacementContract``, and ``settings`` of the installation. Every attack ends by itself
where nothing holds it back: it takes no more than a small multiple of what it is allowed.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.compute.isolation import seccomp
from clary.compute.isolation.limits import CONTROLLERS
from clary.compute.isolation.select import groups, options
from clary.compute.placement.base import Placement
from clary.compute.spec import ImageSpec, Input, JobSpec, Limits, Output
from clary.core.settings import Settings
from clary.testing.contracts.jobs import SERVER, Jobs, Store, end
from clary.testing.contracts.waiting import log_text, wait_for

MIB = 1 << 20
SECRET = "the administrator's secret"
PROBES = Path(__file__).with_name("probes.py").read_text("utf-8")
"""The attacks on what is around a job; run with what there is to be found, it prints what it got hold of."""


class Alone(Jobs):
    """Launches jobs without a network: what is done in one is the network's own suite's subject."""

    def python(self, code: str, *words: str, **fields: Any) -> JobSpec:
        return super().python(code, *words, network=False, **fields)


class EscapeContract:
    """The suite."""

    @pytest.fixture
    def jobs(self, placement: Placement, isolation: str, image: ImageSpec, store: Store) -> Iterator[Jobs]:
        yield Alone(placement, isolation, image, store)
        for id in placement.list():
            placement.remove(id)

    @pytest.fixture
    def around(self, jobs: Jobs, settings: Settings) -> Iterator[list[str]]:
        """What is on the machine besides a job, as arguments of the probes: another process, a file with a secret,
        the folder of another job, sockets, and a segment of shared memory."""
        secret = settings.secrets / "administrator.json"
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text(SECRET)
        other = jobs.run("import os; open(os.environ['CLARY_ML_ROOT'] + '/model/m', 'w').write('theirs')")
        address = settings.home / "s"
        library = ctypes.CDLL(None)
        key = 0x5EC0_0000 | os.getpid() & 0xFFFF
        segment = library.shmget(key, 4096, 0o1600)
        command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        with (
            subprocess.Popen(command, stdin=subprocess.PIPE, env={"SECRET": SECRET}) as process,
            socket.socket(socket.AF_UNIX) as named,
            socket.socket(socket.AF_UNIX) as abstract,
        ):
            named.bind(str(address))
            named.listen()
            abstract.bind(f"\0clary-{os.getpid()}")
            abstract.listen()
            folder = jobs.placement.log(other.id).parent
            yield [
                f"process={process.pid}",
                f"file={secret}",
                f"file={folder / 'ticket'}",
                f"file={folder / 'ml' / 'model' / 'm'}",
                f"socket={address}",
                f"abstract=clary-{os.getpid()}",
                f"shared={key}",
            ]
            process.kill()
        library.shmctl(segment, 0, None)

    def test_nothing_around_a_job_is_reached(self, jobs: Jobs, around: list[str]) -> None:
        seen = jobs.run(PROBES, "inside", *around)
        assert end(seen)["event"] == "completed", (end(seen), log_text(jobs.placement, seen.id))
        got = [line for line in log_text(jobs.placement, seen.id).splitlines() if line.startswith("got ")]
        if not seccomp.program():
            got = [line for line in got if not line.startswith("got call ")]
        if not options(jobs.isolation):
            got = [line for line in got if "namespace" not in line]
        assert got == [], got

    def test_the_probes_find_something_where_nothing_is_hidden(self, around: list[str], tmp_path: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-c", PROBES, *around],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            cwd=tmp_path,
        )
        for what in ("process", "file", "socket", "abstract", "shared", "environment"):
            assert f"got {what}" in done.stdout, (what, done.stdout, done.stderr)

    @pytest.mark.parametrize("way", ["process", "processes", "file", "nameless"])
    def test_a_memory_bomb_ends_its_job_alone(self, jobs: Jobs, way: str) -> None:
        bomb = {
            "process": "x = [bytearray(b'x' * (8 << 20)) for _ in range(40)]",
            "processes": """
                import os
                made = [os.fork() for _ in range(3)]
                x = bytearray(b'x' * (40 << 20))
                if all(made):
                    for each in made: assert os.waitpid(each, 0)[1] == 0, 'a process was ended'
                """,
            "file": "open('/dev/shm/x', 'wb').write(bytes(320 << 20))",
            "nameless": "import os; f = os.memfd_create('x')\nfor _ in range(40): os.write(f, bytes(8 << 20))",
        }[way]
        neighbour = jobs.start(jobs.python("import time; print('here', flush=True); time.sleep(600)"))
        jobs.says(neighbour.id, "here")
        code = f"import time\n{textwrap.dedent(bomb).strip()}\ntime.sleep(600)"
        seen = jobs.run(code, limits=Limits(memory_bytes=80 * MIB, grace_s=1, max_runtime_s=15))
        assert end(seen)["event"] == "failed", end(seen)
        more = "Please use an instance type with more memory"
        assert more in end(seen)["message"] or "No space left" in end(seen)["message"], end(seen)
        assert jobs.placement.observe(neighbour.id).alive
        jobs.placement.remove(neighbour.id)

    def test_a_fork_bomb_meets_its_limit(self, jobs: Jobs) -> None:
        bomb = """
            import os, time
            made = 0
            for _ in range(400):
                try:
                    if os.fork() == 0:
                        time.sleep(600)
                except OSError:
                    break
                made += 1
            print('made', made)
            time.sleep(600 if made > 100 else 0)
            """
        seen = jobs.run(bomb, limits=Limits(processes=100, grace_s=1, max_runtime_s=15))
        if os.geteuid() or groups(jobs.isolation):
            assert end(seen)["event"] == "completed", (end(seen), log_text(jobs.placement, seen.id))
        else:  # the kernel counts no processes of root
            assert "processes at once and may have 100" in end(seen)["message"], end(seen)
        self.nothing_is_left(jobs, seen.id)

    @pytest.mark.parametrize(
        "place", ["/tmp", "/opt/ml/model", "/opt/ml/checkpoints", "/opt/clary/packages", "nowhere"]
    )
    def test_a_disk_bomb_ends_its_job(self, jobs: Jobs, place: str) -> None:
        bomb = """
            import os, sys, time
            place = '/tmp' if sys.argv[1] == 'nowhere' else sys.argv[1]
            os.makedirs(place, exist_ok=True)
            kept = []
            for number in range(12):
                kept.append(open(f'{place}/{number}', 'wb', buffering=0))
                kept[-1].write(os.urandom(8 << 20))
                if sys.argv[1] == 'nowhere': os.unlink(kept[-1].name)
            time.sleep(600)
            """
        output = Output("checkpoints", "s3://bucket/checkpoints", continuous=True)
        limits = Limits(disk_bytes=40 * MIB, grace_s=1, max_runtime_s=15)
        seen = jobs.run(bomb, place, limits=limits, outputs=[output])
        assert end(seen)["event"] == "failed", end(seen)
        assert "ClientError: Insufficient disk space" in end(seen)["message"], end(seen)

    def test_a_single_file_is_no_larger_than_the_volume(self, jobs: Jobs) -> None:
        code = """
            try: os_truncate = open('/opt/ml/model/sparse', 'wb').truncate(10 << 30)
            except OSError as error: print('refused:', error)
            """
        seen = jobs.run(code, limits=Limits(disk_bytes=40 * MIB), outputs=[Output("model", "s3://bucket/out")])
        assert "refused: [Errno 27]" in log_text(jobs.placement, seen.id), log_text(jobs.placement, seen.id)
        assert jobs.store.get("bucket", "out/sparse") == b""

    def test_a_flood_of_words_ends_its_job(self, jobs: Jobs) -> None:
        code = "import sys, time\nfor _ in range(40): print('x' * (2 << 20), flush=True)\ntime.sleep(600)"
        seen = jobs.run(code, limits=Limits(disk_bytes=20 * MIB, grace_s=1, max_runtime_s=15))
        assert "Insufficient disk space" in end(seen)["message"], end(seen)

    @pytest.mark.parametrize("archive", [False, True])
    def test_what_a_job_leaves_leads_nowhere(self, jobs: Jobs, settings: Settings, archive: bool) -> None:
        secret = settings.secrets / "administrator.json"
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text(SECRET)
        code = """
            import os, socket, sys
            os.chdir('/opt/ml/model')
            secret = sys.argv[1]
            os.symlink(secret, 'link')
            os.symlink(os.path.dirname(secret), 'folder')
            os.symlink('../' * 30 + secret.lstrip('/'), 'relative')
            os.symlink('/proc/self/root' + secret, 'magic')
            os.symlink('loop', 'loop')
            os.symlink('/dev/zero', 'device')
            os.mkfifo('pipe')
            socket.socket(socket.AF_UNIX).bind('socket')
            open('real', 'w').write('real'); os.symlink('real', 'alias'); os.symlink('/opt/ml/model/real', 'absolute')
            here = os.open('.', os.O_RDONLY)
            for _ in range(200):
                os.mkdir('d', dir_fd=here); here = os.open('d', os.O_RDONLY, dir_fd=here)
            """
        seen = jobs.run(code, str(secret), outputs=[Output("model", "s3://bucket/out", archive=archive)])
        assert end(seen)["event"] == "completed", end(seen)
        stored = [jobs.store.get("bucket", key) for key in jobs.store.keys("bucket")]
        if archive:
            with tarfile.open(fileobj=io.BytesIO(stored[0])) as tar:
                stored = [file.read() for each in tar if each.isreg() and (file := tar.extractfile(each))]
            assert stored == [b"real"]
        else:
            assert stored == [b"real"] * 3

    def test_folders_that_are_nested_without_end_are_not_followed(self, jobs: Jobs) -> None:
        code = """
            import os
            here = os.open('/opt/ml/model', os.O_RDONLY)
            for _ in range(2000):
                os.mkdir('d', dir_fd=here); below = os.open('d', os.O_RDONLY, dir_fd=here); os.close(here); here = below
            """
        seen = jobs.run(code, outputs=[Output("model", "s3://bucket/out", archive=True)])
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client"), end(seen)
        assert "nested" in end(seen)["message"]
        jobs.placement.remove(seen.id)
        assert not jobs.placement.log(seen.id).parent.exists()

    @pytest.mark.parametrize("kind", ["link", "relative", "fifo", "folder", "sparse", "socket"])
    def test_the_reason_of_a_failure_is_a_file_of_the_job(self, jobs: Jobs, settings: Settings, kind: str) -> None:
        secret = settings.secrets / "administrator.json"
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text(SECRET)
        code = """
            import os, socket, sys
            path, kind, secret = '/opt/ml/output/failure', sys.argv[1], sys.argv[2]
            if kind == 'link': os.symlink(secret, path)
            if kind == 'relative': os.symlink('../' * 30 + secret.lstrip('/'), path)
            if kind == 'fifo': os.mkfifo(path)
            if kind == 'folder': os.mkdir(path)
            if kind == 'sparse': open(path, 'w').truncate(8 << 30)
            if kind == 'socket': socket.socket(socket.AF_UNIX).bind(path)
            sys.exit(3)
            """
        seen = jobs.run(code, kind, str(secret))
        assert (end(seen)["event"], end(seen)["exit_code"]) == ("failed", 3), end(seen)
        assert SECRET not in str(seen.events)
        assert len(end(seen)["message"]) < 1200

    def test_nothing_swapped_under_an_upload_is_uploaded(self, jobs: Jobs, settings: Settings) -> None:
        secret = settings.secrets / "administrator.json"
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text(SECRET)
        code = """
            import os, sys, time
            os.chdir('/opt/ml/checkpoints'); secret = sys.argv[1]
            until, number = time.time() + 2, 0
            while time.time() < until:
                number += 1
                os.makedirs('a'); open('a/administrator.json', 'w').write(str(number))
                os.rename('a', 'b'); os.symlink(os.path.dirname(secret), 'a')
                os.unlink('a'); os.symlink(secret, 'b/link'); os.unlink('b/link')
                os.unlink('b/administrator.json'); os.rmdir('b')
                open('f', 'w').write('x'); os.unlink('f'); os.symlink(secret, 'f'); os.unlink('f')
            """
        output = Output("checkpoints", "s3://bucket/c", continuous=True, when="always")
        seen = jobs.run(code, str(secret), outputs=[output], limits=Limits(sync_s=0.01, grace_s=1))
        assert end(seen)["event"] == "completed", (end(seen), log_text(jobs.placement, seen.id))
        for key in jobs.store.keys("bucket"):
            assert SECRET.encode() not in jobs.store.get("bucket", key), key

    @pytest.mark.parametrize("kind", ["up", "absolute", "link", "hard", "device", "fifo", "through"])
    def test_no_archive_leaves_its_folder(self, jobs: Jobs, tmp_path: Path, kind: str) -> None:
        jobs.store.put("bucket", "model.tar.gz", _hostile(kind, str(tmp_path / "escaped")))
        source = Input("model", "s3://bucket/model.tar.gz", kind="object", extract=True)
        seen = jobs.run("import os; assert not os.path.lexists('/opt/escaped')", inputs=[source])
        if kind != "absolute":  # that is unpacked below the folder, as tar does
            assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client"), end(seen)
        assert not (tmp_path / "escaped").exists()
        assert not (jobs.placement.log(seen.id).parent / "escaped").exists()

    def test_programs_of_archives_get_no_privileges(self, jobs: Jobs) -> None:
        jobs.store.put("bucket", "model.tar.gz", _hostile("setuid", ""))
        source = Input("model", "s3://bucket/model.tar.gz", kind="object", extract=True)
        seen = jobs.run("import os; assert not os.stat('/opt/ml/model/x').st_mode & 0o7022", inputs=[source])
        assert end(seen)["event"] == "completed", end(seen)

    def test_a_server_cannot_pass_for_another_socket(self, jobs: Jobs, settings: Settings) -> None:
        address = settings.home / "p"
        with socket.socket(socket.AF_UNIX) as private:
            private.bind(str(address))
            private.listen()
            private.settimeout(1.5)  # it is looked for several times a second
            code = """
                import os, sys, time
                os.symlink(sys.argv[1], os.environ['CLARY_SERVE_SOCKET']); print('linked', flush=True); time.sleep(600)
                """
            spec = jobs.start(jobs.python(code, str(address), kind="server"))
            jobs.says(spec.id, "linked")
            with pytest.raises(TimeoutError):
                private.accept()
            assert jobs.placement.observe(spec.id).address is None

    def test_a_server_cannot_become_another_socket(self, jobs: Jobs, settings: Settings) -> None:
        code = SERVER.replace("server.serve_forever()", "") + (
            "path = os.environ['CLARY_SERVE_SOCKET']\n"
            "import threading, time; threading.Thread(target=server.serve_forever).start()\n"
            "while not os.path.exists(os.environ['CLARY_ML_ROOT'] + '/model/go'): time.sleep(0.01)\n"
            "os.unlink(path); os.symlink(sys.argv[2], path); print('swapped', flush=True); time.sleep(600)\n"
        )
        spec = jobs.start(jobs.python(code, "unix", str(settings.home / "p"), kind="server"))
        address = wait_for(lambda: jobs.placement.observe(spec.id).address, what="serving") or ""
        (jobs.placement.log(spec.id).parent / "ml" / "model" / "go").touch()
        jobs.says(spec.id, "swapped")
        name = address.rpartition(":")[2]
        assert not Path(name).is_symlink()
        assert Path(name).is_socket()

    def test_a_killed_agent_leaves_nothing(self, jobs: Jobs) -> None:
        code = "import os, time\nfor _ in range(3): os.fork()\nprint('ready', flush=True); time.sleep(600)"
        spec = jobs.start(jobs.python(code))
        jobs.says(spec.id, "ready")
        folder = jobs.placement.log(spec.id).parent
        agent = int((folder / "lock").read_text().split()[0])
        held = (folder / "groups").read_text().split() if groups(jobs.isolation) else []
        assert all(Path(each).is_dir() for each in held)
        os.kill(agent, signal.SIGKILL)
        wait_for(lambda: jobs.placement.observe(spec.id).lost)
        jobs.placement.remove(spec.id)
        assert not [each for each in held if Path(each).exists()]

    def test_a_job_that_cannot_be_held_does_not_run(
        self, jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = jobs.placement.__class__.__module__
        monkeypatch.setattr(f"{place}.groups", lambda isolation: dict.fromkeys(CONTROLLERS, str(tmp_path / "none")))
        seen = jobs.run("print('it ran')", limits=Limits(memory_bytes=80 * MIB))
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "internal")
        assert "LimitsError: the limits of the job cannot be set" in end(seen)["message"]
        assert "it ran" not in log_text(jobs.placement, seen.id)

    def test_the_cpu_is_shared_by_weight(self, jobs: Jobs) -> None:
        if not groups(jobs.isolation):
            pytest.skip("CPU is shared by weight where there are control groups")
        held = {}
        for cpus in (1.0, 4.0):
            spec = jobs.start(
                jobs.python("import time; print('on', flush=True); time.sleep(600)", limits=Limits(cpus=cpus))
            )
            jobs.says(spec.id, "on")
            group = (jobs.placement.log(spec.id).parent / "groups").read_text().split()[-1]
            weight = Path(group, "cpu.weight")
            held[cpus] = int((weight if weight.exists() else Path(group, "cpu.shares")).read_text())
            jobs.placement.remove(spec.id)
        assert held[4.0] == 4 * held[1.0]

    def nothing_is_left(self, jobs: Jobs, id: str) -> None:
        """No process and no control group of an ended job."""
        folder = jobs.placement.log(id).parent
        if groups(jobs.isolation):
            assert not [each for each in (folder / "groups").read_text().split() if Path(each).exists()]
        mark = f"CLARY_JOB_FOLDER={folder}".encode()

        def marked() -> list[str]:
            found = []
            for each in Path("/proc").iterdir():
                if each.name.isdigit():
                    with contextlib.suppress(OSError):
                        if mark in (each / "environ").read_bytes():
                            found.append(each.name)
            return found

        wait_for(lambda: not marked(), what="the end of all processes")


def _hostile(kind: str, escaped: str) -> bytes:
    """An archive whose member is to lie, or to lead, outside."""
    members: list[tuple[str, bytes, str]] = {
        "up": [("../../escaped", tarfile.REGTYPE, "")],
        "absolute": [(escaped, tarfile.REGTYPE, "")],
        "link": [("x", tarfile.SYMTYPE, "/etc/passwd")],
        "hard": [("x", tarfile.LNKTYPE, "../../spec.json")],
        "device": [("x", tarfile.CHRTYPE, "")],
        "fifo": [("x", tarfile.FIFOTYPE, "")],
        "through": [("a", tarfile.SYMTYPE, "."), ("a/../../escaped", tarfile.REGTYPE, "")],
        "setuid": [("x", tarfile.REGTYPE, "")],
    }[kind]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, what, target in members:
            member: Any = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode, member.mtime = what, target, 0o7777, time.time()
            tar.addfile(member, io.BytesIO() if what == tarfile.REGTYPE else None)
    return buffer.getvalue()
