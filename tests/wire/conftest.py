"""What the wire tests share: values made from botocore's shapes, and requests as botocore sends them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.serialize import create_serializer
from hypothesis import settings
from hypothesis import strategies as st

from clary.wire.http import Request

settings.register_profile("wire", deadline=None, derandomize=True)
settings.load_profile("wire")

HOST = "localhost:7788"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+ =&%/:@~#?;,*'()é中\U0001f600"
_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_XML_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=12)
_HEADER_TEXT = st.text("abcXYZ019-_.;=/ ", min_size=1, max_size=12).map(str.strip).filter(bool)
_LABEL = st.text(_WORD, min_size=1, max_size=12).filter(lambda text: text.strip("./"))


@st.composite
def shape_values(draw: st.DrawFn, shape: Any, protocol: str, output: bool = False, depth: int = 0) -> Any:
    """A value for ``shape`` that survives a trip in ``protocol``; ``output`` says which locations exist."""
    kind = shape.type_name
    location = shape.serialization.get("location")
    if kind == "structure":
        return draw(_structures(shape, protocol, output, depth))
    if kind == "list":
        least = 0 if protocol in ("json", "rest-json") and location is None else 1
        return draw(st.lists(shape_values(shape.member, protocol, output, depth + 1), min_size=least, max_size=2))
    if kind == "map":
        keys = st.text("abcdefgh-", min_size=1, max_size=5) if location == "headers" else _strings(protocol, None)
        least = 0 if protocol in ("json", "rest-json") else 1
        items = _HEADER_TEXT if location == "headers" else shape_values(shape.value, protocol, output, depth + 1)
        return draw(st.dictionaries(keys, items, min_size=least, max_size=2))
    if kind in ("integer", "long"):
        if location == "statusCode":
            return draw(st.integers(200, 299))
        limit = 31 if kind == "integer" else 53
        return draw(st.integers(-(2**limit), 2**limit - 1))
    if kind in ("float", "double"):
        # botocore leaves JSON's words for infinities as they are.
        return draw(st.floats(allow_nan=False, allow_infinity=not (output and protocol == "json")))
    if kind == "boolean":
        return draw(st.booleans())
    if kind == "blob":
        return draw(st.binary(max_size=20))
    if kind == "timestamp":
        milliseconds = draw(st.integers(0, 4_000_000_000_000))
        if location == "header" or shape.serialization.get("timestampFormat") is not None:
            milliseconds -= milliseconds % 1000
        return EPOCH + timedelta(milliseconds=milliseconds)
    if shape.serialization.get("xmlAttribute"):
        return draw(_HEADER_TEXT)
    return draw(_strings(protocol, location))


def _strings(protocol: str, location: str | None) -> st.SearchStrategy[str]:
    if location == "header":
        return _HEADER_TEXT
    if location == "uri":
        return _LABEL
    return _XML_TEXT if protocol in ("rest-xml", "query") else _TEXT


@st.composite
def _structures(draw: st.DrawFn, shape: Any, protocol: str, output: bool, depth: int) -> dict[str, Any]:
    if shape.is_document_type:
        return draw(st.dictionaries(_TEXT, st.integers(0, 9), max_size=2))
    members = {
        name: member
        for name, member in shape.members.items()
        if not member.serialization.get("eventstream")
        and not member.serialization.get("jsonvalue")
        and not (output and member.serialization.get("location") in ("uri", "querystring"))
        and not (member.type_name == "map" and member.serialization.get("location") == "querystring")
        and (depth < 5 or member.type_name not in ("structure", "list", "map"))
    }
    payload = shape.serialization.get("payload")
    chosen = [
        name for name, member in members.items() if member.serialization.get("location") == "uri" or name == payload
    ]
    if members:
        optional = draw(st.lists(st.sampled_from(sorted(members)), min_size=1, max_size=4, unique=True))
        # Both a payload and members of a body cannot be.
        chosen += [name for name in optional if payload is None or members[name].serialization.get("location")]
    if shape.is_tagged_union:
        chosen = chosen[:1]
    values = {}
    for name in dict.fromkeys(chosen):
        strategy = shape_values(members[name], protocol, output, depth + 1)
        if members[name].type_name == "list" and members[name].serialization.get("location") == "header":
            strategy = st.lists(_HEADER_TEXT, min_size=1, max_size=3)
            if members[name].member.type_name != "string":
                continue
        values[name] = draw(strategy)
    return values


def botocore_request(
    operation: Any, params: dict[str, Any], protocol: str, headers: dict[str, str] | None = None
) -> Request:
    """The request that botocore sends, unsigned."""
    serialized = create_serializer(protocol, include_validation=False).serialize_to_request(params, operation)
    prepare_request_dict(serialized, f"http://{HOST}")
    return wire_request(create_request_object(serialized).prepare(), headers)


def wire_request(prepared: Any, headers: dict[str, str] | None = None) -> Request:
    """One of botocore's prepared requests as the edge would hand it on."""
    parts = urlsplit(prepared.url)
    given = {
        name.lower(): value.decode("utf-8") if isinstance(value, bytes) else str(value)
        for name, value in (*prepared.headers.items(), *(headers or {}).items())
    }
    given.setdefault("host", parts.netloc)
    body = prepared.body or b""
    body = body if isinstance(body, bytes) else body.encode("utf-8") if isinstance(body, str) else body.read()
    return Request(prepared.method, parts.path or "/", parts.query, given, body, parts.netloc)


def credential(signing_name: str) -> dict[str, str]:
    """An Authorization header that names a service but has no true signature."""
    scope = f"AKIDEXAMPLE/20261120/us-east-1/{signing_name}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"}


@pytest.fixture(scope="session")
def values_of() -> Callable[..., st.SearchStrategy[Any]]:
    return shape_values


@pytest.fixture(scope="session")
def sent() -> Callable[..., Request]:
    return botocore_request


@pytest.fixture(scope="session")
def to_wire() -> Callable[..., Request]:
    return wire_request


@pytest.fixture(scope="session")
def scoped() -> Callable[[str], dict[str, str]]:
    return credential
