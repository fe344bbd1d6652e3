"""Looks at the machine: what Clary needs, what it can do better with, and what to do about what is missing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from clary.cli import objects
from clary.cli.installation import Installation
from clary.cli.mistakes import Mistake
from clary.compute.isolation import seccomp
from clary.compute.isolation.limits import parents
from clary.compute.isolation.select import TUNNEL

State = Literal["ok", "warn", "fail"]

_GB = 1 << 30
_LONGEST_SOCKET_PATH = 104
"""What every Unix takes (Linux takes 108); the longest socket of ours is in a job's folder."""
_LONGEST_BELOW_HOME = len("/run/control.sock")

_APPARMOR_PROFILE = """\
sudo tee /etc/apparmor.d/bwrap <<'EOF'
abi <abi/4.0>,
include <tunables/global>
profile bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}
EOF
sudo systemctl reload apparmor"""


@dataclass(frozen=True)
class Check:
    """One finding: ``fail`` stands in Clary's way, ``warn`` costs something that ``text`` names."""

    name: str
    state: State
    text: str
    remedy: str = ""


def examine(installation: Installation) -> list[Check]:
    """All checks, in the order in which they are shown."""
    checks: list[Callable[[Installation], Check]] = [
        _python,
        _uv,
        _home,
        _sockets,
        _disk,
        _objects,
        _port,
        _bubblewrap,
        _limits,
        _network,
        _engine,
        _clock,
        _proxy,
        _processor,
    ]
    return [check(installation) for check in checks]


def as_json(checks: list[Check]) -> str:
    """The document that ``clary doctor --json`` prints."""
    return json.dumps(
        {"ok": all(check.state != "fail" for check in checks), "checks": [asdict(each) for each in checks]}
    )


def render(checks: list[Check]) -> str:
    """The same for people."""
    marks = {"ok": "✓ ", "warn": "! ", "fail": "✗ "}
    lines = []
    for check in checks:
        lines.append(f"{marks[check.state]}{check.name:<12} {check.text}")
        lines += [f"{'':15}{line}" for line in check.remedy.splitlines()]
    failed = sum(check.state == "fail" for check in checks)
    warned = sum(check.state == "warn" for check in checks)
    lines.append("")
    if failed:
        lines.append(f"{failed} of {len(checks)} checks failed.")
    elif warned:
        lines.append(f"Clary works here; {warned} of {len(checks)} checks name something that could be better.")
    else:
        lines.append("Everything is in order.")
    return "\n".join(lines)


def _python(_: Installation) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", "ok", f"{version} ({sys.executable})")


