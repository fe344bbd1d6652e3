"""``InvokeEndpoint``: from a request that is authenticated to a model server and back, with no database on the way.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from time import perf_counter

from clary.core.errors import (
    NotAvailableYet,
    RequestTooLarge,
    ServiceError,
    ServiceUnavailable,
    ThrottlingException,
    ValidationError,
)
from clary.edge.answer import Answer, Header, Incomplete, NotConnected, UpstreamError
from clary.edge.capture import Captures, Place
from clary.edge.invocations import Invocations
from clary.edge.payload_parts import EVENT_STREAM, PayloadParts
from clary.edge.routes import EndpointRoute, Instance, Routes, Variant
from clary.edge.upstream import Pool
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
_FORWARDED_STREAMING = tuple(
    ("x-amzn-sagemaker-accept" if given == "accept" else given, sent) for given, sent in _FORWARDED
)
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container {}. Review the latency metrics for each "
    "container in Amazon CloudWatch, resolve the issue, and try again."
)
_NO_RESPONSE = (
    "Amazon SageMaker could not get a response from the endpoint. This can occur when CPU or memory utilization is "
    "high. To check your utilization, see Amazon CloudWatch. To fix this problem, use an instance type with more CPU "
    "capacity or memory."
)
_NOT_WHOLE = "could not load the entire response body"
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


class ModelNotReadyException(ServiceError):
    """A serverless variant's server is being started."""

    code = "ModelNotReadyException"
    status = 429


