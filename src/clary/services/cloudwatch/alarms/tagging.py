"""Tags of alarms, with the errors that CloudWatch has for them.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ResourceLimitExceeded, ValidationException
from clary.resources.context import Context, Handler
from clary.resources.tagging import tag_operations
from clary.services.cloudwatch.errors import InvalidParameterValue, ResourceNotFoundException
from clary.wire.catalog import service as service_named


def tag_handlers() -> Mapping[str, Handler]:
    """``TagResource``, ``UntagResource`` and ``ListTagsForResource``.

    They raise ``ResourceNotFoundException`` and ``InvalidParameterValue``.
    """
    handlers = tag_operations(service_named("cloudwatch").model)
    return {name: _worded(handler) for name, handler in handlers.items()}


def _worded(handler: Handler) -> Handler:
    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        arn = params["ResourceARN"]
        with context.platform.database.read() as transaction:
            if arn.startswith("arn:") and transaction.by_arn(arn) is None:
                raise ResourceNotFoundException(f"Unknown resource: {arn}")
        try:
            return handler(context, params)
        except (ValidationException, ResourceLimitExceeded) as error:
            raise InvalidParameterValue(error.message) from error

    return handle
