"""What every isolation gives or refuses. Needs the same fixtures as ``PlacementContract``."""

from __future__ import annotations

import os
import signal
import socket
import uuid
from pathlib import Path

import pytest

from clary.compute.isolation.select import ISOLATIONS, availability, options
from clary.compute.placement.base import Placement
from clary.compute.spec import ImageSpec
from clary.testing.contracts.jobs import SERVER, Jobs, Store, ask, end
from clary.testing.contracts.waiting import log_text, wait_for, wait_for_end


class IsolationContract:
    """The suite."""

    @pytest.fixture
    def jobs(self, placement: Placement, isolation: str, image: ImageSpec, store: Store) -> object:
        yield Jobs(placement, isolation, image, store)
        for id in placement.list():
            placement.remove(id)

    @pytest.fixture
    def sandboxed(self, isolation: str) -> None:
        if not ISOLATIONS[isolation].sandboxed:
            pytest.skip(f"{isolation} isolation is no sandbox, and says so")

    def test_it_says_whether_it_works(self, isolation: str) -> None:
        works, remedy = availability(isolation)
        assert works or remedy

    def test_container_paths_lead_to_the_jobs_folder(self, jobs: Jobs) -> None:
        seen = jobs.run(
            """
            import os, sys
            assert os.path.isdir(os.environ['MODEL']), os.environ['MODEL']
            assert os.path.isdir(sys.argv[1].partition('=')[2]), sys.argv[1]
            assert os.path.isdir(os.environ['CLARY_ML_ROOT'] + '/input/config')
            assert os.environ['URI'] == 's3://bucket/opt/ml/model', os.environ['URI']
            open(os.environ['CLARY_ML_ROOT'] + '/model/x', 'w').close(); open(os.environ['TMPDIR'] + '/y', 'w').close()
            """,
            "--data=/opt/ml/input/data",
            environment={"MODEL": "/opt/ml/model", "URI": "s3://bucket/opt/ml/model"},
        )
        assert end(seen)["event"] == "completed", end(seen)

    def test_network_isolation_is_given_or_refused(self, jobs: Jobs, isolation: str) -> None:
        code = """
            import socket
            try: socket.create_connection(('127.0.0.1', PORT), 2)
            except OSError: print('no network')
            else: raise SystemExit('reached the platform')
            """.replace("PORT", jobs.store.url.rpartition(":")[2])
        seen = jobs.run(code, network=False)
        if ISOLATIONS[isolation].sandboxed:
            assert end(seen)["event"] == "completed", end(seen)
            assert "no network" in log_text(jobs.placement, seen.id)
        else:
            assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")
            assert "Network isolation" in end(seen)["message"]
            assert jobs.placement.observe(seen.id).latest("running") is None

    def test_a_job_with_network_reaches_the_platform(self, jobs: Jobs) -> None:
        code = (
            "import os, urllib.request as u;"
            " print(len(u.urlopen(u.Request(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'],"
            " headers={'Authorization': os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']})).read()))"
        )
        assert end(jobs.run(code))["event"] == "completed"

    def test_a_server_without_network_is_reached(self, jobs: Jobs, sandboxed: None) -> None:
        spec = jobs.start(jobs.python(SERVER, "unix", kind="server", network=False))
        address = wait_for(lambda: jobs.placement.observe(spec.id).address, what="serving")
        assert ask(address or "") == 200

    def test_no_sandbox_is_said_in_the_log(self, jobs: Jobs, isolation: str) -> None:
        seen = jobs.run("")
        assert ("no sandbox" in log_text(jobs.placement, seen.id)) != ISOLATIONS[isolation].sandboxed

    def test_other_files_are_not_seen(self, jobs: Jobs, sandboxed: None, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("secret")
        other = jobs.run("import os; open(os.environ['CLARY_ML_ROOT'] + '/model/m', 'w').write('theirs')")
        folder = jobs.placement.log(other.id).parent
        seen = jobs.run(
            """
            import os, sys
            for path in sys.argv[1:]:
                if path != 'x': assert not os.path.exists(path), path
            assert sorted(os.listdir('/opt/ml')) == ['code', 'input', 'model', 'output'], os.listdir('/opt/ml')
            assert not os.path.exists('/etc/shadow')
            assert len([p for p in os.listdir('/proc') if p.isdigit()]) <= 4
            """,
            *[
                str(each)
                for each in (
                    secret,
                    folder,
                    folder / "ml",
                    Path.home() / ".ssh",
                    Path.home() / ".bashrc",
                    folder.parent.parent / "secrets",
                )
            ],
        )
        assert end(seen)["event"] == "completed", end(seen)

    def test_a_volume_is_seen_by_its_jobs_alone(self, jobs: Jobs, sandboxed: None) -> None:
        end_of = jobs.run("open('/srv/kept/note', 'w').write('theirs')", volumes={"/srv/kept": "volume-of-others"})
        assert end(end_of)["event"] == "completed", log_text(jobs.placement, end_of.id)
        home = jobs.placement.log(end_of.id).parent.parent.parent
        seen = jobs.run(
            """
            import os, sys
            assert os.listdir('/srv/kept') == [], os.listdir('/srv/kept')
            assert not any(os.path.exists(path) for path in sys.argv[1:] if path != 'x'), sys.argv
            """,
            str(home / "volumes"),
            str(home),
            volumes={"/srv/kept": "volume-of-mine"},
        )
        assert end(seen)["event"] == "completed", log_text(jobs.placement, seen.id)
        for each in ("volume-of-others", "volume-of-mine"):
            jobs.placement.discard(each)

    def test_the_system_cannot_be_changed(self, jobs: Jobs, sandboxed: None) -> None:
        seen = jobs.run(
            """
            import os, sys
            for path in ('/usr/bin/x', '/etc/passwd', sys.prefix + '/x', os.path.dirname(os.__file__) + '/x'):
                try: open(path, 'a').write('x')
                except OSError: continue
                raise SystemExit(path + ' could be written')
            for path in ('/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches', '/proc/sysrq-trigger'):
                try: os.close(os.open(path, os.O_WRONLY))
                except OSError: continue
                raise SystemExit(path + ' could be opened')
            status = open('/proc/self/status').read()
            for name in ('CapEff', 'CapPrm', 'CapBnd'):
                assert f'{name}:\\t0000000000000000' in status, status
            """
        )
        assert end(seen)["event"] == "completed", end(seen)

    def test_no_capabilities_come_back_in_a_namespace_of_its_own(
        self, jobs: Jobs, sandboxed: None, isolation: str
    ) -> None:
        if not options(isolation):
            pytest.skip("this version of bubblewrap cannot forbid user namespaces")
        seen = jobs.run("import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == -1")
        assert end(seen)["event"] == "completed", end(seen)

    def test_variables_steer_the_job_and_nothing_outside(self, jobs: Jobs, sandboxed: None, tmp_path: Path) -> None:
        trace = str(tmp_path / "trace")
        seen = jobs.run(
            "import os; print(os.environ['LD_DEBUG_OUTPUT'])",
            environment={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": trace},
        )
        assert end(seen)["event"] == "completed", end(seen)
        assert trace in log_text(jobs.placement, seen.id)
        assert not list(tmp_path.glob("trace*"))

    def test_variables_that_no_process_can_have_are_refused(self, jobs: Jobs) -> None:
        seen = jobs.run("", environment={"WORD": "1\0--bind\0/\0/tmp"})
        assert (end(seen)["event"], end(seen)["reason"]) == ("failed", "client")

    def test_descriptors_are_the_usual_three(self, jobs: Jobs) -> None:
        seen = jobs.run(
            """
            import os, sys
            if sys.platform == 'linux':
                found = [number for number in range(3, 64) if os.path.lexists(f'/proc/self/fd/{number}')]
                assert not found, [os.readlink(f'/proc/self/fd/{number}') for number in found]
            """
        )
        assert end(seen)["event"] == "completed", end(seen)

    def test_hosts_have_names(self, jobs: Jobs, sandboxed: None) -> None:
        code = (
            "import socket; print([socket.gethostbyname(h) for h in ('algo-1', 'algo-2', 'localhost')],"
            " socket.gethostname())"
        )
        seen = jobs.run(code, hosts=["algo-1", "algo-2"], current_host="algo-2")
        assert "['127.0.0.1', '127.0.0.1', '127.0.0.1'] algo-2" in log_text(jobs.placement, seen.id)

    def test_what_listens_on_this_machine_is_not_reached(self, jobs: Jobs, sandboxed: None) -> None:
        """The databases of the machine's users, other jobs' servers, the desktop's bus."""
        name = f"clary-{uuid.uuid4().hex}"
        with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
            abstract.bind(f"\0{name}")
            abstract.listen()
            seen = jobs.run(
                """
                import errno, socket, sys, urllib.request
                try: socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)
                except ConnectionRefusedError: pass
                else: raise SystemExit('reached a service of the machine')
                other = socket.socket(socket.AF_UNIX)
                try: other.connect('\\0' + sys.argv[2])
                except ConnectionRefusedError: pass
                else: raise SystemExit('reached an abstract socket')
                """,
                str(tcp.getsockname()[1]),
                name,
            )
        assert end(seen)["event"] == "completed", log_text(jobs.placement, seen.id)

    def test_a_job_is_not_the_machines_owner(self, jobs: Jobs, sandboxed: None) -> None:
        """The addresses where clouds hand their machines credentials lead nowhere, at once."""
        seen = jobs.run(
            """
            import socket
            for address in ('169.254.169.254', '169.254.170.2', '168.63.129.16', '100.100.100.200'):
                try: socket.create_connection((address, 80), 30)
                except TimeoutError: raise SystemExit(f'{address} was asked')
                except OSError as error: print(address, error)
                else: raise SystemExit(f'{address} was reached')
            """
        )
        assert end(seen)["event"] == "completed", log_text(jobs.placement, seen.id)

    def test_a_server_without_network_may_listen_on_a_port(self, jobs: Jobs, sandboxed: None) -> None:
        spec = jobs.start(jobs.python(SERVER, "tcp", kind="server", network=False))
        address = wait_for(lambda: jobs.placement.observe(spec.id).address, what="serving")
        assert ask(address or "") == 200

    @pytest.mark.parametrize("network", [True, False], ids=["connected", "isolated"])
    def test_hosts_speak_with_one_another(self, jobs: Jobs, sandboxed: None, network: bool) -> None:
        """Isolated ones too: "except for calls between peers within a training cluster for distributed training". Their
        network, and the platform in it, are there until the last of them has ended."""
        code = """
            import os, socket, sys, time, urllib.request
            if sys.argv[1] == 'algo-1':
                with socket.create_server(('algo-1', 4000)) as server:
                    peer = server.accept()[0]
                    peer.sendall(b'from algo-1')
                    os._exit(0)
            while True:
                try: peer = socket.create_connection(('algo-1', 4000), 5)
                except ConnectionRefusedError: time.sleep(0.01)
                else: break
            said = b''
            while data := peer.recv(100): said += data
            assert said == b'from algo-1', said
            try: urllib.request.urlopen('URL', timeout=5)
            except urllib.error.HTTPError: reached = True
            except OSError as error: reached = print(error)
            else: reached = True
            assert bool(reached) is NETWORK
            """.replace("URL", jobs.store.url).replace("NETWORK", str(network))
        hosts = ["algo-1", "algo-2"]
        ids = [f"job-{uuid.uuid4().hex[:12]}" for _ in hosts]
        for id, host in zip(ids, hosts, strict=True):
            jobs.start(jobs.python(code, host, id=id, network=network, hosts=hosts, current_host=host, cluster=ids))
        for id in ids:
            seen = wait_for_end(jobs.placement, id)
            assert end(seen)["event"] == "completed", log_text(jobs.placement, id)

    def test_nothing_of_a_network_is_left(self, jobs: Jobs, sandboxed: None) -> None:
        """Neither after the job's end, nor when its agent is killed."""
        spec = jobs.start(jobs.python("import time; print('up', flush=True); time.sleep(600)"))
        jobs.says(spec.id, "up")
        folder = jobs.placement.log(spec.id).parent
        holder = int((folder / "network").read_text("ascii").split()[0])
        os.kill(int((folder / "lock").read_text("ascii").split()[0]), signal.SIGKILL)
        wait_for(lambda: not Path(f"/proc/{holder}").exists(), what="the end of the network")
