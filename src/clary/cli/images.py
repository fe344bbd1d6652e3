"""The images of the catalogue on this machine: which there are, and their environments."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clary.cli.installation import Installation
from clary.cli.mistakes import Mistake
from clary.compute.images.bundle import BundleError, export_images, import_images
from clary.compute.images.catalog import Image, ImageNotExact, ImageNotFound, catalogue
from clary.compute.images.environments import BuildError, ImageStore


def show(installation: Installation, as_json: bool) -> None:
    """Print all images, with the URIs that they stand for and whether their environments are ready."""
    store = ImageStore(installation.settings)
    rows = [(image, store.progress_of(image)) for image in catalogue().images.values()]
    if as_json:
        document: list[dict[str, Any]] = [
            {
                "name": image.name,
                "title": image.title,
                "python": image.python,
                "examples": list(image.examples),
                "packages": list(image.requirements),
                "state": progress.state,
                "message": progress.message,
                "environment": str(store.environment(image)) if progress.state == "ready" else None,
            }
            for image, progress in rows
        ]
        print(json.dumps(document))
        return
    width = max(len(image.name) for image, _ in rows)
    for image, progress in rows:
        print(f"{image.name:<{width}}  {progress.state:<8}  {image.title}")
        print(f"{'':<{width}}            {', '.join(image.examples)}")
        if progress.state == "failed":
            print(f"{'':<{width}}            {progress.message}")


def chosen(names: Sequence[str]) -> list[Image]:
    """The images that ``names`` mean: names of the catalogue, URIs, or ``all``. Raises ``Mistake``."""
    known = catalogue().images
    found: dict[str, Image] = {}
    for name in names:
        if name == "all":
            found |= known
        elif name in known:
            found[name] = known[name]
        else:
            try:
                image = catalogue().find(name).image
            except (ImageNotFound, ImageNotExact) as error:
                raise Mistake(str(error)) from error
            found[image.name] = image
    return list(found.values())


def pull(installation: Installation, names: Sequence[str]) -> None:
    """Build the environments of images, showing what happens."""
    store = ImageStore(installation.settings)
    failures = []
    for image in chosen(names):
        if store.progress_of(image).state == "ready":
            print(f"{image.name}: ready")
            continue
        began = time.monotonic()
        print(f"{image.name}: building ({len(image.requirements)} packages)", flush=True)
        try:
            store.build(image, _line)
        except BuildError as error:
            failures.append(f"{image.name}: {error}")
            continue
        _clear()
        print(f"{image.name}: ready after {time.monotonic() - began:.1f} s")
    if failures:
        raise Mistake("\n".join(failures))


def export(installation: Installation, names: Sequence[str], file: Path) -> None:
    """Write the environments of images to a tar file; those that are missing are built first."""
    images = chosen(names)
    if not file.expanduser().absolute().parent.is_dir():
        raise Mistake(f"there is no folder {file.parent}")
    pull(installation, [image.name for image in images])
    try:
        export_images(ImageStore(installation.settings), images, file.expanduser().absolute(), print)
    except BundleError as error:
        raise Mistake(str(error)) from error
    print(f"{file}: {file.expanduser().stat().st_size / (1 << 20):.0f} MB")


def take_in(installation: Installation, file: Path) -> None:
    """Take the environments of a tar file that ``export`` wrote."""
    try:
        taken = import_images(ImageStore(installation.settings), file.expanduser(), print)
    except BundleError as error:
        raise Mistake(str(error)) from error
    except FileNotFoundError as error:
        raise Mistake(f"there is no file {file}") from error
    print(f"Imported: {', '.join(taken)}" if taken else "All of its images are here already.")


def _line(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r\x1b[K  {text[:100]}", end="", flush=True)
    else:
        print(f"  {text}", flush=True)


def _clear() -> None:
    if sys.stdout.isatty():
        print("\r\x1b[K", end="")
