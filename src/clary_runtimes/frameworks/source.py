"""Finding the user's source folder, and unpacking it where that was left to this process."""

from __future__ import annotations

import tarfile
from pathlib import Path

from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.folders import Folders

MODULES = Path(__file__).with_name("modules")
"""Modules of the official containers that scripts import."""


def training_source(folders: Folders, submit_directory: str) -> Path:
    """The folder with the training program.

    The platform unpacks ``sourcedir.tar.gz`` from S3 into the code folder before the start; a folder or an archive in
    the container itself (a channel with code) is used from there. Raises ``UserError`` if there is no code.
    """
    if submit_directory and not submit_directory.startswith("s3://"):
        place = folders.resolve(submit_directory)
        if place.is_dir():
            return place
        if place.is_file():
            unpack(place, folders.code)
            return folders.code
    if folders.code.is_dir():
        return folders.code
    raise UserError(
        f"There is no source code: {submit_directory or 'sagemaker_submit_directory'} is not in {folders.code}"
    )


def serving_source(folders: Folders, submit_directory: str) -> Path:
    """The folder with the inference program: the one named, else ``code/`` of the model, else the code folder.

    The platform unpacks an archive in S3 into the code folder before the start.
    """
    if submit_directory.startswith("s3://") and folders.code.is_dir():
        return folders.code
    if submit_directory and not submit_directory.startswith("s3://"):
        place = folders.resolve(submit_directory)
        if place.is_dir():
            return place
        if place.is_file():
            unpack(place, folders.code)
            return folders.code
    in_archive = folders.model / "code"
    return in_archive if in_archive.is_dir() else folders.code


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar archive; raises ``UserError`` for one that is damaged or reaches outside ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            # Older Pythons have no filter; what the archive could reach there is this job's own.
            if hasattr(tarfile, "data_filter"):
                tar.extractall(folder, filter="data")
            else:
                tar.extractall(folder)
    except (tarfile.TarError, OSError) as error:
        raise UserError(f"{archive} cannot be unpacked: {error}") from error
