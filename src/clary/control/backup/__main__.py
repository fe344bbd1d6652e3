"""``python -m clary.control.backup backup|restore``: prints JSON, a line at a time, for the command line.

How far it is: ``{"bytes": …, "of": …}``; at the end ``{"done": {…}}`` or ``{"error": "…"}``, with the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from clary.control.backup.files import BackupError
from clary.control.backup.restore import Wish as RestoreWish
from clary.control.backup.restore import restore
from clary.control.backup.write import Wish as BackupWish
from clary.control.backup.write import backup
from clary.core.settings import SettingsError, load

_TELL_SECONDS = 0.2


class _Teller:
    """Tells how far it is, not too often."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, done: int, total: int) -> None:
        if done >= total or time.monotonic() - self._told > _TELL_SECONDS:
            self._told = time.monotonic()
            _say({"bytes": done, "of": total})


def _say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)  # noqa: T201


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m clary.control.backup")
    parser.add_argument("--home", type=Path, required=True)
    words = parser.add_subparsers(dest="what", required=True)
    making = words.add_parser("backup")
    making.add_argument("target", type=Path)
    making.add_argument("--without-secrets", action="store_true")
    making.add_argument("--link", action="store_true")
    making.add_argument("--since", type=Path)
    restoring = words.add_parser("restore")
    restoring.add_argument("source", type=Path)
    restoring.add_argument("--replace", action="store_true")
    restoring.add_argument("--master-key", type=Path)
    return parser.parse_args()


def main() -> int:
    """Do it; the exit status is 1 if it cannot be done."""
    # What is half done is removed also when somebody stops it in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = _arguments()
    home = options.home.expanduser().absolute()
    try:
        if options.what == "backup":
            wish = BackupWish(options.target, not options.without_secrets, options.link, options.since)
            _say({"done": backup(load(home), wish, _Teller())})
        else:
            _say({"done": restore(home, RestoreWish(options.source, options.replace, options.master_key), _Teller())})
    except (BackupError, SettingsError) as error:
        _say({"error": str(error)})
    except OSError as error:
        _say({"error": f"{error.strerror}: {error.filename}" if error.filename else str(error)})
    except sqlite3.Error as error:
        _say({"error": f"a database cannot be read or written: {error}"})
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
