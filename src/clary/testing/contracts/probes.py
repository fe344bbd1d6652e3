"""Tries what is around a job, and prints a line beginning with "got" for everything that it gets hold of.

Arguments say what there is: ``process=PID``, ``file=PATH``, ``socket=PATH``, ``abstract=NAME``, ``shared=KEY``; with
``inside`` it tries the system as well, which only a job may do: elsewhere it would succeed.
"""

import ctypes
import fcntl
import os
import platform
import socket
import sys

C = ctypes.CDLL(None, use_errno=True)


def got(what: str, detail: object = "") -> None:
    """Say it."""
    print("got", what, detail, flush=True)


def around(kind: str, value: str) -> None:
    """Reach for one thing on the machine."""
    if kind == "process":
        try:
            os.kill(int(value), 0)
            got("process", value)
        except OSError:
            pass
        if C.ptrace(16, int(value), 0, 0) == 0:  # PTRACE_ATTACH
            got("process to trace", value)
            C.ptrace(17, int(value), 0, 0)
        for each in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{each}/environ", "rb") as file:
                    if b"secret" in file.read():
                        got("environment of", each)
            except OSError:
                pass
    if kind == "file":
        for path in (value, "/proc/1/root" + value, "/proc/self/cwd/" + "../" * 30 + value):
            try:
                with open(path, "rb") as file:
                    got("file", (path, file.read()))
            except OSError:
                pass
    if kind in ("socket", "abstract"):
        try:
            socket.socket(socket.AF_UNIX).connect("\0" + value if kind == "abstract" else value)
            got(kind, value)
        except OSError:
            pass
    if kind == "shared" and C.shmget(int(value), 0, 0) >= 0:
        got("shared memory", value)


def calls() -> None:
    """System calls for which containers have no use."""
    flags = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000, "pid": 0x20000000, "cgroup": 0x02000000}
    for name, flag in flags.items():
        if C.unshare(flag) == 0:
            got("namespace", name)
    if C.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0:
        got("mount")
    if C.umount2(b"/usr", 2) == 0:
        got("umount")
    numbers = {
        "x86_64": {
            "add_key": (248, b"user", b"name", b"text", 4, -2),
            "keyctl": (250, 0, -3, 0),
            "bpf": (321, 0, 0, 0),
            "perf_event_open": (298, 0, 0, -1, -1, 0),
            "userfaultfd": (323, 0),
            "io_uring_setup": (425, 1, 0),
            "open_by_handle_at": (304, -1, 0, 0),
            "kexec_load": (246, 0, 0, 0, 0),
            "init_module": (175, 0, 0, 0),
            "pivot_root": (155, b"/tmp", b"/tmp"),
            "setns": (308, 0, 0),
            "fsopen": (430, b"tmpfs", 0),
            "reboot": (169, 0, 0, 0, 0),
        }
    }.get(platform.machine(), {})
    for name, arguments in numbers.items():
        ctypes.set_errno(0)
        if C.syscall(*arguments) >= 0 or ctypes.get_errno() != 1:
            got("call " + name, ctypes.get_errno())
    for name, request in (("TIOCSTI", 0x5412), ("TIOCLINUX", 0x541C)):
        try:
            fcntl.ioctl(0, request, b"x")
            got("call " + name)
        except OSError as error:
            if error.errno != 1:
                got("call " + name, error)
    try:
        socket.socket(40, socket.SOCK_STREAM)
        got("call socket to the host of the machine")
    except OSError:
        pass


def privileges() -> None:
    """What the process is allowed."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    if status["NoNewPrivs"] != "1":
        got("new privileges")
    for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
        if int(status[name], 16):
            got("capabilities", name)
    if status.get("Seccomp") != "2":
        got("call of any kind")
    with open("/proc/self/mountinfo") as file:
        for line in file:
            place, modes = line.split()[4:6]
            if "nosuid" not in modes.split(","):
                got("setuid programs", place)
    for each in os.listdir("/proc/self/fd"):
        try:
            if int(each) > 2:
                got("descriptor", (each, os.readlink("/proc/self/fd/" + each)))
        except OSError:
            pass  # that of the listing itself


def system() -> None:
    """What could be changed, and what tells of the machine."""
    places = [
        "/usr/bin/x",
        "/etc/passwd",
        "/etc/ssl/certs/x",
        "/opt/clary/clary_runtimes/x",
        sys.prefix + "/x",
        os.path.dirname(os.__file__) + "/x",
    ]
    places += ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/devices/system/cpu/x"]
    for path in places:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
            got("system file", path)
        except OSError:
            pass
    for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/etc/shadow", "/root", "/home", "/sys/fs/cgroup"):
        try:
            with open(path, "rb") as file:
                if file.read(1):
                    got("system secret", path)
        except IsADirectoryError:
            # The interpreter itself may lie there.
            if set(os.listdir(path)) - set(sys.base_prefix.split("/")):
                got("system folder", path)
        except OSError:
            pass
    for name in ("kmsg", "mem", "vda", "sda", "kvm", "fuse", "net", "vsock", "loop-control", "snapshot"):
        if os.path.exists("/dev/" + name):
            got("device", name)
    try:
        os.mknod("/tmp/null", 0o20666, os.makedev(1, 3))
        got("device made")
    except OSError:
        pass
    if len(list(filter(str.isdigit, os.listdir("/proc")))) > 8:
        got("processes of others")
    if socket.gethostname() != "algo-1":
        got("host name", socket.gethostname())


for word in sys.argv[1:]:
    if "=" in word:
        around(*word.split("=", 1))
if "inside" in sys.argv:
    privileges()
    system()
    calls()
