"""``clary doctor --deep``: reads everything that is stored, and says what is no longer as it was written."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from clary.cli.doctor import Check
from clary.cli.installation import Installation

_SHOWN = 5
_REMEDY = "Restore these objects from a backup, or write them anew; everything else is whole."


def examine(installation: Installation, progress: Callable[[int, int], None]) -> list[Check]:
    """The checks of the database and of all objects; ``progress`` is told bytes read and bytes in all."""
    return [_database(installation), _objects(installation, progress)]


def _database(installation: Installation) -> Check:
    path = installation.settings.home / "state" / "clary.db"
    if installation.settings.database:
        return Check("database", "ok", "is elsewhere, and its own tools look after it")
    if not path.exists():
        return Check("database", "ok", "is not there yet")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.Error as error:
        problems = [str(error)]
    if problems == ["ok"]:
        return Check("database", "ok", f"{path} is whole")
    return Check("database", "fail", f"{path}: {problems[0]}", "Restore it from a backup.")


def _objects(installation: Installation, progress: Callable[[int, int], None]) -> Check:
    root = installation.settings.objects
    if installation.settings.objects_url:
        return Check("objects", "ok", "lie in an external store, which its own tools look after")
    if not (root / "index.db").exists():
        return Check("objects", "ok", "there are none yet")
    damaged: list[str] = []
    sums: dict[str, Any] = {}
    for line in _lines(str(root)):
        if "of" in line:
            progress(line["bytes"], line["of"])
        elif "damaged" in line and "what" in line:
            places = line["objects"] or [f"blob {line['damaged']}"]
            damaged += [f"{place}: {line['what']}" for place in places]
        elif line.get("done"):
            sums = line
    if not sums:
        return Check("objects", "fail", f"the store in {root} cannot be read", "See the message above.")
    if damaged:
        more = f" and {len(damaged) - _SHOWN} more" if len(damaged) > _SHOWN else ""
        return Check("objects", "fail", "damaged: " + "; ".join(damaged[:_SHOWN]) + more, _REMEDY)
    read = f"{sums['blobs']:,} pieces of objects, {sums['bytes'] / 1e6:,.1f} MB, are as they were written"
    if sums["unknown"]:
        read += f" ({sums['unknown']:,} of them from an older version, compared by size alone)"
    return Check("objects", "ok", read)


def _lines(root: str) -> Iterator[dict[str, Any]]:
    """What the check prints, run as a process of its own: the command line does not load the store."""
    command = [sys.executable, "-P", "-m", "clary.objects.check", root]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            yield json.loads(text)
