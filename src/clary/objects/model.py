"""What the object store holds: buckets, objects, uploads and their parts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import msgspec


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Bucket:
    """A bucket; ``documents`` are the configurations put on it by kind (``policy``, ``cors``, …), as they were sent."""

    id: int
    name: str
    account: str
    region: str
    created: int
    """Milliseconds since the epoch."""
    versioning: str
    documents: dict[str, bytes] = field(default_factory=dict)


class Attributes(msgspec.Struct, omit_defaults=True):
    """What an object carries besides its bytes; also what an upload will give to its object."""

    headers: dict[str, str] = {}
    """Headers kept and given back as they came, by lower-case name: ``content-type``, ``cache-control``, …"""
    metadata: dict[str, str] = {}
    """User metadata without the prefix ``x-amz-meta-``."""
    tags: list[tuple[str, str]] = []
    storage_class: str = "STANDARD"
    owner: str = ""
    """The account that wrote the object."""
    checksums: dict[str, str] = {}
    """Checksums by algorithm (``CRC32``), in base64 as they go over the wire."""
    checksum_type: str = ""
    """``FULL_OBJECT`` or ``COMPOSITE``; empty without a checksum."""
    checksum_algorithm: str = ""
    """Of an upload: the algorithm its parts are to use."""
    retention: str = ""
    """``GOVERNANCE`` or ``COMPLIANCE`` for a version that may not be removed before ``retain_until``."""
    retain_until: int = 0
    """Milliseconds since the epoch."""
    legal_hold: bool = False


@dataclass(frozen=True)
class Segment:
    """A piece of an object: a whole blob. ``checksum`` is base64, empty if the part had none."""

    number: int
    blob: int
    size: int
    checksum: str = ""
    envelope: bytes | None = None
    """What its key is sealed in, if the blob is encrypted."""


@dataclass(frozen=True)
class Object:
    """One version of an object; ``etag`` is bare of quotes, ``modified`` in milliseconds since the epoch."""

    key: str
    sequence: int
    version: str
    size: int
    etag: str
    modified: int
    blob: int | None
    """The one blob with the bytes; ``None`` for an empty object and for one of ``parts``."""
    parts: int
    """How many parts a multipart object has; 0 for others."""
    attributes: Attributes
    deleted: bool = False
    """Whether this is a delete marker: a version that says that there is no object from here on."""


@dataclass(frozen=True)
class Deletion:
    """What a delete did to a key."""

    existed: bool
    """Whether there was anything to remove, or to hide behind a delete marker."""
    version: str = ""
    """The version that was removed, or the delete marker that was made; empty without versioning."""
    marker: bool = False
    """Whether a delete marker was made, or was what has been removed."""


@dataclass(frozen=True)
class Upload:
    """A multipart upload that is under way."""

    id: str
    key: str
    created: int
    attributes: Attributes


@dataclass(frozen=True)
class Part:
    """A part of an upload."""

    number: int
    blob: int | None
    size: int
    etag: str
    modified: int
    checksums: dict[str, str]


@dataclass(frozen=True)
class Listing:
    """A page of a listing: objects and common prefixes together are at most as many as asked for."""

    objects: list[Object]
    prefixes: list[str]
    last: str
    """The last key or common prefix of the page, where the next one goes on; empty on an empty page."""
    truncated: bool


@dataclass(frozen=True)
class VersionListing:
    """A page of the versions in a bucket, delete markers among them."""

    versions: list[Object]
    latest: set[int]
    """The sequence numbers of those that are the current ones of their keys."""
    prefixes: list[str]
    truncated: bool
    last_key: str
    last_version: str
    """Empty where the page ends with a common prefix."""


@dataclass(frozen=True)
class UploadListing:
    """A page of the uploads under way in a bucket."""

    uploads: list[Upload]
    prefixes: list[str]
    truncated: bool
    last_key: str
    last_id: str
