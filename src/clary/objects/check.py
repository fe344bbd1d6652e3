"""Reads everything that a store holds and compares it with what was written: ``python -m clary.objects.check FOLDER``.

It may run beside the process that has the store open. It prints JSON, a line at a time: how far it is, what is damaged,
and at the end the sums.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .blobs import BlobFiles, Numbers
from .index import connect
from .sealing import sealed_size

_PIECE = 1 << 20
_PAGE = 1000
_TELL_SECONDS = 0.5


@dataclass
class Sums:
    """What has been looked at so far, in blobs and bytes of their content."""

    blobs: int = 0
    bytes: int = 0
    damaged: int = 0
    unknown: int = 0
    """Blobs that were written before digests were kept, of which only the size was compared."""


def check(root: Path) -> Iterator[dict[str, Any]]:
    """The lines to print for the store in ``root``. Raises ``sqlite3.Error`` for an index that cannot be read."""
    connection = connect(root / "index.db", write=False)
    try:
        for (problem,) in connection.execute("PRAGMA quick_check"):
            if problem != "ok":
                yield {"damaged": "index.db", "what": problem, "objects": []}
        files = BlobFiles(root / "blobs", Numbers(0))
        total = connection.execute("SELECT coalesce(sum(size), 0) FROM blobs").fetchone()[0]
        sums, told, after = Sums(), time.monotonic(), 0
        while rows := connection.execute(
            "SELECT id, size, data, digest, envelope IS NOT NULL FROM blobs WHERE id > ? ORDER BY id LIMIT ?",
            (after, _PAGE),
        ).fetchall():
            for blob, size, data, digest, sealed in rows:
                after = blob
                problem = _problem(files.path(blob), sealed_size(size) if sealed else size, data, digest)
                if problem and _is_there(connection, blob):
                    sums.damaged += 1
                    yield {"damaged": f"{blob:x}", "what": problem, "objects": _objects(connection, blob)}
                sums.blobs, sums.bytes, sums.unknown = sums.blobs + 1, sums.bytes + size, sums.unknown + (not digest)
                if time.monotonic() - told > _TELL_SECONDS:
                    told = time.monotonic()
                    yield {"bytes": sums.bytes, "of": total}
        yield {"done": True, **vars(sums)}
    finally:
        connection.close()


def _problem(path: Path, size: int, data: bytes | None, digest: str) -> str:
    """What is wrong with a blob; empty if nothing is."""
    kind, _, wanted = digest.partition(":")
    md5, crc, length = hashlib.md5(usedforsecurity=False), 0, 0
    try:
        for piece in _pieces(path) if data is None else [data]:
            length += len(piece)
            if kind == "md5":
                md5.update(piece)
            elif kind == "crc32":
                crc = zlib.crc32(piece, crc)
    except FileNotFoundError:
        return "its file is missing"
    except OSError as error:
        return f"its file cannot be read: {error.strerror}"
    if length != size:
        return f"it has {length} bytes instead of {size}"
    found = {"md5": md5.hexdigest(), "crc32": f"{crc:08x}"}.get(kind, wanted)
    return "" if found == wanted else "its bytes have changed"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while piece := file.read(_PIECE):
            yield piece


def _is_there(connection: sqlite3.Connection, blob: int) -> bool:
    """Whether the blob still belongs to the store, which is in use meanwhile."""
    return connection.execute("SELECT 1 FROM blobs WHERE id = ?", (blob,)).fetchone() is not None


def _objects(connection: sqlite3.Connection, blob: int) -> list[str]:
    """The objects, and the uploads under way, that a blob is a part of. It takes a look at all of them."""
    rows = connection.execute(
        "SELECT b.name, o.key, o.version FROM objects AS o JOIN buckets AS b ON b.id = o.bucket WHERE o.blob = ? "
        "OR o.sequence IN (SELECT sequence FROM segments WHERE blob = ?) "
        "UNION ALL SELECT b.name, u.key, 'upload ' || u.id FROM parts AS p JOIN uploads AS u ON u.id = p.upload "
        "JOIN buckets AS b ON b.id = u.bucket WHERE p.blob = ?",
        (blob, blob, blob),
    )
    return [
        f"s3://{bucket}/{key.decode(errors='replace')}" + ("" if version == "null" else f" ({version})")
        for bucket, key, version in rows
    ]


def main() -> int:
    """Print the lines; the exit status is 1 if something is damaged."""
    damaged = False
    for line in check(Path(sys.argv[1])):
        damaged |= "objects" in line
        print(json.dumps(line), flush=True)  # noqa: T201
    return int(damaged)


if __name__ == "__main__":
    sys.exit(main())
