"""Files that are whole or absent, and that only this user can read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private(path: Path, content: str | bytes) -> None:
    """Write ``path`` at once, readable by this user alone: a crash leaves the old content or the new, never a part."""
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 - the temporary name is a string
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
