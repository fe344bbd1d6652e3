"""Build one environment: ``python -m clary.compute.images.build CACHE IMAGE [LOCK]``, as ``ImageStore.ensure`` starts
it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from clary.compute.images.catalog import catalogue
from clary.compute.images.environments import BuildError, ImageStore
from clary.core.settings import Settings


def main(cache: str, name: str, lock: str = "") -> int:
    """Build the environment of the image ``name`` below ``cache``; ``lock`` is a descriptor of its lock, held by the
    caller."""

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    if lock:
        os.set_inheritable(int(lock), False)
    store = ImageStore(Settings(home=Path(cache), cache=Path(cache)))
    try:
        store.build(catalogue().images[name], say, int(lock) if lock else None)
    except BuildError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
