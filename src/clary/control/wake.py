"""Agents say that something happened by sending their job's id; the row that it belongs to is in the id."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

# "TrainingJob-17", "Endpoint-23-1.0"
PASSED_ON = "Row"
"""What stands in place of a job's kind where a control process passes on what it heard."""
_JOB = re.compile(r"[A-Za-z]+-(\d{1,18})(?:-[\w.]+)?")


def row_of(job: str) -> int | None:
    """The row of the resource that a job belongs to; None for what is no job's id."""
    match = _JOB.fullmatch(job)
    return int(match[1]) if match is not None else None


class _Agents(asyncio.DatagramProtocol):
    def __init__(self, wake: Callable[[int, bool], None]) -> None:
        self._wake = wake

    def datagram_received(self, data: bytes, addr: object) -> None:
        job = data.decode("ascii", "replace").strip()
        row = row_of(job)
        if row is not None:
            self._wake(row, job.startswith(f"{PASSED_ON}-"))


class Others:
    """The other control processes of this installation: one of them may be at work on what another one heard of."""

    def __init__(self, sockets: Sequence[Path]) -> None:
        self._sockets = sockets
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)

    def tell(self, row_id: int) -> None:
        """Pass a row id on, to whoever has it. One that is not told looks by itself, a little later."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                self._sender.sendto(f"{PASSED_ON}-{row_id}".encode(), str(each))


async def listen_for_agents(path: Path, wake: Callable[[int, bool], None]) -> asyncio.BaseTransport:
    """Call ``wake`` with a row id whenever an agent has news, and whether another process has passed them on.

    A message that is lost costs a second, because jobs are looked at anyway.
    """
    path.unlink(missing_ok=True)
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(path))
    path.chmod(0o600)
    receiver.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Agents(wake), sock=receiver)
    return transport
