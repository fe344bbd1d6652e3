"""Log groups: how long they keep events, and their tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clary.core.errors import ResourceAlreadyExistsException, ResourceNotFoundException
from clary.resources.context import Context, Handler
from clary.services.logs.api import SERVICE, group_arn, group_key
from clary.services.logs.errors import InvalidOperationException, InvalidParameterException, TooManyTagsException
from clary.services.logs.tokens import read_name, write_name
from clary.state.records import AlreadyExists, Query, Record
from clary.state.transaction import Transaction

_RETENTIONS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)
_MOST_TAGS = 50
_DEFAULT_PAGE = 50


def group_name(params: dict[str, Any]) -> str:
    """The group that a request names, by its name or its ARN; raises ``InvalidParameterException``."""
    name, identifier = params.get("logGroupName"), params.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise InvalidParameterException("Exactly one of logGroupName and logGroupIdentifier must be given.")
    return str(name) if name is not None else name_of(str(identifier))


def name_of(identifier: str) -> str:
    """The name in an ARN of a log group, or the name itself."""
    if not identifier.startswith("arn:"):
        return identifier
    return identifier.split(":", 5)[-1].removeprefix("log-group:").removesuffix(":*")


def find_group(transaction: Transaction, context: Context, name: str) -> Record:
    """The record of a log group; raises ``ResourceNotFoundException``."""
    record = transaction.get(group_key(context.account, context.region, name))
    if record is None:
        raise ResourceNotFoundException("The specified log group does not exist.")
    return record


def streams_of(transaction: Transaction, record: Record, contains: str | None = None) -> list[Record]:
    """The streams of a group by name."""
    key = record.key
    wanted = Query(key.account, key.region, SERVICE, "LogStream", sort_by="@name").within(key.name)
    return transaction.find(wanted if contains is None else wanted.where("@name", contains, "contains"))


def remove_file(context: Context, path: Path) -> None:
    """Remove what ``PutLogEvents`` wrote; the log of a job belongs to the job."""
    if path.is_relative_to(context.platform.settings.home / "logs"):
        path.unlink(missing_ok=True)
        path.with_suffix(".lock").unlink(missing_ok=True)


def create_log_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"""
    name, now = params["logGroupName"], context.platform.clock()
    if name.startswith("aws/"):
        raise InvalidParameterException("Log groups starting with aws/ are reserved.")
    document = {"Class": params.get("logGroupClass", "STANDARD")}
    if "kmsKeyId" in params:
        document["KmsKeyId"] = params["kmsKeyId"]
    if params.get("deletionProtectionEnabled"):
        document["Protected"] = True
    arn = group_arn(context.account, context.region, name)
    with context.platform.database.write() as transaction:
        try:
            transaction.insert(Record(group_key(context.account, context.region, name), arn, now, now, document))
        except AlreadyExists as error:
            raise ResourceAlreadyExistsException("The specified log group already exists") from error
        _set_tags(transaction, arn, params.get("tags", {}))
    return {}


def delete_log_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html"""
    with context.platform.database.write() as transaction:
        record = find_group(transaction, context, params["logGroupName"])
        if record.document.get("Protected"):
            raise InvalidOperationException("The log group is protected from deletion.")
        streams = streams_of(transaction, record)
        for stream in streams:
            transaction.delete(stream)
        transaction.delete(record)
    for stream in streams:
        remove_file(context, Path(stream.document["Path"]))
    return {}


def describe_log_groups(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html"""
    prefix, pattern = params.get("logGroupNamePrefix", ""), params.get("logGroupNamePattern")
    if prefix and pattern:
        raise InvalidParameterException("Cannot use both logGroupNamePrefix and logGroupNamePattern.")
    wanted = {name_of(item) for item in params.get("logGroupIdentifiers", ())}
    limit, after = params.get("limit", _DEFAULT_PAGE), read_name(params.get("nextToken"))
    with context.platform.database.read() as transaction:
        every = Query(context.account, context.region, SERVICE, "LogGroup", sort_by="@name")
        records = transaction.find(every.where("@name", prefix or pattern or "", "contains"))
        found = [
            record
            for record in records
            if record.name.startswith(prefix)
            and (pattern is None or pattern in record.name)
            and (not wanted or record.name in wanted)
            and params.get("logGroupClass", _class(record)) == _class(record)
            and (after is None or record.name > after)
        ]
        views = [_view(transaction, record) for record in found[:limit]]
    answer: dict[str, Any] = {"logGroups": views}
    if len(found) > limit:
        answer["nextToken"] = write_name(found[limit - 1].name)
    return answer


