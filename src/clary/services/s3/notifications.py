"""Event notifications: what a bucket is to tell, and to whom.

A notice is written in the same transaction as the change that it tells, and stays until it has been delivered: it may
come twice, but it is not lost.

References: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

import msgspec
import orjson

from clary.core.clock import iso
from clary.objects.model import Bucket, Deletion, Object, now
from clary.objects.store import DeletionNotices, Notices

from . import xml
from .buckets import timestamp
from .call import Call, Handler, xml_response
from .errors import InvalidArgument, MalformedXML
from .http import S3Request, S3Response

DOCUMENT = "notification"
_FUNCTION = "lambda"
EVENTS = (
    "s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload", "s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated", "s3:LifecycleExpiration:*", "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated", "s3:ObjectTagging:*", "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
)  # fmt: skip
"""What can be told of; S3's other events are of things that do not happen here."""
_KINDS = {
    "QueueConfiguration": ("sqs", "Queue"),
    "TopicConfiguration": ("sns", "Topic"),
    "CloudFunctionConfiguration": (_FUNCTION, "CloudFunction"),
}
_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
}
_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
    "LifecycleExpiration:Delete": "Lifecycle Expiration",
    "LifecycleExpiration:DeleteMarkerCreated": "Lifecycle Expiration",
}
_LIFECYCLE = "s3.amazonaws.com"


class Destination(msgspec.Struct, omit_defaults=True):
    """Where events of a bucket go: a queue, a topic, a function, or (``events``) EventBridge, which gets all."""

    target: str
    id: str = ""
    arn: str = ""
    events: list[str] = []
    prefix: str = ""
    suffix: str = ""

    def wants(self, event: str, key: str) -> bool:
        """Whether an event (``ObjectCreated:Put``) of ``key`` is for it."""
        if self.target == "events":
            return True
        whole = f"s3:{event}"
        group = f"{whole.rpartition(':')[0]}:*"
        named = whole in self.events or group in self.events
        return named and key.startswith(self.prefix) and key.endswith(self.suffix)


def destinations(bucket: Bucket) -> Sequence[Destination]:
    """Where the events of a bucket go."""
    document = bucket.documents.get(DOCUMENT)
    return () if document is None else _destinations(document)


@lru_cache(maxsize=256)
def _destinations(document: bytes) -> list[Destination]:
    return msgspec.json.decode(document, type=list[Destination])


class Notifications:
    """Makes notices of what happens."""

    def __init__(self, check: Callable[[str, str, list[dict[str, str]]], Awaitable[list[str]]]) -> None:
        """``check`` gives those of a bucket's destinations (account, bucket, targets with ARNs) that cannot be reached
        from it."""
        self.check = check

    def of_object(self, call: Call, event: str) -> Notices | None:
        """The notices of an object that the call has made or changed; ``None`` where nobody wants any."""
        bucket = call.store.bucket(call.bucket)
        wanted = [each for each in destinations(bucket) if each.wants(event, call.key)]
        if not wanted:
            return None
        return lambda item: _notices(wanted, bucket, event, item.key, item, "", call.request)

    def of_deletion(self, call: Call) -> DeletionNotices | None:
        """The notices of what the call deletes; ``None`` where nobody wants any."""
        bucket = call.store.bucket(call.bucket)
        if not destinations(bucket):
            return None
        return _deletion_notices(bucket, "ObjectRemoved", call.request)

    def of_expiry(self, bucket: Bucket) -> DeletionNotices | None:
        """The notices of what expires; ``None`` where nobody wants any."""
        return _deletion_notices(bucket, "LifecycleExpiration", None) if destinations(bucket) else None


def _deletion_notices(bucket: Bucket, group: str, request: S3Request | None) -> DeletionNotices:
    def notices(key: str, done: Deletion) -> Iterator[bytes]:
        event = f"{group}:{'DeleteMarkerCreated' if done.marker else 'Delete'}"
        wanted = [each for each in destinations(bucket) if each.wants(event, key)]
        return _notices(wanted, bucket, event, key, None, done.version, request)

    return notices


