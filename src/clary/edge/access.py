"""Whether callers may do what the edge itself does for them: with objects, and with endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qsl

from clary.core.errors import ServiceError
from clary.objects.model import Bucket
from clary.services.iam.api import Identities, Principal
from clary.services.iam.policy import Policies, policies
from clary.services.iam.request_context import ConditionKeys, way_here
from clary.services.s3 import configurations
from clary.services.s3.call import Authorize, Tags
from clary.services.s3.http import S3Request
from clary.wire.http import Request

_PARAMETERS = ("prefix", "delimiter", "max-keys", "versionId")
_HEADERS = (
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-write",
    "x-amz-grant-read-acp",
    "x-amz-grant-write-acp",
    "x-amz-storage-class",
)


class _Asked(Exception):
    """A policy asks for what the object has, which nobody has read yet."""


def authorize_s3(identities: Identities) -> Authorize:
    """The check that S3 makes before every access."""

    async def authorize(request: S3Request, action: str, arn: str, bucket: Bucket | None, tags: Tags | None) -> None:
        policy = bucket_policy(bucket) if bucket is not None else None
        owner = bucket.account if bucket is not None else None
        if bucket is not None and (request.principal is None or request.principal.account != owner):
            policy = None if configurations.keeps_strangers_out(bucket) else policy
        told = partial(_told, request)
        try:
            keys = ConditionKeys(told, _ask)
            identities.authorize(request.principal, action, arn, keys, policy, owner)
        except _Asked:
            found = await _read(tags) if tags is not None else {}
            keys = ConditionKeys(told, lambda: {f"s3:ExistingObjectTag/{key}": found[key] for key in found})
            identities.authorize(request.principal, action, arn, keys, policy, owner)

    return authorize


def authorize_invocation(
    identities: Identities, request: Request, principal: Principal, region: str, operation: str, arn: str
) -> None:
    """Raise ``AccessDenied`` unless ``principal`` may invoke the endpoint with this ARN."""

    def told() -> dict[str, str]:
        target = request.headers.get("x-amzn-sagemaker-target-model")
        keys = way_here(request.headers, request.client, region)
        return keys | {"sagemaker:TargetModel": target} if target else keys

    def look() -> dict[str, str]:
        with identities.database.read() as transaction:
            tags = transaction.tags(arn)
        return {f"{prefix}:ResourceTag/{key}": tags[key] for key in tags for prefix in ("aws", "sagemaker")}

    identities.authorize(principal, f"sagemaker:{operation}", arn, ConditionKeys(told, look))


def bucket_policy(bucket: Bucket) -> Policies | None:
    """The policy put on the bucket, compiled once for as long as it is the same."""
    document = bucket.documents.get("policy")
    return _compiled(document) if document is not None else None


@lru_cache(maxsize=1024)
def _compiled(document: bytes) -> Policies:
    return policies([document.decode("utf-8")])


def _ask() -> Mapping[str, Any]:
    raise _Asked


async def _read(tags: Tags) -> dict[str, str]:
    try:
        return await tags()
    except ServiceError:
        return {}


def _told(request: S3Request) -> dict[str, Any]:
    """What policies may ask of a request to S3.

    Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    """
    headers = request.headers
    values: dict[str, Any] = {**way_here(headers, request.client, request.region)}
    if request.query:
        parameters = request.parameters
        values |= {f"s3:{name}": parameters[name] for name in _PARAMETERS if name in parameters}
    if "x-amz-tagging" in headers:
        tags = parse_qsl(headers["x-amz-tagging"], keep_blank_values=True)
        values |= {f"s3:RequestObjectTag/{name}": value for name, value in tags}
        values["s3:RequestObjectTagKeys"] = [name for name, _ in tags]
    return values | {f"s3:{name}": headers[name] for name in _HEADERS if name in headers}
