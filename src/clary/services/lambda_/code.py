"""The code of functions: a ZIP archive that becomes a folder, which every environment of the function sees.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from clary.resources.context import Context, Platform
from clary.services import s3_as_caller
from clary.services.iam.principals import principal_of
from clary.services.lambda_.errors import InvalidParameterValueException, ServiceException
from clary.state.records import Record

LARGEST_CODE = 262_144_000
"""Bytes of all files."""
TASK_ROOT = "/var/task"
"""Where the environment shows the code."""
DIGEST = "_code"
"""In a function's document: the digest by which its volume is named."""


@dataclass(frozen=True)
class Code:
    """A deployment package."""

    archive: bytes

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the archive."""
        return hashlib.sha256(self.archive).digest()

    def shown(self) -> dict[str, Any]:
        """What a function's configuration says of it."""
        return {"CodeSha256": base64.b64encode(self.digest).decode(), "CodeSize": len(self.archive)}


def code_of(context: Context, told: Mapping[str, Any]) -> Code:
    """The package that a request brings, or names in S3, where it is read as the caller.

    Raises ``InvalidParameterValueException``, and ``ServiceException`` if the store does not answer.
    """
    if told.get("ImageUri"):
        raise InvalidParameterValueException(
            "ImageUri: container images are not available for functions in Clary; give the code as a .zip file archive."
        )
    archive, bucket, key = told.get("ZipFile"), told.get("S3Bucket"), told.get("S3Key")
    if (archive is None) == (bucket is None) or (bucket is None) != (key is None):
        raise InvalidParameterValueException("Please provide a source for function code.")
    if archive is None:
        assert bucket is not None and key is not None
        archive = _from_s3(context, bucket, key, told.get("S3ObjectVersion", ""))
    code = Code(archive)
    _check(code)
    return code


def _from_s3(context: Context, bucket: str, key: str, version: str) -> bytes:
    caller = principal_of(context.caller)
    try:
        return s3_as_caller.get(context.platform, caller, context.region, bucket, key, version, LARGEST_CODE)
    except s3_as_caller.Refused as error:
        raise InvalidParameterValueException(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        ) from error
    except s3_as_caller.Unanswered as error:
        raise ServiceException(f"The code could not be read from S3: {error}") from error


def _check(code: Code) -> None:
    if not code.archive:
        raise InvalidParameterValueException("Uploaded file must be a non-empty zip")
    try:
        with zipfile.ZipFile(io.BytesIO(code.archive)) as archive:
            entries = archive.infolist()
            if sum(each.file_size for each in entries) >= LARGEST_CODE:
                raise InvalidParameterValueException(f"Unzipped size must be smaller than {LARGEST_CODE} bytes")
            if archive.testzip() is not None or any(_is_odd(each) for each in entries):
                raise _unreadable()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        raise _unreadable() from error


def _unreadable() -> InvalidParameterValueException:
    return InvalidParameterValueException(
        "Could not unzip uploaded file. Please check your file, then try to upload again."
    )


def _is_odd(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is no file or folder below the one that it is unpacked into."""
    path, kind = PurePosixPath(entry.filename), stat.S_IFMT(entry.external_attr >> 16)
    return (
        path.is_absolute()
        or ".." in path.parts
        or "\0" in entry.filename
        or kind not in (0, stat.S_IFREG, stat.S_IFDIR)
    )


def volume_of(record: Record) -> str:
    """The volume with a function's code."""
    return f"{record.key.kind}-{record.id}-{record.document[DIGEST]}"


def keep(platform: Platform, record: Record, code: Code) -> None:
    """Unpack the code into the function's volume, and let the document name it.

    Raises ``InvalidParameterValueException`` for an archive that does not become files.
    """
    record.document[DIGEST] = code.digest.hex()[:32]
    record.document |= code.shown()
    try:
        platform.placement.fill(volume_of(record), lambda folder: _unpack(code, folder))
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _unreadable() from error


def _unpack(code: Code, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(code.archive)) as archive:
        for entry in archive.infolist():
            path = folder / entry.filename
            if entry.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
            path.chmod((entry.external_attr >> 16) & 0o555 | 0o444)


def sweep(platform: Platform, record: Record, *kept: str) -> None:
    """Discard the volumes of a function but those that are ``kept``. No environment uses them any more."""
    for volume in platform.placement.volumes():
        if volume.startswith(f"{record.key.kind}-{record.id}-") and volume not in kept:
            platform.placement.discard(volume)