def _notices(
    wanted: Sequence[Destination],
    bucket: Bucket,
    event: str,
    key: str,
    item: Object | None,
    version: str,
    request: S3Request | None,
) -> Iterator[bytes]:
    version = version or (item.version if item is not None and item.version != "null" else "")
    # It only grows for the same key, as the sequencer is to.
    sequencer = f"{item.sequence if item is not None else now() * 1_000_000:016X}"
    for each in wanted:
        if each.target == "events":
            message = _for_event_bridge(bucket, event, key, item, version, sequencer, request)
        else:
            message = _record(each, bucket, event, key, item, version, sequencer, request)
        yield orjson.dumps(
            {
                "target": each.target,
                "arn": each.arn,
                "account": bucket.account,
                "region": bucket.region,
                "bucket": bucket.name,
                "message": message,
            }
        )


def _requester(request: S3Request | None) -> str:
    return _LIFECYCLE if request is None else getattr(request.principal, "user_id", "") or "Anonymous"


def _record(
    destination: Destination,
    bucket: Bucket,
    event: str,
    key: str,
    item: Object | None,
    version: str,
    sequencer: str,
    request: S3Request | None,
) -> dict[str, Any]:
    described: dict[str, Any] = {"key": quote_plus(key, safe="/")}
    if item is not None:
        described |= {"size": item.size, "eTag": item.etag}
    described |= ({"versionId": version} if version else {}) | {"sequencer": sequencer}
    identity = {"principalId": _requester(request)}
    request_id = request.request_id if request is not None else ""
    return {
        "Records": [
            {
                "eventVersion": "2.3",
                "eventSource": "aws:s3",
                "awsRegion": bucket.region,
                "eventTime": timestamp(item.modified if item is not None else now()),
                "eventName": event,
                "userIdentity": identity,
                "requestParameters": {"sourceIPAddress": request.client if request is not None else _LIFECYCLE},
                "responseElements": {"x-amz-request-id": request_id, "x-amz-id-2": request_id},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": destination.id,
                    "bucket": {
                        "name": bucket.name,
                        "ownerIdentity": {"principalId": bucket.account},
                        "arn": f"arn:aws:s3:::{bucket.name}",
                    },
                    "object": described,
                },
            }
        ]
    }


def _for_event_bridge(
    bucket: Bucket,
    event: str,
    key: str,
    item: Object | None,
    version: str,
    sequencer: str,
    request: S3Request | None,
) -> dict[str, Any]:
    described: dict[str, Any] = {"key": key}
    if item is not None:
        described |= {"size": item.size, "etag": item.etag}
    described |= ({"version-id": version} if version else {}) | {"sequencer": sequencer}
    detail: dict[str, Any] = {"version": "0", "bucket": {"name": bucket.name}, "object": described}
    if request is not None:
        detail |= {"request-id": request.request_id, "source-ip-address": request.client}
    detail["requester"] = bucket.account if request is not None and request.account else _requester(request)
    if event in _REASONS:
        detail["reason"] = _REASONS[event]
    if event.startswith(("ObjectRemoved", "LifecycleExpiration")):
        marker = event.endswith("DeleteMarkerCreated")
        detail["deletion-type"] = "Delete Marker Created" if marker else "Permanently Deleted"
    return {
        "source": "aws.s3",
        "detail-type": _DETAIL_TYPES.get(event) or _DETAIL_TYPES[event.partition(":")[0]],
        "time": iso(now() / 1000),
        "resources": [f"arn:aws:s3:::{bucket.name}"],
        "detail": detail,
    }


# -- the configuration


