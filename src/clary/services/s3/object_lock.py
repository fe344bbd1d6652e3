"""Object lock: write once, read many. A bucket's default, and the retention and legal hold of single versions.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from __future__ import annotations

from datetime import UTC, datetime

from clary.core.clock import iso
from clary.objects.locks import COMPLIANCE, GOVERNANCE
from clary.objects.model import Attributes, now
from clary.objects.versions import ENABLED

from . import xml
from .call import Call, Handler, xml_response
from .errors import (
    AccessDeniedByS3,
    InvalidArgument,
    InvalidBucketState,
    InvalidRequest,
    InvalidRetentionPeriod,
    MalformedXML,
    NoSuchObjectLockConfiguration,
    ObjectLockConfigurationNotFoundError,
)
from .http import S3Response

DOCUMENT = "object-lock"
_MODES = (GOVERNANCE, COMPLIANCE)
_DAY = 86_400_000
_LONGEST_YEARS = 100
_HEADERS = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold")


def empty_configuration() -> bytes:
    """The configuration of a bucket that was made with object lock and has no default yet."""
    return xml.write("ObjectLockConfiguration", {"ObjectLockEnabled": "Enabled"})


async def get_object_lock_configuration(call: Call) -> S3Response:
    document = call.store.bucket(call.bucket).documents.get(DOCUMENT)
    if document is None:
        raise ObjectLockConfigurationNotFoundError(BucketName=call.bucket)
    return S3Response(200, [("Content-Type", "application/xml")], document)


async def put_object_lock_configuration(call: Call) -> S3Response:
    body = await call.content()
    document = xml.read(body, "ObjectLockConfiguration")
    if call.store.bucket(call.bucket).versioning != ENABLED:
        raise InvalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
    if document.value("ObjectLockEnabled") != "Enabled":
        raise MalformedXML
    if (rule := document.find("Rule")) is not None:
        default = rule.find("DefaultRetention")
        if default is None or default.value("Mode") not in _MODES:
            raise MalformedXML
        _period(default)
    await call.store.set_document(call.bucket, DOCUMENT, body)
    return S3Response(200, [("Content-Length", "0")])


def _period(default: xml.Node) -> int:
    """Milliseconds that a bucket's default retention lasts. Raises ``MalformedXML`` or ``InvalidRetentionPeriod``."""
    days, years = default.value("Days"), default.value("Years")
    if (days is None) == (years is None):
        raise MalformedXML
    try:
        number = int(days or years or "")
    except ValueError:
        raise MalformedXML from None
    if number <= 0:
        raise InvalidRetentionPeriod("Default retention period must be a positive integer value.")
    if number > (_LONGEST_YEARS if days is None else _LONGEST_YEARS * 365):
        raise InvalidRetentionPeriod("Default retention period is too large.")
    return number * _DAY * (1 if days is not None else 365)


def apply_to_new(call: Call, attributes: Attributes) -> None:
    """Locks an object that is being made, as the request's headers or the bucket's default say.

    Raises ``InvalidRequest`` where the bucket has no object lock, ``InvalidArgument`` for what the headers cannot say.
    """
    mode, until, hold = (call.request.headers.get(name) for name in _HEADERS)
    document = call.store.bucket(call.bucket).documents.get(DOCUMENT)
    if document is None:
        if mode or until or hold:
            raise InvalidRequest("Bucket is missing Object Lock Configuration")
        return
    if (mode is None) != (until is None):
        raise InvalidArgument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
            ArgumentName=_HEADERS[0] if mode is None else _HEADERS[1],
        )
    if hold is not None:
        if hold not in ("ON", "OFF"):
            raise InvalidArgument("Unknown legal hold status.", ArgumentName=_HEADERS[2], ArgumentValue=hold)
        attributes.legal_hold = hold == "ON"
    if mode is not None and until is not None:
        if mode not in _MODES:
            raise InvalidArgument("Unknown wormMode directive.", ArgumentName=_HEADERS[0], ArgumentValue=mode)
        attributes.retention, attributes.retain_until = mode, _future(until, _HEADERS[1])
        return
    rule = xml.read(document, "ObjectLockConfiguration").find("Rule")
    if rule is not None and (default := rule.find("DefaultRetention")) is not None:
        attributes.retention, attributes.retain_until = default.required("Mode"), now() + _period(default)


