"""Operations on buckets themselves.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re

from clary.core.clock import iso
from clary.objects.errors import BucketAlreadyOwnedByYou
from clary.objects.versions import ENABLED

from . import xml
from .acl import OWNER_ENFORCED, check_acl, check_ownership
from .call import Call, Handler, xml_response
from .errors import IllegalLocationConstraintException, InvalidArgument, InvalidBucketName, InvalidLocationConstraint
from .http import S3Response
from .object_lock import DOCUMENT as LOCK
from .object_lock import empty_configuration

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d|EU")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_DEFAULT_REGION = "us-east-1"


def check_name(name: str) -> None:
    """Raises ``InvalidBucketName``."""
    valid = _NAME.fullmatch(name) and ".." not in name and not name.startswith(_RESERVED_PREFIXES)
    if not valid or name.endswith(_RESERVED_SUFFIXES) or _is_address(name):
        raise InvalidBucketName(BucketName=name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


async def list_buckets(call: Call) -> S3Response:
    limit = call.number("max-buckets", 10_000, 10_000, lowest=1)
    token = call.parameter("continuation-token")
    try:
        after = base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError):
        raise InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token"
        ) from None
    prefix, region = call.parameter("prefix"), call.parameter("bucket-region")
    mine = [
        bucket
        for bucket in call.store.buckets()
        if bucket.account == call.request.account
        and bucket.name.startswith(prefix)
        and bucket.name > after
        and region in ("", bucket.region)
    ]
    page = mine[:limit]
    listed = [
        {
            "Name": b.name,
            "CreationDate": timestamp(b.created),
            "BucketRegion": b.region,
            "BucketArn": f"arn:aws:s3:::{b.name}",
        }
        for b in page
    ]
    content = {"Owner": owner(call.request.account), "Buckets": {"Bucket": listed}}
    if len(mine) > limit:
        content["ContinuationToken"] = base64.urlsafe_b64encode(page[-1].name.encode()).decode()
    return xml_response("ListAllMyBucketsResult", content | ({"Prefix": prefix} if prefix else {}))


async def create_bucket(call: Call) -> S3Response:
    check_name(call.bucket)
    check_acl(call, bucket=True)
    region = call.request.region or _DEFAULT_REGION
    if body := await call.content():
        constraint = xml.read(body, "CreateBucketConfiguration").value("LocationConstraint") or ""
        if constraint and not _REGION.fullmatch(constraint):
            raise InvalidLocationConstraint(LocationConstraint=constraint)
        constraint = "eu-west-1" if constraint == "EU" else constraint
        if constraint and region not in (_DEFAULT_REGION, constraint):
            raise IllegalLocationConstraintException(
                f"The {constraint} location constraint is incompatible for the region specific endpoint "
                "this request was sent to."
            )
        region = constraint or region
    ownership = call.header("x-amz-object-ownership", OWNER_ENFORCED)
    check_ownership(ownership)
    locked = call.header("x-amz-bucket-object-lock-enabled").lower() == "true"
    documents = {LOCK: empty_configuration()} if locked else {}
    try:
        await call.store.create_bucket(call.bucket, call.request.account, region, ENABLED if locked else "", documents)
    except BucketAlreadyOwnedByYou:
        # The one region where S3 kept its first behaviour.
        if call.store.bucket(call.bucket).region != _DEFAULT_REGION or region != _DEFAULT_REGION:
            raise
    return S3Response(200, [("Location", f"/{call.bucket}"), ("Content-Length", "0")])


async def head_bucket(call: Call) -> S3Response:
    bucket = call.store.bucket(call.bucket)
    return S3Response(
        200,
        [
            ("x-amz-bucket-region", bucket.region),
            ("x-amz-bucket-arn", f"arn:aws:s3:::{bucket.name}"),
            ("x-amz-access-point-alias", "false"),
            ("Content-Type", "application/xml"),
        ],
    )


async def delete_bucket(call: Call) -> S3Response:
    await call.store.delete_bucket(call.bucket)
    return S3Response(204)


async def get_bucket_location(call: Call) -> S3Response:
    region = call.store.bucket(call.bucket).region
    return xml_response("LocationConstraint", "" if region == _DEFAULT_REGION else region)


def timestamp(milliseconds: int) -> str:
    """A time as listings have it, for example ``2026-11-20T10:00:00.000Z``."""
    return f"{iso(milliseconds // 1000)[:-1]}.{milliseconds % 1000:03d}Z"


def owner(account: str) -> dict[str, str]:
    """The owner of something of ``account``, under the canonical id that stands for it."""
    return {"ID": account.rjust(64, "0"), "DisplayName": account}


HANDLERS: dict[str, Handler] = {
    "ListBuckets": list_buckets,
    "CreateBucket": create_bucket,
    "HeadBucket": head_bucket,
    "DeleteBucket": delete_bucket,
    "GetBucketLocation": get_bucket_location,
}
