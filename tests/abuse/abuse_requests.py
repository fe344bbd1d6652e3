"""Requests as bytes, signed: whatever values they are made of goes into the form of its protocol."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import quote

import cbor2


@dataclass
class Keys:
    """What signs."""

    access: str
    secret: str
    token: str | None = None


@dataclass
class Call:
    """A request before it is signed; ``service`` is what it is signed for."""

    method: str = "POST"
    path: str = "/"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    service: str = "sagemaker"
    name: str = ""
    """What a failure is told by."""

    def signed(self, host: str, keys: Keys, now: datetime | None = None, region: str = "us-east-1") -> bytes:
        """The whole request."""
        stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        headers = {**{_header(name.lower()): _header(value) for name, value in self.headers.items()}, "host": host}
        headers["x-amz-date"] = stamp
        if self.service == "s3":
            headers.setdefault("x-amz-content-sha256", hashlib.sha256(self.body).hexdigest())
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        path = self.path if self.service == "s3" else quote(self.path, safe="/~")
        query = "&".join(
            f"{key}={value}" for key, _, value in sorted(part.partition("=") for part in self.query.split("&") if part)
        )
        names = sorted(headers)
        payload = headers.get("x-amz-content-sha256") or hashlib.sha256(self.body).hexdigest()
        lines = [self.method, path, query, *(f"{name}:{' '.join(headers[name].split())}" for name in names)]
        lines += ["", ";".join(names), payload]
        scope = f"{stamp[:8]}/{region}/{self.service}/aws4_request"
        digest = hashlib.sha256("\n".join(lines).encode("latin-1", "replace")).hexdigest()
        key = b"AWS4" + keys.secret.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={keys.access}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        return self.raw(headers)

    def raw(self, headers: Mapping[str, str]) -> bytes:
        """The whole request, with these headers."""
        target = self.path + (f"?{self.query}" if self.query else "")
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        text = f"{self.method} {target} HTTP/1.1\r\n{head}content-length: {len(self.body)}\r\n\r\n"
        return text.encode("latin-1", "replace") + self.body


def _header(value: str) -> str:
    """A value that stays one header: what comes behind a line's end would be another request's business."""
    text = value.encode("utf-8", "replace").decode("latin-1")
    return "".join(" " if character in "\r\n\0" else character for character in text).strip()[:4000]


def call_of(service: Any, operation: Any, value: Any, random: Random) -> Call:
    """The request for an operation of a service (as ``clary.wire.catalog`` has them), in one of its protocols."""
    protocols = [each for each in service.protocols if each in _FORMS]
    if service.name == "sqs":
        protocols.append("query")
    call = _FORMS[random.choice(protocols)](service, operation, value)
    call.service, call.name = service.signing_name, f"{service.name}.{operation.name}"
    return call


def _json(service: Any, operation: Any, value: Any) -> Call:
    headers = {
        "content-type": f"application/x-amz-json-{service.metadata.get('jsonVersion', '1.1')}",
        "x-amz-target": f"{service.target_prefix}.{operation.name}",
    }
    return Call(headers=headers, body=_dumped(value))


def _cbor(service: Any, operation: Any, value: Any) -> Call:
    headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "accept": "application/cbor"}
    path = f"/service/{service.target_prefix}/operation/{operation.name}"
    try:
        body = cbor2.dumps(value)
    except (ValueError, UnicodeEncodeError, cbor2.CBOREncodeError):
        body = b"\xa0"
    return Call(path=path, headers=headers, body=body)


def _query(service: Any, operation: Any, value: Any) -> Call:
    fields = [("Action", operation.name), ("Version", service.metadata["apiVersion"])]
    if operation.input_shape is not None and isinstance(value, dict):
        for name, item in value.items():
            member = operation.input_shape.members.get(name)
            key = member.serialization.get("queryName", member.serialization.get("name", name)) if member else name
            _flatten(member, item, key, fields, 0)
    body = "&".join(f"{_quoted(key)}={_quoted(text)}" for key, text in fields[:3000])
    return Call(headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, body=body.encode())


def _flatten(shape: Any, value: Any, prefix: str, fields: list[tuple[str, str]], depth: int) -> None:
    if depth > 40 or len(fields) > 3000:
        return
    kind = shape.type_name if shape is not None else ""
    if isinstance(value, dict):
        if kind == "map":
            entry = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
            for number, (key, item) in enumerate(value.items(), 1):
                fields.append((f"{entry}.{number}.{shape.key.serialization.get('name', 'key')}", key))
                called = shape.value.serialization.get("name", "value")
                _flatten(shape.value, item, f"{entry}.{number}.{called}", fields, depth + 1)
            return
        for name, item in value.items():
            member = shape.members.get(name) if kind == "structure" else None
            called = member.serialization.get("name", name) if member is not None else name
            _flatten(member, item, f"{prefix}.{called}", fields, depth + 1)
    elif isinstance(value, list):
        inner = shape.member if kind == "list" else None
        called = "" if kind == "list" and shape.serialization.get("flattened") else ".member"
        if inner is not None and called:
            called = f".{inner.serialization.get('name', 'member')}"
        for number, item in enumerate(value, 1):
            _flatten(inner, item, f"{prefix}{called}.{number}", fields, depth + 1)
    else:
        fields.append((prefix, text_of(value, shape)))


def _rest_json(service: Any, operation: Any, value: Any) -> Call:
    return _rest(operation, value, xml=False)


def _rest_xml(service: Any, operation: Any, value: Any) -> Call:
    return _rest(operation, value, xml=True)


def _rest(operation: Any, value: Any, xml: bool) -> Call:
    shape = operation.input_shape
    call = Call(method=operation.http["method"])
    path, _, query = operation.http["requestUri"].partition("?")
    queries = [query] if query else []
    body: dict[str, Any] = {}
    payload = shape.serialization.get("payload") if shape is not None else None
    members = shape.members if shape is not None else {}
    for name, item in value.items() if isinstance(value, dict) else ():
        member = members.get(name)
        location = member.serialization.get("location") if member is not None else None
        key = member.serialization.get("name", name) if member is not None else name
        if location == "uri":
            path = path.replace(f"{{{key}}}", quote(_utf8(text_of(item, member)), safe=""))
            path = path.replace(f"{{{key}+}}", quote(_utf8(text_of(item, member)), safe="/"))
        elif location == "querystring":
            for each in item if isinstance(item, list) else [item]:
                if isinstance(each, dict):
                    queries += [f"{_quoted(name)}={_quoted(text_of(one))}" for name, one in each.items()]
                else:
                    queries.append(f"{_quoted(key)}={_quoted(text_of(each, member))}")
        elif location == "header":
            call.headers[key] = text_of(item, member)[:3000]
        elif location == "headers" and isinstance(item, dict):
            call.headers |= {
                key + "".join(c if c.isascii() and c.isalnum() else "-" for c in name)[:60]: text_of(one)[:500]
                for name, one in list(item.items())[:20]
            }
        elif name == payload:
            call.body = _payload(member, item, xml)
        else:
            body[name] = item
    if payload is None and body:
        call.body = _xml(shape, body, "Request") if xml else _dumped(body)
    if not xml:
        call.headers.setdefault("Content-Type", "application/json")
    call.path = path.replace("{", "%7B").replace("}", "%7D")
    call.query = "&".join(queries)[:8000]
    return call


def _payload(shape: Any, value: Any, xml: bool) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return _utf8(value)
    return _xml(shape, value, shape.serialization.get("name", shape.name)) if xml else _dumped(value)


def _xml(shape: Any, value: Any, tag: str, depth: int = 0) -> bytes:
    kind = shape.type_name if shape is not None else ""
    tag = "".join(c for c in tag if c.isascii() and (c.isalnum() or c in "-_:"))[:60] or "a"
    if isinstance(value, dict) and depth < 80:
        inner = b""
        for name, item in list(value.items())[:200]:
            member = shape.members.get(name) if kind == "structure" else None
            called = member.serialization.get("name", name) if member is not None else str(name)
            if isinstance(item, list) and member is not None and member.serialization.get("flattened"):
                inner += b"".join(_xml(member.member, each, called, depth + 1) for each in item[:1200])
            else:
                inner += _xml(member, item, called, depth + 1)
    elif isinstance(value, list) and depth < 80:
        item_shape = shape.member if kind == "list" else None
        called = item_shape.serialization.get("name", "member") if item_shape is not None else "member"
        inner = b"".join(_xml(item_shape, each, called, depth + 1) for each in value[:1200])
    else:
        text = text_of(value, shape).replace("&", "&amp;").replace("<", "&lt;")
        inner = _utf8(text)
    return f"<{tag}>".encode() + inner + f"</{tag}>".encode()


def text_of(value: Any, shape: Any = None) -> str:
    """A value in a place where all are text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and shape is not None and shape.type_name == "timestamp" and 0 <= value < 1e11:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value if isinstance(value, str) else str(value)[:5000]


