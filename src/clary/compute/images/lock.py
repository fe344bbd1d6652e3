"""Compute the locked requirements of the catalogue anew: ``python -m clary.compute.images.lock [name ...]``."""

from __future__ import annotations

import re
import subprocess
import sys

from uv import find_uv_bin

from clary.compute.images.catalog import FOLDER, Catalogue, Image
from clary.compute.images.overlays import uv_environment

_LOCK = re.compile(r"^requirements = \[.*?^\]\n", re.MULTILINE | re.DOTALL)


def resolve(image: Image) -> list[str]:
    """Exact versions of everything that ``image.wanted`` needs, wheels only. Raises ``CalledProcessError``."""
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--python-version", image.python, "--only-binary", ":all:"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "-"]
    # The folders of this machine may have what the image's own index has.
    for more in ([], ["--index", image.index]) if image.index else ([],):
        done = subprocess.run(
            [*command, *more], input="\n".join(image.wanted), text=True, env=uv_environment(), stdout=subprocess.PIPE
        )
        if done.returncode == 0:
            break
    done.check_returncode()
    return [line.strip() for line in done.stdout.splitlines() if "==" in line]


def main(names: list[str]) -> int:
    """Rewrite the ``requirements`` of the named images (all of them if none is named)."""
    for image in Catalogue().images.values():
        if (names and image.name not in names) or not image.wanted:
            continue
        lock = "requirements = [\n" + "".join(f'    "{line}",\n' for line in resolve(image)) + "]\n"
        file = FOLDER / f"{image.name}.toml"
        parts = _LOCK.split(file.read_text("utf-8"))
        if len(parts) != 2:
            sys.stderr.write(f"{file}: needs exactly one `requirements = [` block\n")
            return 1
        file.write_text(lock.join(parts), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
