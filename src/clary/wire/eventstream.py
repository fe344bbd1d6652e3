"""Event streams: messages with binary headers and two checksums.

Reference: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from clary.core.errors import ServiceError
from clary.wire.write_json import dump_json, plain, plain_structure
from clary.wire.write_xml import write_element


def encode_message(headers: Mapping[str, str | bytes | bool | int], payload: bytes) -> bytes:
    """One message; header values are strings, bytes, booleans or 64-bit integers."""
    packed = bytearray()
    for name, value in headers.items():
        key = name.encode("utf-8")
        packed += struct.pack("!B", len(key)) + key
        if isinstance(value, bool):
            packed += b"\x00" if value else b"\x01"
        elif isinstance(value, int):
            packed += struct.pack("!Bq", 5, value)
        else:
            data = value.encode("utf-8") if isinstance(value, str) else value
            packed += struct.pack("!BH", 7 if isinstance(value, str) else 6, len(data)) + data
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack("!I", zlib.crc32(message))


def encode_event(shape: Any, event: Mapping[str, Any], xml: bool = False) -> bytes:
    """One event ``{"EventName": {...}}`` of an event stream shape; an event whose shape is an exception ends the stream
    for the client."""
    (name, value), *_ = event.items()
    member = shape.members[name]
    if member.metadata.get("exception"):
        return encode_exception(name, value, member)
    headers: dict[str, str | bytes | bool | int] = {":message-type": "event", ":event-type": name}
    payload: bytes | None = None
    in_body: dict[str, Any] = {}
    for key, part in member.members.items():
        item = value.get(key)
        if item is None:
            continue
        if part.serialization.get("eventheader"):
            headers[key] = item
        elif part.serialization.get("eventpayload"):
            if part.type_name == "blob":
                headers[":content-type"], payload = "application/octet-stream", bytes(item)
            elif part.type_name == "string":
                headers[":content-type"], payload = "text/plain", str(item).encode("utf-8")
            else:
                headers[":content-type"], payload = _document(part, item, key, xml)
        else:
            in_body[key] = item
    if payload is None:
        payload = b""
        if in_body:
            headers[":content-type"], payload = _document(member, in_body, name, xml)
    return encode_message(headers, payload)


def _document(shape: Any, value: Any, name: str, xml: bool) -> tuple[str, bytes]:
    if not xml:
        return "application/json", dump_json(plain(shape, value))
    output: list[str] = []
    write_element(output, shape, value, shape.serialization.get("name", name))
    return "text/xml", "".join(output).encode("utf-8", "replace")


def encode_exception(name: str, members: Mapping[str, Any], shape: Any) -> bytes:
    """A modelled error within a stream; its members become the payload."""
    headers = {":message-type": "exception", ":exception-type": name, ":content-type": "application/json"}
    return encode_message(headers, dump_json(plain_structure(shape, members)))


async def encode_events(
    shape: Any, events: AsyncIterator[Mapping[str, Any]] | None, initial: bytes | None = None, xml: bool = False
) -> AsyncIterator[bytes]:
    """The messages for ``events``; ``initial`` is the payload of the initial response where the protocol has one.

    A ``ServiceError`` that the events raise becomes the stream's last message.
    """
    if initial is not None:
        headers = {":message-type": "event", ":event-type": "initial-response", ":content-type": "application/json"}
        yield encode_message(headers, initial)
    if events is None:
        return
    try:
        async for event in events:
            yield encode_event(shape, event, xml)
    except ServiceError as error:
        member = shape.members.get(error.code)
        if member is not None:
            key = next((name for name in member.members if name.lower() == "message"), "message")
            yield encode_exception(error.code, {**error.members, key: error.message}, member)
        else:
            yield encode_message(
                {":message-type": "error", ":error-code": error.code, ":error-message": error.message}, b""
            )