def _uv(_: Installation) -> Check:
    from uv import find_uv_bin

    try:
        done = subprocess.run([find_uv_bin(), "--version"], capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        return Check(
            "uv", "fail", f"does not work, so no image can be prepared: {error}", "pip install --force-reinstall uv"
        )
    return Check("uv", "ok", done.stdout.strip())


def _home(installation: Installation) -> Check:
    home = installation.home
    if not home.exists():
        parent = next(folder for folder in home.parents if folder.exists())
        if not os.access(parent, os.W_OK | os.X_OK):
            return Check(
                "Home", "fail", f"{home} cannot be made: {parent} is not writable", "Choose another with --home."
            )
        return Check("Home", "ok", f"{home} (will be made by `clary up`)")
    if not home.is_dir():
        return Check("Home", "fail", f"{home} is not a folder", "Choose another one with --home.")
    state = home.stat()
    if state.st_uid != os.geteuid():
        return Check("Home", "fail", f"{home} belongs to another user", "Choose another one with --home.")
    if not os.access(home, os.W_OK | os.X_OK):
        return Check("Home", "fail", f"{home} is not writable", f"chmod u+rwx {home}")
    open_to_others = [path for path in (home, *_secrets(installation)) if path.stat().st_mode & 0o077]
    if open_to_others:
        names = " ".join(map(str, open_to_others))
        return Check("Home", "fail", f"other users can read {names}", f"chmod go-rwx {names}")
    return Check("Home", "ok", str(home))


def _secrets(installation: Installation) -> list[Path]:
    folder = installation.settings.secrets
    return [folder, *folder.iterdir()] if folder.is_dir() else []


def _sockets(installation: Installation) -> Check:
    length = len(os.fsencode(installation.home)) + _LONGEST_BELOW_HOME
    if length > _LONGEST_SOCKET_PATH:
        text = f"the path of the home folder is too long for sockets in it ({length} > {_LONGEST_SOCKET_PATH} bytes)"
        return Check("Sockets", "fail", text, "Choose a shorter one with --home.")
    folder = next(path for path in (installation.home, *installation.home.parents) if path.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check("Sockets", "warn", f"could not be tried in {folder}")
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".c") as scratch, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{scratch}/s")
    except OSError as error:
        text = f"the file system of {folder} takes no sockets: {error.strerror or error}"
        return Check("Sockets", "fail", text, "Choose a folder on a local disk with --home.")
    return Check("Sockets", "ok", f"work in {folder}")


def _disk(installation: Installation) -> Check:
    found: list[tuple[int, Path]] = []
    for wanted in (installation.home, installation.settings.cache):
        folder = next(path for path in (wanted, *wanted.parents) if path.exists())
        found.append((shutil.disk_usage(folder).free, wanted))
    least, where = min(found)
    text = f"{least / _GB:.1f} GB free in {where}"
    if least < _GB:
        return Check("Disk", "fail", text, "Make room: jobs need at least 1 GB.")
    if least < 5 * _GB:
        return Check("Disk", "warn", text, "Images need up to 3 GB each; make room if you want several.")
    return Check("Disk", "ok", text)


def _objects(installation: Installation) -> Check:
    kept = objects.describe(installation)
    if kept["store"] == "own":
        return Check("Objects", "ok", f"are kept in {kept['place']}")
    if kept["problem"]:
        remedy = "See objects_url in settings.toml, and that its server runs."
        return Check("Objects", "fail", f"are kept by {kept['place']}: {kept['problem']}", remedy)
    return Check("Objects", "ok", f"are kept by {kept['place']}, which answers")


def _port(installation: Installation) -> Check:
    settings = installation.settings
    with contextlib.suppress(Mistake):
        if (running := installation.running) is not None:
            return Check("Port", "ok", f"{running.port}: Clary runs there")
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        text = f"{settings.port} on {settings.host} cannot be used: {error.strerror or error}"
        return Check("Port", "fail", text, "Choose another one: clary up --port 7789")
    return Check("Port", "ok", f"{settings.port} on {settings.host} is free")


def _bubblewrap(_: Installation) -> Check:
    program = shutil.which("bwrap")
    cost = "jobs run without a sandbox, and network isolation is refused"
    if sys.platform != "linux":
        return Check("bubblewrap", "warn", f"exists on Linux only: {cost}", "Use a container engine for isolation.")
    if program is None:
        return Check("bubblewrap", "warn", f"is not installed: {cost}", "sudo apt-get install bubblewrap")
    trial = [
        program,
        "--unshare-all",
        "--die-with-parent",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "true",
    ]
    try:
        done = subprocess.run(trial, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.SubprocessError) as error:
        return Check("bubblewrap", "warn", f"cannot be started ({error}): {cost}", "sudo apt-get install bubblewrap")
    if done.returncode == 0:
        return Check("bubblewrap", "ok", f"works ({program})")
    reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return Check("bubblewrap", "warn", f"does not work here ({reason}): {cost}", _bubblewrap_remedy())


def _limits(_: Installation) -> Check:
    name = "Limits"
    if sys.platform != "linux":
        return Check(name, "warn", "of jobs are kept on Linux only: elsewhere their memory is not even looked at")
    unfiltered = "" if seccomp.program() else "; system calls are not filtered on this kind of processor"
    found = set(parents().values())
    if found:
        version = 2 if len(found) == 1 else 1
        return Check(name, "ok", f"of jobs in a sandbox are held by control groups (version {version}){unfiltered}")
    text = f"of memory and processes are watched instead of held, and CPU is not shared by weight{unfiltered}"
    return Check(name, "warn", text, "systemd-run --user --scope clary up")


def _network(installation: Installation) -> Check:
    name = "Job network"
    if installation.settings.job_network == "host":
        return Check(name, "warn", "jobs reach all that this machine reaches, its loopback too (job_network is host)")
    cost = "jobs in a sandbox reach Clary and no other machine"
    if shutil.which("slirp4netns") is None:
        return Check(name, "warn", f"{cost}: slirp4netns is missing", "sudo apt-get install slirp4netns")
    if not os.access(TUNNEL, os.R_OK | os.W_OK):
        return Check(name, "warn", f"{cost}: you may not use {TUNNEL}", f"sudo chmod 0666 {TUNNEL}")
    return Check(name, "ok", "jobs in a sandbox have networks of their own")


def _bubblewrap_remedy() -> str:
    if _kernel("apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor forbids user namespaces, as Ubuntu does since 23.10. Allow them to bubblewrap:\n"
            + _APPARMOR_PROFILE
        )
    if _kernel("unprivileged_userns_clone") == "0":
        return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if Path("/.dockerenv").exists():
        return "In a container: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined …"
    return "User namespaces seem to be forbidden; ask whoever runs this machine."


def _kernel(name: str) -> str:
    try:
        return Path(f"/proc/sys/kernel/{name}").read_text().strip()
    except OSError:
        return ""


def _engine(_: Installation) -> Check:
    silent = []
    for name in ("docker", "podman"):
        if (program := shutil.which(name)) is None:
            continue
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run([program, "info"], capture_output=True, check=False, timeout=10)
            if done.returncode == 0:
                return Check("Containers", "ok", f"{name} works ({program})")
        silent.append(name)
    if silent:
        return Check("Containers", "ok", f"{' and '.join(silent)} installed, but not answering; not needed")
    return Check("Containers", "ok", "no engine; not needed: official images run without one")


def _clock(installation: Installation) -> Check:
    """Signatures hold for 15 minutes, and files tell when things happened: both clocks must agree."""
    folder = next(path for path in (installation.home, *installation.home.parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".clary-") as file:
            skew = os.fstat(file.fileno()).st_mtime - time.time()
    except OSError:
        skew = 0.0
    if abs(skew) > 5:
        return Check(
            "Clock", "warn", f"files in {folder} are {skew:+.0f} s off this machine's clock", "Set the clocks by NTP."
        )
    if time.time() < 1_760_000_000:
        text = f"this machine believes that it is {time.strftime('%Y-%m-%d')}"
        return Check("Clock", "fail", text, "Set the clock: signatures of other machines would be refused.")
    return Check("Clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S %Z"))


def _proxy(installation: Installation) -> Check:
    names = [name for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY") if os.environ.get(name)]
    hosts = {host.strip() for name in ("no_proxy", "NO_PROXY") for host in os.environ.get(name, "").split(",")}
    if names and not hosts & {"*", installation.settings.host}:
        text = f"{names[0]} would get the requests to {installation.settings.host}"
        return Check("Proxy", "warn", text, f'eval "$({installation.command("env")})" sets NO_PROXY for you.')
    return Check("Proxy", "ok", "does not stand in the way" if names else "none")


def _processor(_: Installation) -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = f"{cores} cores, {memory / _GB:.1f} GB memory"
    if memory < 2 * _GB:
        return Check(
            "Machine", "warn", text, "With less than 2 GB, run one job at a time: max_jobs = 1 in settings.toml."
        )
    return Check("Machine", "ok", text)
