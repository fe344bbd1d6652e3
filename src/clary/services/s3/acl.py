"""Access control lists, which are off: the bucket's owner has everything, as S3 sets up every new bucket.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

from .call import Call
from .errors import AccessControlListNotSupported

_HARMLESS = ("", "private", "bucket-owner-full-control", "bucket-owner-read")


def check_acl(call: Call, *, bucket: bool = False) -> None:
    """Raises ``AccessControlListNotSupported`` if the request would give somebody else access."""
    grants = any(name.startswith("x-amz-grant-") for name in call.request.headers)
    allowed = _HARMLESS[:2] if bucket else _HARMLESS
    if grants or call.header("x-amz-acl") not in allowed:
        raise AccessControlListNotSupported
