"""Agents say that something happened by sending their job's id; the row that it belongs to is in the id."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from pathlib import Path

# "TrainingJob-17", "Endpoint-23-1.0"
_JOB = re.compile(r"[A-Za-z]+-(\d{1,18})(?:-[\w.]+)?")


def row_of(job: str) -> int | None:
    """The row of the resource that a job belongs to; None for what is no job's id."""
    match = _JOB.fullmatch(job)
    return int(match[1]) if match is not None else None


class _Agents(asyncio.DatagramProtocol):
    def __init__(self, wake: Callable[[int], None]) -> None:
        self._wake = wake

    def datagram_received(self, data: bytes, addr: object) -> None:
        row = row_of(data.decode("ascii", "replace").strip())
        if row is not None:
            self._wake(row)


async def listen_for_agents(path: Path, wake: Callable[[int], None]) -> asyncio.BaseTransport:
    """Call ``wake`` with a row id whenever an agent has news.

    A message that is lost costs a second, because jobs are looked at anyway.
    """
    path.unlink(missing_ok=True)
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(path))
    path.chmod(0o600)
    receiver.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Agents(wake), sock=receiver)
    return transport
