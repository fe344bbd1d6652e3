"""What the trail says of a call of a tracking server of MLflow: which of MLflow's operations it is, and its outcome.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-create-tracking-server-iam.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from clary.edge.tracking import Place
from clary.edge.trail import Call, Trail
from clary.services.sagemaker.mlflow.api import OPEN, action_of

SERVICE = "sagemaker-mlflow"
_REFUSED = {401: "MissingAuthenticationToken", 403: "AccessDeniedException", 404: "ResourceNotFound"}

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def recorded(trail: Trail, call: Call, place: Place, send: Send) -> Send:
    """As ``send``, and the call is recorded before the head of its answer goes out."""

    async def record_and_send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            _record(trail, call, place, message["status"])
        await send(message)

    return record_and_send


def _record(trail: Trail, call: Call, place: Place, status: int) -> None:
    method = "GET" if call.request.method == "HEAD" else call.request.method
    action = action_of(method, unquote(place.path))
    if action == OPEN:
        # A file of its pages, the same for everybody.
        return
    if place.principal is not None:
        call.by(place.principal, call.access_key)
    call.of(SERVICE, (action or "").rpartition(":")[2], call.region)
    if place.route is not None:
        call.more["resources"] = [{"type": "AWS::SageMaker::MlflowTrackingServer", "ARN": place.route.arn}]
    if status >= 400:
        call.error = (_REFUSED.get(status, str(status)), "")
    trail.keep(call)
