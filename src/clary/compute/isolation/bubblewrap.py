"""Isolation by bubblewrap: own namespaces, no capabilities, a read-only system, and nothing of the user's files.

Reference: https://github.com/containers/bubblewrap
"""

from __future__ import annotations

import os
import sys

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


class Bubblewrap:
    """A sandbox of Linux namespaces."""

    name = "bubblewrap"
    sandboxed = True

    def available(self) -> tuple[bool, str]:
        if sys.platform != "linux":
            return False, "bubblewrap needs Linux; on this system jobs can only run under plain isolation."
        program = find_program("bwrap", _PATH, "/")
        if not program.startswith("/"):
            return False, "bubblewrap is not installed; run `apt install bubblewrap` or `dnf install bubblewrap`."
        import subprocess

        command = [program, *_HELD, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "/bin/true"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
        if done.returncode:
            return False, (
                f"bubblewrap is installed but not allowed to make a sandbox ({done.stderr.strip()[:200]}). On"
                " Ubuntu 24.04 and newer allow"
                " it with an AppArmor profile for /usr/bin/bwrap that has the rule `userns,`, or with"
                " `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; inside a container run that container"
                " with user namespaces."
            )
        return True, ""

    def refusal(self, folder: JobFolder) -> str:
        return ""

    def shown(self, folder: JobFolder, path: str) -> str:
        return path

    def command(
        self, folder: JobFolder, command: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str], str]:
        spec = folder.spec
        arguments = [find_program("bwrap", _PATH, "/"), *_HELD, "--hostname", spec.current_host]
        if spec.network:
            arguments += ["--share-net"]
        arguments += [
            "--proc",
            "/proc",
            "--dev",
            "/dev",
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
        for name, path in folder.mounts.items():
            arguments += ["--bind", path, name]
        if spec.kind == "server":
            arguments += ["--bind", folder.run, "/run/clary"]
        values = {**environment, "TMPDIR": "/tmp"}
        return [*arguments, "--chdir", "/opt/ml", "--", *command], values, "/"

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
        content = {
            "passwd": f"job:x:{user}:{group}:job:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
            "group": f"job:x:{group}:\nnogroup:x:65534:\n",
            "hosts": f"127.0.0.1 localhost {names}\n::1 localhost\n",
            "hostname": f"{spec.current_host}\n",
            "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        }
        arguments = []
        for name, text in content.items():
            with open(os.path.join(own, name), "w", encoding="utf-8") as file:
                file.write(text)
            arguments += ["--ro-bind", os.path.join(own, name), f"/etc/{name}"]
        for name in (*_ETC, "resolv.conf") if spec.network else _ETC:
            arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        return arguments


_HELD = ("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")


def _gpus() -> list[str]:
    return [
        f"/dev/{name}" for name in sorted(os.listdir("/dev")) if name.startswith("nvidia") or name in ("dri", "kfd")
    ]


def children(process: int) -> list[int]:
    """Pids of the processes that ``process`` started and that still are."""
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            return [int(each) for each in file.read().split()]
    except FileNotFoundError:
        return []  # it ended
    except OSError:
        return []


def _number_inside(process: int) -> int:
    try:
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("NSpid:"):
                    return int(line.split()[-1])
    except OSError:
        pass  # it ended
    return 0
