"""The first process in the network of a job: it prepares it, and lets in and out what may pass.

It runs inside the job's network and outside of its sandbox. It gives the agent, to which it is connected, the socket on
which the job finds the platform; it lives until the agent closes the other end.

Reference: https://man7.org/linux/man-pages/man7/rtnetlink.7.html
"""

from __future__ import annotations

import _socket as socket
import errno
import os
import sys

from clary.compute.agent.relay import relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BACKLOG = 128
METADATA = (("169.254.0.0", 16), ("168.63.129.16", 32), ("100.100.100.200", 32))
"""Where clouds give their machines credentials and metadata (AWS, Google and Azure link-locally; Azure; Alibaba): a job
is not the machine's owner."""
_NEW_ADDRESS, _NEW_ROUTE = 20, 24
_REQUEST, _ACKNOWLEDGE, _CREATE = 0x1, 0x4, 0x400
_MAIN_TABLE, _BY_ADMINISTRATOR, _UNREACHABLE = 254, 4, 7
_LOOPBACK = 1
"""The number of the interface ``lo`` in every network."""


def main(link: str, outside: str, platform: str, platform_port: str, entrance: str, port: str) -> int:
    """Prepare the network, say so, and stay.

    ``link`` is the descriptor of the connection with the agent, ``outside`` is not empty if there will be a way to
    other machines, ``platform`` and its port are where the job finds the platform, and connections to the socket
    ``entrance`` are carried on to the ``port`` in the network; each may be empty.
    """
    agent = socket.socket(fileno=int(link))
    if outside:
        for address, bits in METADATA:
            _make_unreachable(address, bits)
    passed = b""
    if platform:
        family = socket.AF_INET6 if ":" in platform else socket.AF_INET
        if not platform.startswith("127.") and platform != "::1":
            add_address(family, platform)
        listener = _listener(family, (platform, int(platform_port)))
        passed = listener.fileno().to_bytes(4, sys.byteorder)
    if entrance:
        relay(_listener(socket.AF_UNIX, entrance), lambda: connected(socket.AF_INET, ("127.0.0.1", int(port))))
    agent.sendmsg([b"%d" % os.getpid()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)] if passed else [])
    agent.recv(1)  # the agent says nothing more: it ends
    return 0


def _listener(family: int, address: Any) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    made.bind(address)
    made.listen(BACKLOG)
    return made


def connected(family: int, address: Any) -> socket.socket:
    """A connection to ``address``. Raises ``OSError``."""
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


def _make_unreachable(address: str, bits: int) -> None:
    head = bytes((socket.AF_INET, bits, 0, 0, _MAIN_TABLE, _BY_ADMINISTRATOR, 0, _UNREACHABLE)) + _number(0)
    _ask(_NEW_ROUTE, head + _attribute(1, socket.inet_aton(address)))


def add_address(family: int, address: str) -> None:
    """Make this address one of the network itself, so that what is asked for there can be answered here."""
    raw = socket.inet_pton(family, address)
    head = bytes((family, 8 * len(raw), 0, 0)) + _number(_LOOPBACK)
    _ask(_NEW_ADDRESS, head + _attribute(2, raw) + _attribute(1, raw))


def _attribute(kind: int, value: bytes) -> bytes:
    return _number(4 + len(value), 2) + _number(kind, 2) + value


def _number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, sys.byteorder)


def _ask(kind: int, body: bytes) -> None:
    """Have the kernel change the network. Raises ``OSError`` if it does not."""
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    flags = _REQUEST | _ACKNOWLEDGE | _CREATE
    head = _number(16 + len(body)) + _number(kind, 2) + _number(flags, 2) + _number(1) + _number(0)
    kernel.send(head + body)
    answer = kernel.recv(4096)
    kernel.close()
    code = -int.from_bytes(answer[16:20], sys.byteorder, signed=True)
    if code and code != errno.EEXIST:
        raise OSError(code, os.strerror(code))