def lock_headers(attributes: Attributes) -> list[tuple[str, str]]:
    """What the answer to a read says about a version's lock."""
    headers = []
    if attributes.retention:
        headers += [(_HEADERS[0], attributes.retention), (_HEADERS[1], iso(attributes.retain_until / 1000))]
    if attributes.legal_hold:
        headers.append((_HEADERS[2], "ON"))
    return headers


def _time(text: str, name: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise InvalidArgument(
            "The retain until date must be provided in ISO 8601 format", ArgumentName=name, ArgumentValue=text
        ) from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def _future(text: str, name: str) -> int:
    moment = _time(text, name)
    if moment <= now():
        raise InvalidArgument("The retain until date must be in the future!", ArgumentName=name, ArgumentValue=text)
    return moment


def _check_bucket(call: Call) -> None:
    if DOCUMENT not in call.store.bucket(call.bucket).documents:
        raise InvalidRequest("Bucket is missing Object Lock Configuration")


async def put_object_retention(call: Call) -> S3Response:
    """Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html"""
    _check_bucket(call)
    document = await call.document("Retention")
    mode, until = document.value("Mode"), document.value("RetainUntilDate")
    if (mode is None) != (until is None) or mode not in (None, *_MODES):
        raise MalformedXML
    wanted = ("", 0) if mode is None or until is None else (mode, _future(until, "RetainUntilDate"))
    bypass = call.header("x-amz-bypass-governance-retention").lower() == "true"
    if bypass:
        await call.allow("s3:BypassGovernanceRetention", call.bucket, call.key)

    def edit(attributes: Attributes) -> None:
        held = attributes.retention if attributes.retain_until > now() else ""
        loosened = wanted[1] < attributes.retain_until or (held == COMPLIANCE and wanted[0] != COMPLIANCE)
        if held and (loosened or wanted[0] != held) and (held == COMPLIANCE or not bypass):
            # From governance to compliance for at least as long is a tightening, which everybody may.
            if held == GOVERNANCE and wanted[0] == COMPLIANCE and wanted[1] >= attributes.retain_until:
                pass
            else:
                raise AccessDeniedByS3("Access Denied because object protected by object lock.")
        attributes.retention, attributes.retain_until = wanted

    item = await call.store.change_attributes(call.bucket, call.key, edit, call.version)
    return S3Response(200, [*call.version_headers(item), ("Content-Length", "0")])


async def get_object_retention(call: Call) -> S3Response:
    _check_bucket(call)
    attributes = (await call.store.head(call.bucket, call.key, call.version)).attributes
    if not attributes.retention:
        raise NoSuchObjectLockConfiguration(Key=call.key)
    content = {"Mode": attributes.retention, "RetainUntilDate": iso(attributes.retain_until / 1000)}
    return xml_response("Retention", content)


async def put_object_legal_hold(call: Call) -> S3Response:
    """Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html"""
    _check_bucket(call)
    status = (await call.document("LegalHold")).value("Status")
    if status not in ("ON", "OFF"):
        raise MalformedXML

    def edit(attributes: Attributes) -> None:
        attributes.legal_hold = status == "ON"

    item = await call.store.change_attributes(call.bucket, call.key, edit, call.version)
    return S3Response(200, [*call.version_headers(item), ("Content-Length", "0")])


async def get_object_legal_hold(call: Call) -> S3Response:
    _check_bucket(call)
    attributes = (await call.store.head(call.bucket, call.key, call.version)).attributes
    return xml_response("LegalHold", {"Status": "ON" if attributes.legal_hold else "OFF"})


HANDLERS: dict[str, Handler] = {
    "GetObjectLockConfiguration": get_object_lock_configuration,
    "PutObjectLockConfiguration": put_object_lock_configuration,
    "PutObjectRetention": put_object_retention,
    "GetObjectRetention": get_object_retention,
    "PutObjectLegalHold": put_object_legal_hold,
    "GetObjectLegalHold": get_object_legal_hold,
}
