"""Isolation by bubblewrap: own namespaces, no capabilities, a read-only system, and nothing of the user's files.

Reference: https://github.com/containers/bubblewrap
"""

from __future__ import annotations

import os
import sys

from clary.compute.agent.folder import CACHE
from clary.compute.isolation import seccomp
from clary.compute.isolation.limits import shared_memory
from clary.compute.isolation.plain import find_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clary.compute.agent.folder import JobFolder

_PATH = "/usr/bin:/bin:/usr/local/bin"
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
_ETC = (
    "alternatives",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "pki/tls/certs",
    "pki/ca-trust/extracted",
)
_VARIABLES = 3
"""The descriptor on which bubblewrap reads the job's variables."""
_FILTER = 4
"""That on which it reads the filter of system calls."""
_PROC_READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")
_PROC_HIDDEN = ("acpi", "asound", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list", "timer_stats")
"""What container engines keep from containers below ``/proc``: for who is root on the machine, too, the modes of these
files are no hindrance, capabilities or not."""


class Bubblewrap:
    """A sandbox of Linux namespaces."""

    name = "bubblewrap"
    sandboxed = True

    def available(self) -> tuple[bool, str]:
        if sys.platform != "linux":
            return False, "bubblewrap needs Linux; on this system jobs can only run under plain isolation."
        if not find_program("bwrap", _PATH, "/").startswith("/"):
            return False, "bubblewrap is not installed; run `apt install bubblewrap` or `dnf install bubblewrap`."
        if problem := _try([]):
            return False, (
                f"bubblewrap is installed but not allowed to make a sandbox ({problem[:200]}). On"
                " Ubuntu 24.04 and newer allow"
                " it with an AppArmor profile for /usr/bin/bwrap that has the rule `userns,`, or with"
                " `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; inside a container run that container"
                " with user namespaces."
            )
        return True, ""

    def options(self) -> list[str]:
        # In a user namespace of its own a job would have all capabilities again, and with them file systems to mount:
        # that of the machine's control groups, for one. Versions before 0.8 cannot forbid it.
        strict = ["--unshare-user", "--disable-userns"]
        return [] if _try(strict) else strict

    def refusal(self, folder: JobFolder) -> str:
        return ""

    def shown(self, folder: JobFolder, path: str) -> str:
        return path

    def command(
        self, folder: JobFolder, command: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str], str, dict[int, str]]:
        spec = folder.spec
        network = folder.network
        arguments = network.entering() if network is not None else []
        arguments += [find_program("bwrap", _PATH, "/"), "--args", str(_VARIABLES), *_HELD, *folder.place.options]
        arguments += ["--hostname", spec.current_host]
        if network is not None or spec.network:
            arguments += ["--share-net"]
        if network is not None and os.geteuid():
            # Root of the network's user namespace is in the job's who he is outside.
            arguments += ["--unshare-user", "--uid", str(os.getuid()), "--gid", str(os.getgid())]
        arguments += [
            "--proc",
            "/proc",
            *_covered(),
            "--dev",
            "/dev",
            # Versions before 0.7 know no sizes; what knows these options does.
            *(("--size", str(shared_memory(spec.limits))) if folder.place.options else ()),
            "--tmpfs",
            "/dev/shm",
            "--tmpfs",
            "/run",
            "--bind",
            folder.tmp,
            "/tmp",
            "--dir",
            "/var/tmp",
        ]
        arguments += ["--ro-bind", "/usr", "/usr"]
        for path in _SYSTEM:
            if os.path.islink(path):
                arguments += ["--symlink", os.readlink(path), path]
            elif os.path.isdir(path):
                arguments += ["--ro-bind", path, path]
        for path in ("/sys/devices/system/cpu", "/sys/devices/system/node", *_gpus()):
            arguments += ["--dev-bind-try" if path.startswith("/dev") else "--ro-bind-try", path, path]
        arguments += self._etc(folder)
        image = spec.image
        for path in (image.environment, *image.paths, folder.overlay):
            if path and not path.startswith(("/usr/", "/lib")) and os.path.isdir(path):
                arguments += ["--ro-bind", path, path]
        if folder.place.runtimes:
            arguments += ["--ro-bind", folder.place.runtimes, "/opt/clary/clary_runtimes"]
        arguments += ["--bind", folder.packages, "/opt/clary/packages"]
        for name, path in (*folder.mounts.items(), *folder.place.volumes.items()):
            arguments += ["--ro-bind" if name in spec.fixed else "--bind", path, name]
        if folder.place.cache:
            arguments += ["--bind", folder.place.cache, CACHE]
        if spec.kind == "server":
            arguments += ["--bind", folder.run, "/run/clary"]
        # Not in the environment of bubblewrap itself, which is outside of the sandbox and where LD_PRELOAD is obeyed,
        # nor on its command line, which everybody can read.
        variables = _write_variables(folder, {**environment, "TMPDIR": "/tmp"})
        opened = {_VARIABLES: variables}
        if code := seccomp.program():
            opened[_FILTER] = _write(folder, "seccomp", code)
            arguments += ["--seccomp", str(_FILTER)]
        return [*arguments, "--chdir", "/opt/ml", "--", *command], {"PATH": _PATH}, "/", opened

    def main_process(self, process: int) -> int | None:
        # The started process waits outside; its child is the sandbox's first process, and the user's is that one's
        # second.
        for first in children(process):
            for second in children(first):
                if _number_inside(second) == 2:
                    return second
        return None

    def _etc(self, folder: JobFolder) -> list[str]:
        spec = folder.spec
        own = folder.file("etc")
        os.makedirs(own, mode=0o755, exist_ok=True)
        user, group = os.getuid(), os.getgid()
        names = " ".join(dict.fromkeys([*spec.hosts, spec.current_host]))
        known = f"127.0.0.1 localhost {names}\n"
        if folder.place.addresses:
            pairs = zip(folder.place.addresses, spec.hosts, strict=True)
            known = "127.0.0.1 localhost\n" + "".join(f"{address} {host}\n" for address, host in pairs)
        network = folder.network
        if network is not None and network.platform is not None and network.platform.name:
            known += f"{network.platform.address} {network.platform.name}\n"
        content = {
            "passwd": f"job:x:{user}:{group}:job:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
            "group": f"job:x:{group}:\nnogroup:x:65534:\n",
            "hosts": f"{known}::1 localhost\n",
            "hostname": f"{spec.current_host}\n",
            "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        }
        if network is not None and network.outside:
            content["resolv.conf"] = f"nameserver {network.NAME_SERVER}\n"
        arguments = []
        for name, text in content.items():
            with open(os.path.join(own, name), "w", encoding="utf-8") as file:
                file.write(text)
            arguments += ["--ro-bind", os.path.join(own, name), f"/etc/{name}"]
        for name in (*_ETC, "resolv.conf") if spec.network and network is None else _ETC:
            arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        return arguments


def _write_variables(folder: JobFolder, values: Mapping[str, str]) -> str:
    """The file with the arguments that set a job's variables. Raises ``ValueError`` for one that cannot be set."""
    words = []
    for name, value in values.items():
        # The words are separated by zeros: a value that had one could go on with arguments of its own.
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"the environment variable {name!r} cannot be set")
        words += ["--setenv", name, value]
    return _write(folder, "variables", b"".join([os.fsencode(word) + b"\0" for word in words]))


