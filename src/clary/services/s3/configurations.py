"""Smaller configurations of buckets: who owns objects, what may be public, and what a bucket here never has.

References: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

from typing import Any

import orjson

from clary.objects.model import Bucket

from .acl import OWNER_ENFORCED, check_ownership
from .call import Call, Handler, xml_response
from .errors import (
    AccessDeniedByS3,
    MalformedXML,
    NoSuchBucketPolicy,
    NoSuchPublicAccessBlockConfiguration,
    NoSuchWebsiteConfiguration,
    ReplicationConfigurationNotFoundError,
)
from .http import S3Response

_BLOCK = "public-access-block"
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_FIXED_CONDITIONS = (
    "aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceaccount", "aws:sourceowner",
    "aws:principalorgid", "aws:principalarn", "aws:userid", "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
)  # fmt: skip
"""Conditions that narrow a statement for everybody down to somebody."""


# -- ownership


async def get_bucket_ownership_controls(call: Call) -> S3Response:
    return xml_response("OwnershipControls", {"Rule": [{"ObjectOwnership": OWNER_ENFORCED}]})


async def put_bucket_ownership_controls(call: Call) -> S3Response:
    rules = (await call.document("OwnershipControls")).all("Rule")
    if len(rules) != 1:
        raise MalformedXML
    check_ownership(rules[0].required("ObjectOwnership"))
    return S3Response(200, [("Content-Length", "0")])


# -- public access


async def get_public_access_block(call: Call) -> S3Response:
    blocks = _blocks(call)
    if blocks is None:
        raise NoSuchPublicAccessBlockConfiguration(BucketName=call.bucket)
    return xml_response("PublicAccessBlockConfiguration", blocks)


async def put_public_access_block(call: Call) -> S3Response:
    document = await call.document("PublicAccessBlockConfiguration")
    blocks = {}
    for name in _BLOCKS:
        value = (document.value(name) or "false").lower()
        if value not in ("true", "false"):
            raise MalformedXML
        blocks[name] = value == "true"
    await call.store.set_document(call.bucket, _BLOCK, orjson.dumps(blocks))
    return S3Response(200, [("Content-Length", "0")])


async def delete_public_access_block(call: Call) -> S3Response:
    await call.store.set_document(call.bucket, _BLOCK, None)
    return S3Response(204)


def _blocks(call: Call) -> dict[str, bool] | None:
    document = call.store.bucket(call.bucket).documents.get(_BLOCK)
    return None if document is None else orjson.loads(document)


def check_new_policy(call: Call, policy: dict[str, Any]) -> None:
    """Raises ``AccessDenied`` for a policy that makes public a bucket that must not become so."""
    blocks = _blocks(call)
    if blocks is not None and blocks["BlockPublicPolicy"] and is_public(policy):
        raise AccessDeniedByS3(
            "The request was denied because public policies are prevented by the BlockPublicPolicy setting in S3 Block "
            "Public Access."
        )


def keeps_strangers_out(bucket: Bucket) -> bool:
    """Whether the bucket's policy is public and is to be so for its own account alone (``RestrictPublicBuckets``)."""
    blocks, policy = bucket.documents.get(_BLOCK), bucket.documents.get("policy")
    if blocks is None or policy is None:
        return False
    return bool(orjson.loads(blocks)["RestrictPublicBuckets"]) and is_public(orjson.loads(policy))


def is_public(policy: dict[str, Any]) -> bool:
    """Whether a bucket policy lets everybody in, as S3 means it: a statement for all without a fixed condition."""
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    return any(_lets_everybody(statement) for statement in statements)


def _lets_everybody(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    everybody = "NotPrincipal" in statement or "*" in (named if isinstance(named, list) else [named])
    conditions = statement.get("Condition") or {}
    keys = {key.lower() for clauses in conditions.values() if isinstance(clauses, dict) for key in clauses}
    return everybody and not keys & set(_FIXED_CONDITIONS)


async def get_bucket_policy_status(call: Call) -> S3Response:
    policy = call.store.bucket(call.bucket).documents.get("policy")
    if policy is None:
        raise NoSuchBucketPolicy(BucketName=call.bucket)
    return xml_response("PolicyStatus", {"IsPublic": is_public(orjson.loads(policy))})


# -- what buckets here never have


def _always(root: str, content: dict[str, str]) -> Handler:
    async def get(_: Call) -> S3Response:
        return xml_response(root, content)

    return get


async def get_bucket_website(call: Call) -> S3Response:
    raise NoSuchWebsiteConfiguration(BucketName=call.bucket)


async def get_bucket_replication(call: Call) -> S3Response:
    raise ReplicationConfigurationNotFoundError(BucketName=call.bucket)


HANDLERS: dict[str, Handler] = {
    "GetBucketOwnershipControls": get_bucket_ownership_controls,
    "PutBucketOwnershipControls": put_bucket_ownership_controls,
    "GetPublicAccessBlock": get_public_access_block,
    "PutPublicAccessBlock": put_public_access_block,
    "DeletePublicAccessBlock": delete_public_access_block,
    "GetBucketPolicyStatus": get_bucket_policy_status,
    "GetBucketLogging": _always("BucketLoggingStatus", {}),
    "GetBucketRequestPayment": _always("RequestPaymentConfiguration", {"Payer": "BucketOwner"}),
    "GetBucketAccelerateConfiguration": _always("AccelerateConfiguration", {}),
    "GetBucketWebsite": get_bucket_website,
    "GetBucketReplication": get_bucket_replication,
}