class _NoAnswer(Exception):
    """The container of a variant has not answered, or not whole: with which status, and what to say of it."""

    def __init__(self, status: int, message: str, whole: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.whole = whole
        """Whether what came is all; else the head of an answer came and not its body."""


class Inference:
    """The data plane of real-time inference."""

    def __init__(self, routes: Routes, pool: Pool, invocations: Invocations, captures: Captures) -> None:
        self._captures = captures
        self._routes = routes
        self._pool = pool
        self._invocations = invocations
        self._busy: dict[Instance, int] = {}
        """How many requests each instance works on that has any."""

    async def invoke(
        self, request: Request, principal: Principal, region: str, name: str, begun: float | None = None
    ) -> Response:
        """One call, which began at ``begun`` by the clock of ``perf_counter``.

        Raises ``ValidationError``, ``ModelError``, ``ServiceUnavailable`` and others as documented.
        """
        begun = perf_counter() if begun is None else begun
        answer, variant = await self._invoke(request, principal, region, name, begun)
        if variant.capture is not None:
            place = Place(principal.account, region, name, variant.name, variant.capture)
            self._captures.offer(place, request, answer)
        return Response(200, _returned(answer, variant), answer.body)

    async def invoke_streaming(
        self, request: Request, principal: Principal, region: str, name: str, begun: float
    ) -> Response:
        """``InvokeEndpointWithResponseStream``: the same, and the client gets the answer as the container sends it."""
        answer, variant = await self._invoke(request, principal, region, name, begun, streaming=True)
        assert answer.stream is not None
        returned = _returned(answer, variant)
        if "content-type" in returned:
            returned["x-amzn-sagemaker-content-type"] = returned["content-type"]
        return Response(200, returned | {"content-type": EVENT_STREAM}, PayloadParts(answer.stream, variant.name))

    async def _invoke(
        self, request: Request, principal: Principal, region: str, name: str, begun: float, streaming: bool = False
    ) -> tuple[Answer, Variant]:
        """What a variant answers that is no error; with ``streaming`` the beginning of it."""
        if len(request.body) > LARGEST_PAYLOAD:
            raise RequestTooLarge(f"The payload has {len(request.body)} bytes; at most {LARGEST_PAYLOAD} are taken.")
        for header, member in _LATER.items():
            if header in request.headers:
                raise NotAvailableYet(f"{member} is not available in Clary yet.")
        route = self._route(principal.account, region, name)
        variant = self._variant(route, request.headers.get("x-amzn-sagemaker-target-variant"), name)
        headers: list[Header] = [(b"host", b"model")]
        for given, sent in _FORWARDED_STREAMING if streaming else _FORWARDED:
            if (value := request.headers.get(given)) is not None:
                headers.append((sent, value.encode("latin-1")))
        if request.trace:
            headers.append((b"traceparent", request.trace.encode()))
        counted, instances = (principal.account, region, name, variant.name), len(variant.instances)
        asked = perf_counter()
        overhead = (asked - begun) * 1e6
        try:
            answer = await self._ask(variant, headers, request.body, streaming)
        except ServiceError:
            self._invocations.count(counted, 0, 0.0, overhead, instances)
            raise
        except _NoAnswer as error:
            self._invocations.count(counted, 0, (perf_counter() - asked) * 1e6, overhead, instances)
            place = (name, principal.account, region)
            raise _model_error(error.status, str(error), variant, *place, whole=error.whole) from error
        self._invocations.count(counted, answer.status, (perf_counter() - asked) * 1e6, overhead, instances)
        if answer.status >= 400:
            original = answer.body[:1024].decode("utf-8", "replace")
            raise _model_error(answer.status, original, variant, name, principal.account, region)
        return answer, variant

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

    async def _ask(self, variant: Variant, headers: list[Header], body: bytes, streaming: bool) -> Answer:
        """What the least busy instance answers; where it has just gone, another one."""
        left = variant.instances
        if variant.concurrency and self._under_way(left) >= variant.concurrency:
            raise ThrottlingException(f"The variant {variant.name} has reached its limit of concurrent requests.")
        while left:
            instance = left[0] if len(left) == 1 else self._least_busy(left)
            try:
                return await self._through(variant, instance, headers, body, streaming)
            except NotConnected:
                # It is being started again, perhaps at another address, which the route says in a moment.
                left = tuple(each for each in left if each is not instance)
        if variant.concurrency:
            raise ModelNotReadyException(f"The server of the serverless variant {variant.name} is being started.")
        raise ServiceUnavailable(f"No server of variant {variant.name} is ready. Please try again.")

    def _least_busy(self, instances: Sequence[Instance]) -> Instance:
        busy, first = self._busy, random.randrange(len(instances))
        # Those that are equally busy take turns.
        turned = [*instances[first:], *instances[:first]]
        return min(turned, key=lambda instance: busy.get(instance, 0))

    def _under_way(self, instances: Sequence[Instance]) -> int:
        return sum(self._busy.get(instance, 0) for instance in instances)

    async def _through(
        self, variant: Variant, instance: Instance, headers: list[Header], body: bytes, streaming: bool
    ) -> Answer:
        """The answer of an instance, whose containers work on what the one before has made of the request.

        Raises ``NotConnected`` if nothing of the request was seen by any of them.
        """
        self._busy[instance] = self._busy.get(instance, 0) + 1
        stream = None
        try:
            if len(instance) == 1:
                answer = await self._send(variant, instance[0], headers, body, TIMEOUT_SECONDS, streaming)
            else:
                answer = await self._in_series(variant, instance, headers, body, streaming)
            stream = answer.stream
            return answer
        finally:
            if stream is None:
                self._done(instance)
            else:
                stream.when_over = lambda: self._done(instance)

    def _done(self, instance: Instance) -> None:
        self._busy[instance] -= 1
        if not self._busy[instance]:
            del self._busy[instance]

    async def _in_series(
        self, variant: Variant, instance: Instance, headers: list[Header], body: bytes, streaming: bool
    ) -> Answer:
        # What the client accepts is for the last container; what comes out of one is what the next one gets.
        accepted = [header for header in headers if header[0] == b"accept"]
        others = [header for header in headers if header[0] not in (b"accept", b"content-type")]
        given = [header for header in headers if header[0] == b"content-type"]
        until = perf_counter() + TIMEOUT_SECONDS
        for number, address in enumerate(instance, 1):
            last = number == len(instance)
            sent = [*others, *given, *(accepted if last else ())]
            try:
                left = max(0.001, until - perf_counter())
                answer = await self._send(variant, address, sent, body, left, streaming and last)
            except NotConnected as error:
                if number == 1:
                    raise
                message = f"Container {number} of variant {variant.name} is not ready. Please try again."
                raise ServiceUnavailable(message) from error
            if answer.status >= 400 or last:
                return answer
            kind = answer.header(b"content-type")
            body, given = answer.body, [] if kind is None else [(b"content-type", kind)]
        raise AssertionError("an instance has a container")

    async def _send(
        self, variant: Variant, address: str, headers: list[Header], body: bytes, seconds: float, streaming: bool
    ) -> Answer:
        try:
            if streaming:
                return await self._pool.stream(address, b"POST", b"/invocations", headers, body, seconds)
            return await self._pool.invoke(address, headers, body, seconds)
        except TimeoutError:
            raise _NoAnswer(0, _TIMED_OUT.format(variant.name)) from None
        except NotConnected:
            raise
        except Incomplete as error:
            status = error.status if error.status >= 400 else 0
            raise _NoAnswer(status, f"{_NOT_WHOLE}: {error}", whole=False) from error
        except UpstreamError as error:
            raise _NoAnswer(0, f"{_NO_RESPONSE} ({error})") from error


def _model_error(
    status: int, original: str, variant: Variant, name: str, account: str, region: str, whole: bool = True
) -> ModelError:
    kind = "client" if 400 <= status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{name}"
    what = f'with message "{original}"' if whole else f"and {original}"
    return ModelError(
        f"Received {kind} error ({status}) from {variant.name} {what}. "
        f"See the log group {group} in account {account} for more information.",
        OriginalStatusCode=status,
        OriginalMessage=original,
        LogStreamArn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
    )


def _returned(answer: Answer, variant: Variant) -> dict[str, str]:
    returned = {"x-amzn-invoked-production-variant": variant.name}
    for key, text in answer.headers:
        if key in _RETURNED:
            returned[key.decode("latin-1")] = text.decode("latin-1")
    return returned
