"""The bytes of a channel, pass by pass: its files, or the FIFO of the next epoch.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

PATIENCE_S = 60.0
"""Seconds within which the FIFO of an epoch must be there; the platform makes it before it is needed."""
BUFFER = 1 << 20

_epochs: dict[Path, int] = {}
"""The next epoch of each streamed channel. A process reads every epoch once, whoever asks for it."""

_FOREIGN = {
    b"\x1f\x8b": "gzip data; unpack it, or stream it in Pipe mode with CompressionType Gzip",
    b"PK\x03\x04": "a zip archive; unpack it",
    b"PAR1": "a Parquet file; set the channel's ContentType to application/x-parquet",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"\x0a\x23\xd7\xce": "RecordIO data; set the channel's ContentType to application/x-recordio-protobuf",
}


class Stream(NamedTuple):
    """One file, or all that comes through one FIFO. ``name`` says which in messages."""

    name: str
    file: BinaryIO
    path: Path | None
    """None for a FIFO."""


def is_streamed(channel: Channel) -> bool:
    """Whether the channel comes through FIFOs, so that every pass over it is fetched anew."""
    return channel.input_mode == "Pipe"


def streams(channel: Channel) -> Iterator[Stream]:
    """One pass over the channel, file by file; what is not read of a FIFO is not sent.

    Raises ``UserError`` for files that cannot be read.
    """
    if is_streamed(channel):
        with _next_epoch(channel) as file:
            yield Stream(f"channel '{channel.name}'", file, None)
        return
    for path in channel.files():
        try:
            file = path.open("rb", buffering=BUFFER)
        except OSError as error:
            raise UserError(f"{path.name}: it cannot be read: {error.strerror}") from error
        with file:
            yield Stream(_name(channel, path), file, path)


def size_of(channel: Channel) -> int | None:
    """Bytes of the channel; None if it comes through FIFOs and nobody knows."""
    return None if is_streamed(channel) else sum(path.stat().st_size for path in channel.files())


def refuse_foreign(data: bytes, name: str) -> None:
    """Raise ``UserError`` if a file that should be text begins like one that is not."""
    for mark, what in _FOREIGN.items():
        if data.startswith(mark):
            raise UserError(f"{name}: it is {what}")


def no_data(channel: Channel) -> str:
    """What to say of a channel in which there is no row."""
    return (
        f"No data in channel '{channel.name}' ({channel.path}); check that its S3 URI is right and that the objects"
        " there are not empty"
    )


def _name(channel: Channel, path: Path) -> str:
    return str(path.relative_to(channel.path)) if path != channel.path else path.name


@contextlib.contextmanager
def _next_epoch(channel: Channel) -> Iterator[BinaryIO]:
    epoch = _epochs.get(channel.path, 0)
    _epochs[channel.path] = epoch + 1
    path = channel.path.with_name(f"{channel.path.name}_{epoch}")
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{path} is not there: the platform does not stream epoch {epoch}")
        time.sleep(0.01)
    with path.open("rb", buffering=BUFFER) as file:
        yield file
