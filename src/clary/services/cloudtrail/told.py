"""What the control plane tells the edge of a call, for the trail: the part of its record that only it knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from clary.core.errors import ServiceError
from clary.resources.context import Context, ServiceApp
from clary.services.cloudtrail import operations
from clary.services.cloudtrail.hiding import LARGEST, Shown
from clary.services.cloudtrail.resource_types import type_of

if TYPE_CHECKING:
    from botocore.model import OperationModel

HEADER = "x-clary-trail"
"""Carries the part, as JSON in ASCII, from control to the edge, which takes it out of the answer."""
_NAMED = ("Name", "Arn", "ARN", "Url", "Id", "Namespace")
"""The ends of the names of members that say what a call of data is about."""
_DEEPEST = 2
_MOST_RESOURCES = 10


class Told:
    """The part of one call, as far as it has come."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._operation: OperationModel | None = None
        self._shown = Shown()
        self._asked: Mapping[str, Any] = {}
        self.record: dict[str, Any] = {"eventSource": operations.source(service)}
        self._acted_on: tuple[str, ...] = ()

    def named(self, operation: str) -> None:
        """The request is for this operation, whether or not the rest of it can be read."""
        self.record |= {
            "eventName": operation[:128],
            "readOnly": operations.is_read_only(self._service, operation),
            "managementEvent": not operations.is_data(self._service, operation),
        }

    def asked(self, operation: OperationModel, params: Mapping[str, Any]) -> None:
        """The request could be read. It is kept as it is now: handlers may write into what they are given."""
        self._operation, self._asked = operation, params
        self.named(operation.name)
        data = not self.record["managementEvent"]
        shape = operation.input_shape
        shown = self._shown.members(shape, params) if shape is not None and not data else {}
        if data:
            named = {key: value for key, value in params.items() if isinstance(value, str) and key.endswith(_NAMED)}
            shown = self._shown.members(shape, named)
        self.record["requestParameters"] = _bounded(shown) or None

    def acts_on(self, app: ServiceApp, context: Context, params: Mapping[str, Any]) -> None:
        """The request is valid, so that its service can tell which resources it is about."""
        if app.resource_of is not None:
            subject = app.resource_of(context, self.record["eventName"], params)
        else:
            # Of STS: the role that is assumed.
            subject = params.get("RoleArn", "*")
        arns = (subject,) if isinstance(subject, str) else subject
        self._acted_on = tuple(arn for arn in arns if arn.startswith("arn:") and "*" not in arn)

    def answered(self, result: Mapping[str, Any]) -> None:
        """The operation was done."""
        operation = self._operation
        assert operation is not None
        shape, name = operation.output_shape, operation.name
        if shape is not None and self.record["managementEvent"] and operations.shows_answer(self._service, name):
            self.record["responseElements"] = _bounded(self._shown.members(shape, result)) or None
        self._resources(result)

    def failed(self, error: ServiceError) -> None:
        """The operation was refused or has failed."""
        self.record |= {"errorCode": error.code, "errorMessage": self._shown.message(error.message)}
        self._resources({})

    def _resources(self, result: Mapping[str, Any]) -> None:
        # KMS, for one, knows only while it works which key is meant.
        arns = self._acted_on or tuple(dict.fromkeys((*_arns(result), *_arns(self._asked))))
        if arns:
            self.record["resources"] = [{"ARN": arn, "type": type_of(arn)} for arn in arns[:_MOST_RESOURCES]]

    def text(self, headers: Mapping[str, str]) -> str:
        """The header's value; ``headers`` are those of the answer, which has the code that the caller gets."""
        if "errorCode" in self.record:
            self.record["errorCode"] = headers.get("x-amzn-errortype", self.record["errorCode"])
        # DEL is the one character of ASCII that JSON leaves as it is and that no header may have.
        return json.dumps(self.record, separators=(",", ":")).replace("\x7f", "\\u007f")


def _arns(members: Mapping[str, Any], depth: int = 1) -> Iterator[str]:
    """The ARNs that stand in ``members`` by themselves, roles left out: those are passed on, not acted on."""
    for name, value in members.items():
        if isinstance(value, str):
            if value.startswith("arn:aws:") and len(value) < 2048 and "Role" not in name and "*" not in value:
                yield value
        elif isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _arns(value, depth + 1)


def _bounded(shown: dict[str, Any]) -> dict[str, Any]:
    """``shown`` unless it is too large: then only that it was left out.

    Reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    if _size(shown) <= LARGEST:
        return shown
    return {"omitted": True, "originalSize": _size(shown), "reason": "TooLarge"}


def _size(value: Any) -> int:
    """About the bytes of ``value`` as JSON, which is quicker to count than to write."""
    if isinstance(value, str):
        return 2 + (len(value) if value.isascii() else len(value.encode("utf-8", "replace")))
    if isinstance(value, dict):
        return sum(len(key) + 4 + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(_size(item) + 1 for item in value)
    return 8
