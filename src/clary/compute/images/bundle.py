"""Carry built environments to a machine without internet: one tar file, written there and read here."""

from __future__ import annotations

import io
import json
import os
import platform
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from clary.compute.agent.archives import OutsideError, extract_member
from clary.compute.images.catalog import Image, catalogue
from clary.compute.images.environments import ImageStore

_INDEX = "clary-images.json"
_FORMAT = 1


class BundleError(Exception):
    """A bundle cannot be written or read; the message says why and what to do."""


def export_images(
    store: ImageStore, images: Sequence[Image], file: Path, say: Callable[[str], None] = lambda line: None
) -> None:
    """Write the built environments of ``images`` to the tar file ``file``.

    Raises ``BundleError`` if one of them is not built.
    """
    aside = file.with_name(file.name + ".part")
    index = {
        "format": _FORMAT,
        "system": platform.system(),
        "machine": platform.machine(),
        "images": [{"name": each.name, "digest": each.digest, "python": each.python} for each in images],
    }
    try:
        with tarfile.open(aside, "w:gz", compresslevel=1) as tar:
            content = json.dumps(index, indent=1).encode()
            member = tarfile.TarInfo(_INDEX)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
            for image in images:
                folder = store.environment(image)
                if not folder.is_dir():
                    raise BundleError(
                        f"The image {image.name} is not built; run `clary images pull {image.name}` first."
                    )
                say(f"Writing {image.name}.")
                tar.add(folder, image.digest, filter=_without_owner)
        aside.rename(file)
    finally:
        aside.unlink(missing_ok=True)


def import_images(store: ImageStore, file: Path, say: Callable[[str], None] = lambda line: None) -> list[str]:
    """Take the environments of a bundle and return the names of their images; those that are here already stay as they
    are.

    A bundle holds programs that jobs will run, so it must come from somebody trusted. Raises ``BundleError``.
    """
    taken = []
    try:
        with tarfile.open(file) as tar:
            first = tar.next()
            content = tar.extractfile(first) if first is not None and first.name == _INDEX else None
            if content is None:
                raise BundleError(f"{file} is not a bundle of images; write one with `clary images export`.")
            index = json.loads(content.read())
            _check(index, file)
            known = {each.digest: each for each in catalogue().images.values()}
            wanted = {each["digest"]: known.get(each["digest"]) for each in index["images"]}
            for each in index["images"]:
                if wanted[each["digest"]] is None:
                    raise BundleError(
                        f"{file} holds {each['name']} for another version of Clary; export it with the same version"
                        " as this one."
                    )
            root = store.environment(next(iter(known.values()))).parent
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside = Path(tempfile.mkdtemp(prefix="import.", dir=root))
            try:
                for member in tar:
                    digest = member.name.partition("/")[0]
                    if digest in wanted:
                        # Links to the interpreter are absolute and made anew below, so the strict filter may drop the
                        # rest.
                        _extract(tar, member, aside)
                for digest, image in wanted.items():
                    assert image is not None
                    if store.environment(image).is_dir():
                        continue
                    say(f"Taking {image.name}.")
                    _adopt(aside / digest, image, store.environment(image))
                    taken.append(image.name)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    except tarfile.ReadError as error:
        raise BundleError(f"{file} is no archive, or a damaged one") from error
    except (tarfile.TarError, ValueError, KeyError, EOFError) as error:
        raise BundleError(f"{file} cannot be read: {error}") from error
    return taken


def _check(index: dict[str, object], file: Path) -> None:
    if index.get("format") != _FORMAT:
        raise BundleError(
            f"{file} was written by another version of Clary; export it with the same version as this one."
        )
    here = (platform.system(), platform.machine())
    if (index.get("system"), index.get("machine")) != here:
        raise BundleError(
            f"{file} is for {index.get('system')} on {index.get('machine')}, and this machine is {here[0]} on"
            f" {here[1]}."
        )


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    try:
        extract_member(tar, member, str(folder))
    except OutsideError:
        if "/bin/python" not in member.name:
            raise


def _adopt(folder: Path, image: Image, target: Path) -> None:
    """Join an environment from elsewhere with this machine's interpreter of the same version."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" != image.python:
        raise BundleError(f"{image.name} needs Python {image.python}; run Clary with that version to import it.")
    base = Path(sys.base_prefix)
    program = base / "bin" / f"python{image.python}"
    for name in ("python", "python3", f"python{image.python}"):
        link = folder / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(program)
    settings = folder / "pyvenv.cfg"
    lines = [
        f"home = {program.parent}" if line.startswith("home") else line
        for line in settings.read_text("utf-8").splitlines()
    ]
    settings.write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "clary-base.json").write_text(json.dumps({"base_prefix": str(base)}), "utf-8")
    for file in (folder / "bin").iterdir():
        if file.is_symlink() or not file.is_file():
            continue
        first, newline, rest = file.read_bytes().partition(b"\n")
        if first.startswith(b"#!") and b"/bin/python" in first:
            file.write_bytes(b"#!" + os.fsencode(target / "bin" / "python") + newline + rest)
    folder.rename(target)


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
