"""Configurations kept with buckets and objects: policy, encryption, tags, access control lists.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from clary.objects.model import Attributes

from . import xml
from .acl import check_acl
from .buckets import owner
from .call import Call, Handler, xml_response
from .configurations import check_new_policy
from .encryption import DOCUMENT as ENCRYPTION
from .errors import (
    AccessControlListNotSupported,
    InvalidArgument,
    InvalidEncryptionAlgorithmError,
    MalformedPolicy,
    MalformedXML,
    NoSuchBucketPolicy,
    NoSuchTagSet,
    NotImplementedByS3,
    ServerSideEncryptionConfigurationNotFoundError,
)
from .http import S3Response
from .tags import read_tags, tagging

_LARGEST_POLICY = 20 * 1024
_OBJECT_TAGS = 10
_BUCKET_TAGS = 50


def _documents(call: Call) -> dict[str, bytes]:
    return call.store.bucket(call.bucket).documents


async def _remove(call: Call, kind: str) -> S3Response:
    await call.store.set_document(call.bucket, kind, None)
    return S3Response(204)


# -- policy


async def get_bucket_policy(call: Call) -> S3Response:
    policy = _documents(call).get("policy")
    if policy is None:
        raise NoSuchBucketPolicy(BucketName=call.bucket)
    return S3Response(200, [("Content-Type", "application/json")], policy)


async def put_bucket_policy(call: Call) -> S3Response:
    policy = await call.content()
    if len(policy) > _LARGEST_POLICY:
        raise MalformedPolicy("Policy exceeds the maximum allowed document size.")
    try:
        document = orjson.loads(policy)
    except orjson.JSONDecodeError:
        raise MalformedPolicy from None
    if not isinstance(document, dict) or not document.get("Statement"):
        raise MalformedPolicy("Missing required field Statement" if isinstance(document, dict) else "")
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    for statement in statements:
        _check_statement(call, statement)
    check_new_policy(call, document)
    await call.store.set_document(call.bucket, "policy", policy)
    return S3Response(204)


def _check_statement(call: Call, statement: object) -> None:
    if not isinstance(statement, dict):
        raise MalformedPolicy("Policies must be valid JSON and the first byte must be '{'")
    for names in (("Effect",), ("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")):
        if not any(name in statement for name in names):
            raise MalformedPolicy(f"Missing required field {names[0]}")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise MalformedPolicy(f"Invalid effect: {statement['Effect']}")
    if statement["Effect"] == "Allow" and "NotPrincipal" in statement:
        raise MalformedPolicy("Allow with NotPrincipal is not allowed.")
    resources = statement.get("Resource", statement.get("NotResource"))
    for resource in resources if isinstance(resources, list) else [resources]:
        if resource != "*" and str(resource).partition("/")[0] not in (f"arn:aws:s3:::{call.bucket}", "arn:aws:s3:::*"):
            raise MalformedPolicy("Policy has invalid resource")


async def delete_bucket_policy(call: Call) -> S3Response:
    return await _remove(call, "policy")


# -- encryption


async def get_bucket_encryption(call: Call) -> S3Response:
    document = _documents(call).get(ENCRYPTION)
    if document is None:
        # S3 itself would answer that it encrypts everything; here nothing is encrypted that nobody asked for.
        raise ServerSideEncryptionConfigurationNotFoundError(BucketName=call.bucket)
    return S3Response(200, [("Content-Type", "application/xml")], document)


async def put_bucket_encryption(call: Call) -> S3Response:
    body = await call.content()
    rules = xml.read(body, "ServerSideEncryptionConfiguration").all("Rule")
    if len(rules) != 1:
        raise MalformedXML
    default = rules[0].find("ApplyServerSideEncryptionByDefault")
    if default is not None:
        algorithm = default.required("SSEAlgorithm")
        if algorithm == "aws:kms:dsse":
            raise NotImplementedByS3("Encryption in two layers (aws:kms:dsse) is not implemented.")
        if algorithm not in ("AES256", "aws:kms"):
            raise InvalidEncryptionAlgorithmError
        if algorithm == "AES256" and default.value("KMSMasterKeyID"):
            raise InvalidArgument(
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
            )
    await call.store.set_document(call.bucket, ENCRYPTION, body)
    return S3Response(200, [("Content-Length", "0")])


async def delete_bucket_encryption(call: Call) -> S3Response:
    return await _remove(call, ENCRYPTION)


# -- tags


async def get_bucket_tagging(call: Call) -> S3Response:
    document = _documents(call).get("tagging")
    if document is None:
        raise NoSuchTagSet(BucketName=call.bucket)
    return xml_response("Tagging", tagging(msgspec.json.decode(document, type=list[tuple[str, str]])))


async def put_bucket_tagging(call: Call) -> S3Response:
    tags = read_tags(await call.document("Tagging"), maximum=_BUCKET_TAGS)
    await call.store.set_document(call.bucket, "tagging", msgspec.json.encode(tags))
    return S3Response(204)


async def delete_bucket_tagging(call: Call) -> S3Response:
    return await _remove(call, "tagging")


async def get_object_tagging(call: Call) -> S3Response:
    item = await call.store.head(call.bucket, call.key, call.version)
    return xml_response("Tagging", tagging(item.attributes.tags), call.version_headers(item))


async def put_object_tagging(call: Call) -> S3Response:
    return await _set_object_tags(call, read_tags(await call.document("Tagging"), maximum=_OBJECT_TAGS), 200)


async def delete_object_tagging(call: Call) -> S3Response:
    return await _set_object_tags(call, [], 204)


async def _set_object_tags(call: Call, tags: list[tuple[str, str]], status: int) -> S3Response:
    def edit(attributes: Attributes) -> None:
        attributes.tags = tags

    event = "ObjectTagging:Put" if tags else "ObjectTagging:Delete"
    notices = call.own.notifications.of_object(call, event)
    item = await call.store.change_attributes(call.bucket, call.key, edit, call.version, notices=notices)
    return S3Response(status, call.version_headers(item) + ([("Content-Length", "0")] if status == 200 else []))


# -- access control lists


def _full_control(account: str) -> dict[str, Any]:
    grantee = {"Grantee": {"@xsi:type": "CanonicalUser", **owner(account)}, "Permission": "FULL_CONTROL"}
    return {"Owner": owner(account), "AccessControlList": {"Grant": [grantee]}}


async def get_bucket_acl(call: Call) -> S3Response:
    return xml_response("AccessControlPolicy", _full_control(call.store.bucket(call.bucket).account))


async def get_object_acl(call: Call) -> S3Response:
    item = await call.store.head(call.bucket, call.key, call.version)
    return xml_response("AccessControlPolicy", _full_control(item.attributes.owner))


async def put_bucket_acl(call: Call) -> S3Response:
    return await _put_acl(call, bucket=True)


async def put_object_acl(call: Call) -> S3Response:
    await call.store.head(call.bucket, call.key, call.version)
    return await _put_acl(call, bucket=False)


async def _put_acl(call: Call, *, bucket: bool) -> S3Response:
    check_acl(call, bucket=bucket)
    if await call.content():
        raise AccessControlListNotSupported
    return S3Response(200, [("Content-Length", "0")])


HANDLERS: dict[str, Handler] = {
    "GetBucketPolicy": get_bucket_policy,
    "PutBucketPolicy": put_bucket_policy,
    "DeleteBucketPolicy": delete_bucket_policy,
    "GetBucketEncryption": get_bucket_encryption,
    "PutBucketEncryption": put_bucket_encryption,
    "DeleteBucketEncryption": delete_bucket_encryption,
    "GetBucketTagging": get_bucket_tagging,
    "PutBucketTagging": put_bucket_tagging,
    "DeleteBucketTagging": delete_bucket_tagging,
    "GetObjectTagging": get_object_tagging,
    "PutObjectTagging": put_object_tagging,
    "DeleteObjectTagging": delete_object_tagging,
    "GetBucketAcl": get_bucket_acl,
    "GetObjectAcl": get_object_acl,
    "PutBucketAcl": put_bucket_acl,
    "PutObjectAcl": put_object_acl,
}
