"""Tags of keys.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.resources.context import Context, Handler
from clary.services.kms import keys
from clary.services.kms.asked import managed_record, page
from clary.services.kms.errors import LimitExceededException, TagException
from clary.services.kms.keys import DISABLED, ENABLED

_MOST = 50


def checked_tags(given: Sequence[Mapping[str, str]], present: Mapping[str, str]) -> dict[str, str]:
    """Tags of a request by key; with those that are there they are 50 at most.

    Raises ``TagException`` or ``LimitExceededException``.
    """
    tags: dict[str, str] = {}
    for tag in given:
        key = tag["TagKey"]
        if key.lower().startswith("aws:"):
            raise TagException("Tag keys that begin with aws: are reserved.")
        if key in tags:
            raise TagException(f"Duplicate tag key: {key}")
        tags[key] = tag["TagValue"]
    if len({*present, *tags}) > _MOST:
        raise LimitExceededException(f"A key can have {_MOST} tags.")
    return tags


def tag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``TagResource``."""
    with context.platform.database.write() as transaction:
        given: dict[str, Any] = {f"aws:RequestTag/{each['TagKey']}": each["TagValue"] for each in params["Tags"]}
        given["aws:TagKeys"] = tuple(each["TagKey"] for each in params["Tags"])
        record, key = managed_record(context, transaction, params["KeyId"], "TagResource", given=given)
        keys.check_state(record.arn, record.status, ENABLED, DISABLED)
        transaction.set_tags(record.arn, checked_tags(params["Tags"], key.tags))
        transaction.bump(keys.TOPIC)
    return {}


def untag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UntagResource``."""
    with context.platform.database.write() as transaction:
        given = {"aws:TagKeys": tuple(params["TagKeys"])}
        record, _ = managed_record(context, transaction, params["KeyId"], "UntagResource", given=given)
        keys.check_state(record.arn, record.status, ENABLED, DISABLED)
        transaction.remove_tags(record.arn, params["TagKeys"])
        transaction.bump(keys.TOPIC)
    return {}


def list_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListResourceTags``."""
    with context.platform.database.read() as transaction:
        _, key = managed_record(context, transaction, params["KeyId"], "ListResourceTags")
    rows, more = page(key.tags.items(), params, _MOST, lambda each: each[0])
    return {"Tags": [{"TagKey": name, "TagValue": value} for name, value in rows], **more}


OPERATIONS: dict[str, Handler] = {"TagResource": tag, "UntagResource": untag, "ListResourceTags": list_tags}
