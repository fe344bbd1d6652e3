"""Access control lists, which are off: the bucket's owner has everything, as S3 sets up every new bucket.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

from .call import Call
from .errors import AccessControlListNotSupported, InvalidArgument, NotImplementedByS3

_HARMLESS = ("", "private", "bucket-owner-full-control", "bucket-owner-read")


OWNER_ENFORCED = "BucketOwnerEnforced"


def check_ownership(ownership: str) -> None:
    """Raises unless ``ownership`` is the one that is done here, under which access control lists are off.

    That is ``NotImplemented`` for the two others of S3 and ``InvalidArgument`` for what is none.
    """
    if ownership in ("BucketOwnerPreferred", "ObjectWriter"):
        raise NotImplementedByS3(f"Object ownership {ownership} is not implemented; buckets are {OWNER_ENFORCED}.")
    if ownership != OWNER_ENFORCED:
        raise InvalidArgument(
            f"Invalid x-amz-object-ownership header: {ownership}", ArgumentName="x-amz-object-ownership"
        )


def check_acl(call: Call, *, bucket: bool = False) -> None:
    """Raises ``AccessControlListNotSupported`` if the request would give somebody else access."""
    grants = any(name.startswith("x-amz-grant-") for name in call.request.headers)
    allowed = _HARMLESS[:2] if bucket else _HARMLESS
    if grants or call.header("x-amz-acl") not in allowed:
        raise AccessControlListNotSupported
