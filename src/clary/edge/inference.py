"""``InvokeEndpoint``: from a request that is authenticated to a model server and back, with no database on the way.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import random
from time import perf_counter

from clary.core.errors import (
    InternalFailure,
    NotAvailableYet,
    RequestTooLarge,
    ServiceError,
    ServiceUnavailable,
    ValidationError,
)
from clary.edge.invocations import Invocations
from clary.edge.routes import EndpointRoute, Routes, Variant
from clary.edge.upstream import Answer, Header, NotConnected, Pool, UpstreamError
from clary.services.iam.api import Principal
from clary.wire.http import Request, Response

LARGEST_PAYLOAD = 25 * 1024 * 1024
"""Bytes; https://docs.aws.amazon.com/general/latest/gr/sagemaker.html"""
TIMEOUT_SECONDS = 60.0
"""How long a container may take for one request."""

_FORWARDED = (
    ("content-type", b"content-type"),
    ("accept", b"accept"),
    ("x-amzn-sagemaker-custom-attributes", b"x-amzn-sagemaker-custom-attributes"),
    ("x-amzn-sagemaker-inference-id", b"x-amzn-sagemaker-inference-id"),
)
_RETURNED = (b"content-type", b"x-amzn-sagemaker-custom-attributes")
_LATER = {
    "x-amzn-sagemaker-target-model": "TargetModel",
    "x-amzn-sagemaker-inference-component": "InferenceComponentName",
    "x-amzn-sagemaker-target-container-hostname": "TargetContainerHostname",
    "x-amzn-sagemaker-session-id": "SessionId",
}


class ModelError(ServiceError):
    """The model's container answered with an error, or not at all."""

    code = "ModelError"
    status = 424


class Inference:
    """The data plane of real-time inference."""

    def __init__(self, routes: Routes, pool: Pool, invocations: Invocations) -> None:
        self._routes = routes
        self._pool = pool
        self._invocations = invocations

    async def invoke(
        self, request: Request, principal: Principal, region: str, name: str, begun: float | None = None
    ) -> Response:
        """One call, which began at ``begun`` by the clock of ``perf_counter``.

        Raises ``ValidationError``, ``ModelError``, ``ServiceUnavailable`` and others as documented.
        """
        if begun is None:
            begun = perf_counter()
        if len(request.body) > LARGEST_PAYLOAD:
            raise RequestTooLarge(f"The payload has {len(request.body)} bytes; at most {LARGEST_PAYLOAD} are taken.")
        for header, member in _LATER.items():
            if header in request.headers:
                raise NotAvailableYet(f"{member} is not available in Clary yet.")
        route = self._route(principal.account, region, name)
        variant = self._variant(route, request.headers.get("x-amzn-sagemaker-target-variant"), name)
        headers: list[Header] = [(b"host", b"model")]
        for given, sent in _FORWARDED:
            if (value := request.headers.get(given)) is not None:
                headers.append((sent, value.encode("latin-1")))
        counted = (principal.account, region, name, variant.name)
        asked = perf_counter()
        overhead = (asked - begun) * 1e6
        try:
            answer = await self._ask(variant, headers, request.body)
        except ServiceUnavailable:
            self._invocations.count(counted, 0, 0.0, overhead)
            raise
        except ServiceError:
            self._invocations.count(counted, 0, (perf_counter() - asked) * 1e6, overhead)
            raise
        self._invocations.count(counted, answer.status, (perf_counter() - asked) * 1e6, overhead)
        if answer.status >= 400:
            raise _model_error(answer, variant, name, principal.account, region)
        returned = {"x-amzn-invoked-production-variant": variant.name}
        for key, text in answer.headers:
            if key in _RETURNED:
                returned[key.decode("latin-1")] = text.decode("latin-1")
        return Response(200, returned, answer.body)

    def _route(self, account: str, region: str, name: str) -> EndpointRoute:
        route = self._routes.get(account, region, name)
        if route is None:
            raise ValidationError(f"Endpoint {name} of account {account} not found.")
        return route

    @staticmethod
    def _variant(route: EndpointRoute, target: str | None, name: str) -> Variant:
        if target is None:
            return route.choose()
        variant = route.variant(target)
        if variant is None:
            raise ValidationError(f"Variant {target} not found for Request. Endpoint {name} has no such variant.")
        return variant

    async def _ask(self, variant: Variant, headers: list[Header], body: bytes) -> Answer:
        if not variant.addresses:
            raise ServiceUnavailable(f"No server of variant {variant.name} is ready. Please try again.")
        address = variant.addresses[0] if len(variant.addresses) == 1 else random.choice(variant.addresses)
        try:
            return await self._pool.request(address, b"POST", b"/invocations", headers, body, TIMEOUT_SECONDS)
        except TimeoutError:
            message = f"Your invocation timed out while waiting for a response from container {variant.name}."
            raise ModelError(message, OriginalStatusCode=0, OriginalMessage=message) from None
        except NotConnected as error:
            # It is being started again, perhaps at another address, which the route says in a moment.
            raise ServiceUnavailable(f"The server of variant {variant.name} is not ready. Please try again.") from error
        except UpstreamError as error:
            raise InternalFailure(f"The server of variant {variant.name} cannot be reached: {error}") from error


def _model_error(answer: Answer, variant: Variant, name: str, account: str, region: str) -> ModelError:
    original = answer.body[:1024].decode("utf-8", "replace")
    kind = "client" if answer.status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{name}"
    return ModelError(
        f'Received {kind} error ({answer.status}) from {variant.name} with message "{original}". '
        f"See the log group {group} in account {account} for more information.",
        OriginalStatusCode=answer.status,
        OriginalMessage=original,
        LogStreamArn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
    )
