"""``clary backup`` and ``clary restore``: run the program that does it, and show how far it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from clary.cli.installation import Installation
from clary.cli.mistakes import Mistake

Document = dict[str, Any]


def run(installation: Installation, words: Sequence[str], progress: Callable[[int, int], None]) -> Document:
    """Run it as a process of its own: the command line loads neither the state nor the store. Raises ``Mistake``."""
    command = [sys.executable, "-P", "-m", "clary.control.backup", "--home", str(installation.home), *words]
    last: Document = {}
    # In a group of its own, so that an interrupt comes once, from here.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0) as process:
        assert process.stdout is not None
        try:
            for text in process.stdout:
                last = json.loads(text)
                if "of" in last:
                    progress(last["bytes"], last["of"])
        except BaseException:
            process.terminate()
            raise
    if "done" not in last:
        raise Mistake(last.get("error", "it ended unexpectedly; see the message above"))
    done: Document = last["done"]
    return done


def made(done: Document) -> str:
    """What is said of a backup that was made."""
    lines = [f"Backup of {done['time']} in {done['backup']}: {_contents(done)}"]
    if not done["secrets"]:
        lines.append("It holds no secrets. To restore it, `clary restore --master-key FILE` needs secrets/master.key,")
        lines.append("which without a copy of its own is lost together with this home folder.")
    if done["masterKeyFile"]:
        lines.append(f"Without {done['masterKeyFile']}, which is not in it, nothing encrypted in it can be read.")
    if done["externalObjects"]:
        lines.append(f"The objects are in {done['externalObjects']}, and not in this backup.")
    return "\n".join(lines)


def restored(done: Document, installation: Installation) -> str:
    """What is said of a backup that was restored."""
    lines = [f"The backup of {done['time']} is in {done['home']}: {_contents(done)}"]
    if done["aside"]:
        lines.append(f"What was there before is in {done['aside']}")
    lines.append(f"Start it with: {installation.command('up')}")
    return os.linesep.join(lines)


def _contents(done: Document) -> str:
    return (
        f"{done['files']:,} files and {done['blobs']:,} blobs, {done['bytes'] / 1e6:,.1f} MB, {done['seconds']:.1f} s"
    )