async def get_bucket_notification(call: Call) -> S3Response:
    content: dict[str, Any] = {}
    for each in destinations(call.store.bucket(call.bucket)):
        if each.target == "events":
            content["EventBridgeConfiguration"] = {}
            continue
        element, arn = next((name, arn) for name, (target, arn) in _KINDS.items() if target == each.target)
        rules = [{"Name": name, "Value": value} for name, value in (("Prefix", each.prefix), ("Suffix", each.suffix))]
        rules = [rule for rule in rules if rule["Value"]]
        entry: dict[str, Any] = {"Id": each.id, arn: each.arn, "Event": each.events}
        if rules:
            entry["Filter"] = {"S3Key": {"FilterRule": rules}}
        content.setdefault(element, []).append(entry)
    return xml_response("NotificationConfiguration", content)


async def put_bucket_notification(call: Call) -> S3Response:
    """Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html"""
    document = await call.document("NotificationConfiguration")
    found = [_read(node, *_KINDS[node.name]) for node in document.children if node.name in _KINDS]
    _check_overlaps(found)
    bucket = call.store.bucket(call.bucket)
    if found and call.header("x-amz-skip-destination-validation").lower() != "true":
        asked = [{"target": each.target, "arn": each.arn} for each in found]
        if invalid := await call.own.notifications.check(bucket.account, bucket.name, asked):
            raise InvalidArgument(
                "Unable to validate the following destination configurations",
                ArgumentName1=invalid[0],
                ArgumentValue1="The destination does not exist, or its policy does not let s3.amazonaws.com send to it",
            )
    if document.find("EventBridgeConfiguration") is not None:
        found.append(Destination("events"))
    kept = msgspec.json.encode(found) if found else None
    # Functions are not called to try them.
    tested = [each for each in found if each.arn and each.target != _FUNCTION]
    await call.store.set_document(call.bucket, DOCUMENT, kept, [_test(each, call) for each in tested])
    return S3Response(200, [("Content-Length", "0")])


def _read(node: xml.Node, target: str, arn: str) -> Destination:
    events = [event.text for event in node.all("Event")]
    if not events:
        raise MalformedXML
    for event in events:
        if event not in EVENTS:
            raise InvalidArgument(
                "A specified event is not supported for notifications.", ArgumentName="Event", ArgumentValue=event
            )
    found = Destination(target, node.value("Id") or secrets.token_urlsafe(24), node.required(arn), events)
    chosen = node.find("Filter")
    keys = chosen.find("S3Key") if chosen is not None else None
    for rule in keys.all("FilterRule") if keys is not None else ():
        name, value = rule.required("Name").lower(), rule.value("Value") or ""
        if name not in ("prefix", "suffix"):
            raise InvalidArgument(
                "filter rule name must be either prefix or suffix", ArgumentName="FilterRule.Name", ArgumentValue=name
            )
        if getattr(found, name):
            raise InvalidArgument(f"Cannot specify more than one {name} rule in a filter.", ArgumentName="FilterRule")
        setattr(found, name, value)
    return found


def _check_overlaps(found: Sequence[Destination]) -> None:
    """One event of one key may go to one queue, topic or function only."""
    for number, one in enumerate(found):
        for other in found[:number]:
            prefixes = one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)
            suffixes = one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)
            if prefixes and suffixes and _share(one.events, other.events):
                raise InvalidArgument(
                    "Configurations overlap. Configurations on the same bucket cannot share a common event type."
                )


def _share(some: Sequence[str], others: Sequence[str]) -> bool:
    def plain(event: str) -> str:
        return event.removesuffix("*")

    return any(
        plain(one).startswith(plain(other)) or plain(other).startswith(plain(one)) for one in some for other in others
    )


def _test(destination: Destination, call: Call) -> bytes:
    """What S3 sends once to every new destination."""
    bucket, request = call.store.bucket(call.bucket), call.request
    message = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": timestamp(now()),
        "Bucket": bucket.name,
        "RequestId": request.request_id,
        "HostId": request.request_id,
    }
    return orjson.dumps(
        {
            "target": destination.target,
            "arn": destination.arn,
            "account": bucket.account,
            "region": bucket.region,
            "bucket": bucket.name,
            "message": message,
        }
    )


HANDLERS: dict[str, Handler] = {
    "GetBucketNotificationConfiguration": get_bucket_notification,
    "PutBucketNotificationConfiguration": put_bucket_notification,
}