def _dumped(value: Any) -> bytes:
    try:
        return json.dumps(value, default=lambda given: base64.b64encode(given).decode()).encode()
    except RecursionError:
        return b"[" * 5000


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _quoted(text: str) -> str:
    return quote(_utf8(text), safe="")


_FORMS = {
    "json": _json,
    "query": _query,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
    "smithy-rpc-v2-cbor": _cbor,
}


def spoil_bytes(body: bytes, random: Random) -> bytes:
    """A body with some of its bytes changed, missing or doubled, or another one altogether."""
    way = random.randrange(7)
    place = random.randrange(len(body) + 1)
    if way == 0:
        return body[:place]
    if way == 1:
        return body[:place] + random.randbytes(random.choice((1, 2, 40))) + body[place:]
    if way == 2:
        return body[:place] + body[place + random.choice((1, 3, 30)) :]
    if way == 3:
        return body + body
    if way == 4:
        return random.choice(WHOLE)
    if way == 5:
        return (
            body[:place]
            + random.choice((b"\xff\xfe", b"\xed\xa0\x80", b"\0", b"%", b"&", b"<!--", b"]]>"))
            + body[place:]
        )
    return random.randbytes(random.choice((1, 10, 500)))


WHOLE = (
    b"",
    b"null",
    b"[]",
    b"1",
    b'"a"',
    b"{",
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b"\xef\xbb\xbf{}",
    b"\x9f" * 5000,
    b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x9b\x00\x00\x00\x7f\xff\xff\xff\xff",
    b"\xd8\x1d\x00",
    b"\xc2\x5b\x00\x00\x00\x00\xff\xff\xff\xff",
    b"\xa1\x00\x00",
    b"\xc0\x61a",
    b"\xc1\xfb\x7f\xf0\0\0\0\0\0\0",
    b"<a>" * 5000,
    b"<!DOCTYPE a [<!ENTITY b 'c'><!ENTITY d '&b;&b;'>]><a>&d;</a>",
    b"<a b='" + b"x" * 50_000 + b"'/>",
    b"<?xml version='1.0' encoding='utf-16'?><a/>",
    b"<?xml version='1.0' encoding='nope'?><a/>",
    b"&".join([b"a.b=1"] * 5000),
    b"Action=ListUsers&Version=2010-05-08&" + b".".join([b"a"] * 100) + b"=1",
    b"Action=%00&Version=%ff",
    b"a.member.99999999=1",
    b"1E400",
    b"1" * 5000,
    b'{"a":1' + b"0" * 5000 + b"}",
)
"""Bodies that are known to be hard on parsers."""
