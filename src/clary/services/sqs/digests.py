"""The digests of messages that clients compare with their own.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any


def of_text(text: str) -> str:
    """The MD5 digest of a body."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def of_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """The MD5 digest of attributes as messages keep them, whose binary values are in base 64."""
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        kind = attribute["DataType"]
        for part in (name.encode(), kind.encode()):
            digest.update(len(part).to_bytes(4, "big") + part)
        if kind.startswith("Binary"):
            sort, value = b"\x02", base64.b64decode(attribute["BinaryValue"])
        else:
            sort, value = b"\x01", attribute["StringValue"].encode()
        digest.update(sort + len(value).to_bytes(4, "big") + value)
    return digest.hexdigest()
