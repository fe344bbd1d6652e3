"""Content types as channels and requests name them."""

from __future__ import annotations

CSV = "text/csv"
LIBSVM = "text/libsvm"
PARQUET = "application/x-parquet"
RECORDIO = "application/x-recordio-protobuf"
JSON = "application/json"
JSONLINES = "application/jsonlines"
NPY = "application/x-npy"

_ALIASES = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "application/x-recordio": RECORDIO,
    "application/x-jsonlines": JSONLINES,
    "application/json-lines": JSONLINES,
    "application/json; format=lines": JSONLINES,
}


def split(content_type: str) -> tuple[str, dict[str, str]]:
    """Media type and parameters, in lower case: ``text/csv; label_size=1`` is ``text/csv`` and ``{label_size: 1}``."""
    media, _, rest = content_type.partition(";")
    parameters = {}
    for part in rest.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            parameters[name.strip().lower()] = value.strip().strip('"').lower()
    return media.strip().lower(), parameters


def media_type(content_type: str) -> str:
    """The media type alone, aliases such as ``csv`` or ``text/x-libsvm`` resolved."""
    media = split(content_type)[0]
    return _ALIASES.get(media, media)
