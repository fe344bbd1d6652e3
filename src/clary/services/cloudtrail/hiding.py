"""What of a request and of an answer may stand in the trail: all that identifies, nothing that is secret.

Reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What AWS writes in the place of a secret."""
LONGEST_TEXT = 4096
"""Characters of one value; what is longer is cut."""
LARGEST = 100 * 1024
"""Bytes of all that was asked, and of all that was answered; what is larger is left out, as on AWS."""

_SECRET = re.compile(
    r"secret|password|passphrase|plaintext|token|credential|private_?key|api_?key|access_?key|assertion|authori[sz]edurl"
    r"|presignedurl|authorizationdata|authparameters|authcode",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"^(next|client|clientrequest|create|continuation|idempotency|pagination)_?token$|^access_?key_?id$|(arn|name|id|path|uri)$"
    r"|^credentials$|max_?tokens|tokens$|tokenizer",
    re.IGNORECASE,
)
_HOLDING = ("string", "list", "map")
"""Shapes of members whose names tell whether they are secret; structures have names for each of their parts."""
_IN_URL = re.compile(
    r"(?<=://)[^/@\s]+(?=@)|(?<=X-Amz-Signature=)[^&\s\"']+|(?<=X-Amz-Security-Token=)[^&\s\"']+"
    r"|(?<=[?&]Signature=)[^&\s\"']+|(?<=[?&]authToken=)[^&\s\"']+"
)
"""What of an address signs in whoever has it: a name with a password, the signature of a presigned URL."""
_VALUES_HIDDEN = re.compile(r"^environment(variables)?$", re.IGNORECASE)
"""Maps whose keys are shown and whose values are not."""


@lru_cache(maxsize=8192)
def is_secret(name: str) -> bool:
    """Whether a member, or a key of a map, is named like something that nobody else may know."""
    return _SECRET.search(name) is not None and _NO_SECRET.search(name) is None


@lru_cache(maxsize=8192)
def spelled(name: str) -> str:
    """A member's name as records spell it: ``trainingJobName``."""
    return name[:1].lower() + name[1:]


class Shown:
    """Makes what may be shown of the members of a shape; ``hidden`` are the texts that were left out."""

    def __init__(self) -> None:
        self.hidden: list[str] = []

    def members(self, shape: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """``values`` of a structure of botocore's, spelled as in records; ``None`` and bodies of data are left out."""
        shown: dict[str, Any] = {}
        for name, value in values.items():
            member = shape.members.get(name)
            if value is None or member is None or member.type_name == "blob":
                continue
            named = member.type_name in _HOLDING and is_secret(name)
            if named or member.metadata.get("sensitive"):
                self._hide(value)
                shown[spelled(name)] = HIDDEN
            elif _VALUES_HIDDEN.match(name) and isinstance(value, Mapping):
                self._hide(value)
                shown[spelled(name)] = dict.fromkeys(map(_cut, value), HIDDEN)
            else:
                shown[spelled(name)] = self._value(member, value)
        return shown

    def _value(self, shape: Any, value: Any) -> Any:
        kind = shape.type_name
        if shape.metadata.get("sensitive") or kind == "blob":
            self._hide(value)
            return HIDDEN
        if kind == "timestamp" and isinstance(value, (int, float)):
            value = datetime.fromtimestamp(value, UTC)
        if kind == "structure" and isinstance(value, Mapping) and not getattr(shape, "is_document_type", False):
            return self.members(shape, value)
        if kind == "list" and isinstance(value, (list, tuple)):
            return [self._value(shape.member, item) for item in value]
        if kind == "map" and isinstance(value, Mapping):
            return {_cut(str(key)): self._of_key(shape.value, str(key), item) for key, item in value.items()}
        return _plain(value)

    def _of_key(self, shape: Any, key: str, value: Any) -> Any:
        if is_secret(key):
            self._hide(value)
            return HIDDEN
        return self._value(shape, value)

    def _hide(self, value: Any) -> None:
        if isinstance(value, str):
            # A text of a letter or two would be found in every message.
            if len(value) > 3:
                self.hidden.append(value)
        elif isinstance(value, Mapping):
            for item in value.values():
                self._hide(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                self._hide(item)

    def message(self, text: str) -> str:
        """An error's message, which may repeat what was asked: without the texts that were left out."""
        for secret in self.hidden:
            text = text.replace(secret, HIDDEN)
        return _cut(text)


def without_signatures(text: str) -> str:
    """``text`` without what signs in whoever reads an address in it."""
    return _IN_URL.sub(HIDDEN, text) if "://" in text or "ignature=" in text else text


def _cut(text: str) -> str:
    text = without_signatures(text)
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "..."


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%b %d, %Y, %I:%M:%S %p")
    return _cut(str(value))