def _class(record: Record) -> str:
    return str(record.document.get("Class", "STANDARD"))


def _view(transaction: Transaction, record: Record) -> dict[str, Any]:
    view: dict[str, Any] = {
        "logGroupName": record.name,
        "creationTime": int(record.created * 1000),
        "metricFilterCount": 0,
        "arn": f"{record.arn}:*",
        "logGroupArn": record.arn,
        "storedBytes": sum(_size(Path(stream.document["Path"])) for stream in streams_of(transaction, record)),
        "logGroupClass": _class(record),
        "deletionProtectionEnabled": bool(record.document.get("Protected")),
    }
    for member, kept in (("retentionInDays", "Retention"), ("kmsKeyId", "KmsKeyId")):
        if kept in record.document:
            view[member] = record.document[kept]
    return view


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def list_log_groups(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListLogGroups.html"""
    limit, after = params.get("limit", _DEFAULT_PAGE), read_name(params.get("nextToken"))
    pattern = params.get("logGroupNamePattern")
    with context.platform.database.read() as transaction:
        records = transaction.find(Query(context.account, context.region, SERVICE, "LogGroup", sort_by="@name"))
    found = [
        record
        for record in records
        if (pattern is None or _fits(pattern, record.name))
        and params.get("logGroupClass", _class(record)) == _class(record)
        and (after is None or record.name > after)
    ]
    views = [
        {"logGroupName": record.name, "logGroupArn": record.arn, "logGroupClass": _class(record)}
        for record in found[:limit]
    ]
    answer: dict[str, Any] = {"logGroups": views}
    if len(found) > limit:
        answer["nextToken"] = write_name(found[limit - 1].name)
    return answer


def _fits(pattern: str, name: str) -> bool:
    """A name fits ``^prefix`` or a text within it; ``|`` parts alternatives."""
    return any(name.startswith(part[1:]) if part.startswith("^") else part in name for part in pattern.split("|"))


def put_retention_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html

    Events that are older are not shown any more, and removed (see ``clary.services.logs.retention``).
    """
    days = params["retentionInDays"]
    if days not in _RETENTIONS:
        raise InvalidParameterException(f"Invalid retention value: {days}")
    with context.platform.database.write() as transaction:
        record = find_group(transaction, context, params["logGroupName"])
        record.document["Retention"] = days
        record.wake_at = record.modified = context.platform.clock()
        transaction.update(record)
    context.platform.wake(record.id)
    return {}


def delete_retention_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteRetentionPolicy.html"""
    with context.platform.database.write() as transaction:
        record = find_group(transaction, context, params["logGroupName"])
        record.document.pop("Retention", None)
        record.wake_at, record.modified = None, context.platform.clock()
        transaction.update(record)
    return {}


# Tags


def _set_tags(transaction: Transaction, arn: str, tags: dict[str, str]) -> None:
    if len({**transaction.tags(arn), **tags}) > _MOST_TAGS:
        raise TooManyTagsException(f"A log group can have {_MOST_TAGS} tags at most.", resourceName=arn)
    transaction.set_tags(arn, tags)


def _tagged(transaction: Transaction, context: Context, params: dict[str, Any]) -> Record:
    return find_group(transaction, context, name_of(params.get("resourceArn", params.get("logGroupName", ""))))


def tag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html"""
    with context.platform.database.write() as transaction:
        _set_tags(transaction, _tagged(transaction, context, params).arn, params["tags"])
    return {}


def untag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagResource.html"""
    with context.platform.database.write() as transaction:
        record = _tagged(transaction, context, params)
        transaction.remove_tags(record.arn, params.get("tagKeys", params.get("tags", [])))
    return {}


def list_tags_for_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsForResource.html"""
    with context.platform.database.read() as transaction:
        return {"tags": transaction.tags(_tagged(transaction, context, params).arn)}


OPERATIONS: dict[str, Handler] = {
    "CreateLogGroup": create_log_group,
    "DeleteLogGroup": delete_log_group,
    "DescribeLogGroups": describe_log_groups,
    "ListLogGroups": list_log_groups,
    "PutRetentionPolicy": put_retention_policy,
    "DeleteRetentionPolicy": delete_retention_policy,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
    # The older names of the same.
    "TagLogGroup": tag_resource,
    "UntagLogGroup": untag_resource,
    "ListTagsLogGroup": list_tags_for_resource,
}
