"""The filter of system calls for a sandbox: what containers are refused, too.

Most of it would need privileges that a job has not; the kernel's own mistakes in these calls are the reason to keep it
away from them. Besides: no namespaces, no input faked on a terminal, no sockets to the host of a virtual machine, which
no network namespace holds back.

Reference: https://docs.kernel.org/userspace-api/seccomp_filter.html, https://docs.docker.com/engine/security/seccomp/
"""

from __future__ import annotations

import errno
import os
import struct

# Number on x86-64, number on AArch64 (-1: there is none).
_REFUSED = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, -1),
    "iopl": (172, -1),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pivot_root": (155, 41),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
_CLONE, _CLONE3, _IOCTL, _SOCKET = (56, 220), (435, 435), (16, 29), (41, 198)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Which of the numbers hold, and ``AUDIT_ARCH_…``."""
_X32 = 0x40000000
"""Numbers from here on are calls of x86-64's other, rare convention."""
_NEW_NAMESPACES = 0x7E020000
"""``CLONE_NEWNS``, ``…CGROUP``, ``…UTS``, ``…IPC``, ``…USER``, ``…PID``, ``…NET``."""
_FAKED_INPUT = (0x5412, 0x541C)
"""``TIOCSTI`` and ``TIOCLINUX``."""
_VSOCK = 40

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST, _SECOND = 0, 4, 16, 24
"""Where the parts of ``struct seccomp_data`` begin; of the arguments the lower half."""
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000


def program(machine: str = "") -> bytes:
    """The filter for this machine or one called ``machine``, as the kernel takes it; empty if its system calls are not
    known here."""
    column, architecture = _MACHINES.get(machine or os.uname().machine, (-1, 0))
    if column < 0:
        return b""
    # A program of the 32-bit convention would have other numbers: it has no system calls at all.
    code = [
        _step(_LOAD, _MACHINE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _ERROR | errno.ENOSYS),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _ERROR | errno.ENOSYS),
        # Its arguments cannot be looked at, and the C library knows what to do without it.
        *_refuse(_EQUAL, _CLONE3[column], errno.ENOSYS),
    ]
    for numbers in _REFUSED.values():
        if numbers[column] >= 0:
            code += _refuse(_EQUAL, numbers[column], errno.EPERM)
    code += _arguments(_CLONE[column], _FIRST, _ANY_BIT, _NEW_NAMESPACES)
    code += _arguments(_IOCTL[column], _SECOND, _EQUAL, *_FAKED_INPUT)
    code += _arguments(_SOCKET[column], _FIRST, _EQUAL, _VSOCK)
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def _arguments(number: int, place: int, test: int, *values: int) -> list[bytes]:
    """Refuse a call where one of its arguments is as it must not be, and allow it otherwise."""
    inner = [_step(_LOAD, place)]
    for value in values:
        inner += _refuse(test, value, errno.EPERM)
    inner.append(_step(_RETURN, _ALLOW))
    return [_step(_EQUAL, number, 0, len(inner)), *inner]


def _refuse(test: int, value: int, error: int) -> list[bytes]:
    return [_step(test, value, 0, 1), _step(_RETURN, _ERROR | error)]


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)