def _write(folder: JobFolder, name: str, content: bytes) -> str:
    path = folder.file(name)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
    return path


def _covered() -> list[str]:
    if os.geteuid():
        return []  # the modes of the files keep the job from them
    arguments = []
    for name in _PROC_READ_ONLY:
        arguments += ["--ro-bind-try", f"/proc/{name}", f"/proc/{name}"]
    for name in _PROC_HIDDEN:
        if os.path.isdir(f"/proc/{name}"):
            arguments += ["--tmpfs", f"/proc/{name}"]
        elif os.path.exists(f"/proc/{name}"):
            arguments += ["--ro-bind", "/dev/null", f"/proc/{name}"]
    return arguments


def _try(options: list[str]) -> str:
    """What is wrong with a sandbox that has these options; empty if nothing is."""
    import subprocess

    command = [find_program("bwrap", _PATH, "/"), *_HELD, *options, "--ro-bind", "/", "/", "--proc", "/proc"]
    done = subprocess.run(
        [*command, *_covered(), "--dev", "/dev", "/bin/true"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else ""


_HELD = ("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")


def _gpus() -> list[str]:
    return [
        f"/dev/{name}" for name in sorted(os.listdir("/dev")) if name.startswith("nvidia") or name in ("dri", "kfd")
    ]


def children(process: int) -> list[int]:
    """Pids of the processes that ``process`` started, with any of its threads, and that still are."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    except OSError:
        pass  # it ended
    return found


def _number_inside(process: int) -> int:
    try:
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("NSpid:"):
                    return int(line.split()[-1])
    except OSError:
        pass  # it ended
    return 0
