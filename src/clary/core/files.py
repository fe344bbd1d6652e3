"""Files that are whole or absent, and that only this user can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_private(path: Path, content: str | bytes, *, replace: bool = True) -> None:
    """Write ``path`` at once and durably, readable by this user alone.

    A crash leaves the old content or the new, never a part. A file that exists stays unless ``replace``.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            try:
                # A hard link, unlike a rename, fails when another process was faster.
                path.hardlink_to(draft)
            except FileExistsError:
                return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)
