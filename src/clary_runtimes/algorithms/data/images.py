"""Images: folders with a subfolder for each class, and ``.lst`` files with labels and paths; decoded when asked for.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/IC-TF-HowItWorks.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data.source import no_data
from clary_runtimes.algorithms.data.table import NoDataError
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

Array = Any

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")


@dataclass(frozen=True)
class Image:
    """One image, not yet read."""

    path: Path
    label: tuple[float, ...]
    """Usually one number; several where the images have several labels."""

    def decode(self, size: tuple[int, int] | None = None) -> Array:
        """The pixels (height, width, 3), uint8, scaled to ``size`` (width, height) if that is given.

        Raises ``UserError`` if it is no image, or if the image of the job has no Pillow.
        """
        try:
            pillow = import_module("PIL.Image")
        except ImportError as error:
            raise UserError("This image cannot decode images: it has no Pillow") from error
        try:
            with pillow.open(self.path) as opened:
                picture = opened.convert("RGB")
                return np.asarray(picture if size is None else picture.resize(size, pillow.Resampling.BILINEAR))
        except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError) as error:
            raise UserError(
                f"{self.path.name}: it cannot be decoded: {error}; upload it as a complete JPEG or PNG file, or leave"
                " it out"
            ) from error


def image_folder(channel: Channel) -> tuple[list[Image], list[str]]:
    """The images of a channel with one subfolder a class, in order, and the names of the classes; an image's label is
    the number of its class. Raises ``UserError``."""
    found: list[tuple[Path, str]] = []
    for path in channel.files():
        if path.suffix.lower() not in SUFFIXES:
            continue
        parts = path.relative_to(channel.path).parts
        if len(parts) < 2:
            raise UserError(
                f"{path.name}: it lies in no subfolder of channel '{channel.name}'; put every image into a folder with"
                " the name of its class"
            )
        found.append((path, parts[0]))
    if not found:
        raise NoDataError(no_data(channel))
    classes = sorted({name for _, name in found})
    numbers = {name: float(number) for number, name in enumerate(classes)}
    return [Image(path, (numbers[name],)) for path, name in found], classes


def listed_images(images: Channel, listing: Channel, labels: int = 1) -> list[Image]:
    """The images that the ``.lst`` file of the channel ``listing`` names: lines of a number, ``labels`` labels and a
    path below the channel ``images``, separated by tabs. Raises ``UserError`` naming file and line."""
    files = [path for path in listing.files() if path.suffix == ".lst"]
    if len(files) != 1:
        raise UserError(f"Channel '{listing.name}' must have one .lst file, and it has {len(files)}")
    found = []
    try:
        lines = files[0].read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{files[0].name}: it is not UTF-8 text; save it as UTF-8") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            found.append(_listed(line.split("\t"), f"{files[0].name}, row {number}", images, labels))
    if not found:
        raise NoDataError(no_data(listing))
    return found


def _listed(cells: Sequence[str], where: str, images: Channel, labels: int) -> Image:
    if len(cells) != labels + 2:
        raise UserError(
            f"{where}: it has {len(cells)} columns where {labels + 2} are needed; separate number, label and path by"
            " tabs"
        )
    try:
        values = tuple(float(cell) for cell in cells[1:-1])
    except ValueError:
        raise UserError(f"{where}: the label {cells[1]!r} is not a number; number the classes from 0") from None
    path = images.path / cells[-1].strip()
    if not path.resolve().is_relative_to(images.path.resolve()) or not path.is_file():
        raise UserError(
            f"{where}: there is no file {cells[-1].strip()!r} in channel '{images.name}'; write paths relative to its"
            " S3 URI"
        )
    return Image(path, values)
