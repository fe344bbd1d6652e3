"""The presigned URL of a tracking server's pages.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedMlflowTrackingServerUrl.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.services.iam.api import Principal
from clary.services.sagemaker.mlflow.addresses import pages_url
from clary.services.sagemaker.mlflow.lifecycle import UP
from clary.services.sagemaker.mlflow.resources import tracking_servers
from clary.services.sagemaker.mlflow.sessions import new_link

LINK_SECONDS = 300
SESSION_SECONDS = 43_200
"""The documentation names no defaults: the longest of each."""


def create_presigned_url(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreatePresignedMlflowTrackingServerUrl``: good once, for a session as the caller."""
    url = pages_url(context.platform.settings, "t")
    if not url:
        raise ValidationException(
            "Browsers see the pages of tracking servers under host names of their own, and this installation has none: "
            "its setting content_host must name a domain whose sub-domains lead here."
        )
    lasts, session = params.get("ExpiresInSeconds"), params.get("SessionExpirationDurationInSeconds")
    caller = context.caller
    assert isinstance(caller, Principal)
    with context.platform.database.write() as transaction:
        record = tracking_servers.named(context, transaction, params)
        if record.status not in UP:
            raise ValidationException(f"Tracking server {record.arn} is not active: it is in status {record.status}.")
        ticket = new_link(record, caller, context.platform.clock(), lasts or LINK_SECONDS, session or SESSION_SECONDS)
        transaction.update(record)
    return {"AuthorizedUrl": f"{pages_url(context.platform.settings, record.document['_id'])}/auth?authToken={ticket}"}


OPERATIONS = {"CreatePresignedMlflowTrackingServerUrl": create_presigned_url}
