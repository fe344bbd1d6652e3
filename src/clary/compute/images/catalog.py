"""The catalogue of images: official image URIs, and the locked environment that stands for each.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import platform
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.compute.spec import ImageSpec

FOLDER = Path(__file__).parents[2] / "images"
"""Where the TOML files lie: one for each image."""

_REGISTRY = re.compile(
    r"^(?:\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?|public\.ecr\.aws(?:/[a-z0-9-]+)?)/"
)
_FORMAT = "1"  # part of every digest: raise it when environments must be built anew


class ImageNotFound(LookupError):
    """No image of the catalogue fits the URI; ``nearest`` are known ones that resemble it."""

    def __init__(self, uri: str, nearest: Sequence[str]) -> None:
        self.uri = uri
        self.nearest = list(nearest)
        known = f" The nearest known images: {', '.join(nearest)}." if nearest else ""
        super().__init__(
            f"The image {uri!r} is not in the catalogue of images.{known} `clary images list` shows all of them."
        )


class ImageNotExact(LookupError):
    """The catalogue has only an approximation of the image, and strict mode refuses approximations."""


class CatalogueError(ValueError):
    """A file of the catalogue is wrong."""


@dataclass(frozen=True)
class Image:
    """One environment of the catalogue."""

    name: str
    title: str
    repositories: tuple[str, ...]
    tags: tuple[str, ...]
    """Regular expressions for the tags that this image stands for exactly."""
    nearest: tuple[tuple[str, str], ...]
    """Regular expressions for tags that this image only comes near to, each with a note for the log."""
    examples: tuple[str, ...]
    """``repository:tag`` as users write it; the first is shown in lists and errors."""
    python: str
    """The Python version, ``major.minor``."""
    wanted: tuple[str, ...]
    """What the lock was computed from."""
    requirements: tuple[str, ...]
    """Every package with its exact version."""
    index: str
    """The index of the packages whose version has a local part (``+cpu``): the public one takes none of these."""
    train: tuple[str, ...]
    serve: tuple[str, ...]
    variables: Mapping[str, str]
    preload: tuple[str, ...]
    """Modules that nearly every job of it imports."""
    compiles: str
    """The module whose run leaves compiled code of Clary's own in the environment; empty if there is none."""
    notes: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Names the built environment: changes with the Python version, a requirement or the kind of machine."""
        document = [_FORMAT, self.python, sorted(self.requirements), platform.system(), platform.machine()]
        return hashlib.sha256(json.dumps(document).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Match:
    """An image found for a URI."""

    uri: str
    image: Image
    notes: tuple[str, ...]
    """What is approximated; empty if nothing is."""
    exact: bool

    def spec(self, environment: Path | None, paths: Sequence[str] = ()) -> ImageSpec:
        """The image as a job names it, with its environment built in ``environment`` (None: not yet)."""
        return ImageSpec(
            uri=self.uri,
            environment=str(environment or ""),
            python=str(environment / "bin" / "python") if environment else "",
            paths=list(paths),
            train=list(self.image.train),
            serve=list(self.image.serve),
            variables=dict(self.image.variables),
            preload=list(self.image.preload),
            notes=list(self.notes),
        )


class Catalogue:
    """All images of a folder of TOML files. Raises ``CatalogueError`` if one cannot be read."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.images: dict[str, Image] = {}
        for file in sorted(folder.glob("*.toml")):
            image = _read(file)
            self.images[image.name] = image

    def find(self, uri: str, *, strict: bool = False) -> Match:
        """The image that stands for ``uri``: an official URI of any account and region, or ``repository:tag`` alone.

        Raises ``ImageNotFound``, and with ``strict`` ``ImageNotExact`` where only an approximation is known.
        """
        repository, tag = split(uri)
        for image in self.images.values():
            if repository in image.repositories and any(re.fullmatch(tags, tag) for tags in image.tags):
                return Match(uri, image, image.notes, exact=True)
        for image in self.images.values():
            for tags, note in image.nearest:
                if repository in image.repositories and re.fullmatch(tags, tag):
                    if strict:
                        raise ImageNotExact(
                            f"The image {uri!r} is only approximated: {note} Strict mode refuses approximations."
                        )
                    return Match(uri, image, (note, *image.notes), exact=False)
        raise ImageNotFound(uri, self._resembling(repository, tag))

    def _resembling(self, repository: str, tag: str) -> list[str]:
        same = [
            example for image in self.images.values() if repository in image.repositories for example in image.examples
        ]
        if same:
            return sorted(same)[:5]
        known = {example: example for image in self.images.values() for example in image.examples}
        return difflib.get_close_matches(f"{repository}:{tag}", known, n=3, cutoff=0.4)


def split(uri: str) -> tuple[str, str]:
    """Repository and tag of an image URI, without its registry: ``sagemaker-xgboost``, ``1.7-1``; the tag is ``latest``
    if absent."""
    name = _REGISTRY.sub("", uri.strip()).partition("@")[0]
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, "latest"
    return repository, tag


@functools.cache
def catalogue() -> Catalogue:
    """The catalogue that ships with Clary, read once."""
    return Catalogue()


def find(uri: str, *, strict: bool = False) -> Match:
    """``Catalogue.find`` in the catalogue that ships with Clary."""
    return catalogue().find(uri, strict=strict)


def _read(file: Path) -> Image:
    try:
        document: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        image = Image(
            name=document.pop("name"),
            title=document.pop("title"),
            repositories=tuple(document.pop("repositories")),
            tags=tuple(document.pop("tags")),
            nearest=tuple((each["tags"], each["note"]) for each in document.pop("nearest", ())),
            examples=tuple(document.pop("examples")),
            python=document.pop("python"),
            wanted=tuple(document.pop("wanted", ())),
            requirements=tuple(document.pop("requirements", ())),
            index=document.pop("index", ""),
            train=tuple(document.pop("train", ())),
            serve=tuple(document.pop("serve", ())),
            variables=document.pop("variables", {}),
            preload=tuple(document.pop("preload", ())),
            compiles=document.pop("compiles", ""),
            notes=tuple(document.pop("notes", ())),
        )
        for tags in (*image.tags, *(tags for tags, _ in image.nearest)):
            re.compile(tags)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, re.error) as error:
        raise CatalogueError(f"{file}: {error!r}") from error
    if document:
        raise CatalogueError(f"{file}: unknown {', '.join(sorted(document))}")
    if image.name != file.stem:
        raise CatalogueError(f"{file}: holds the image {image.name!r}")
    return image
