"""Which service, region, protocol and operation a request is for, told from its signature, target, path and host
alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import unquote_plus

from clary.core.errors import ServiceError, SignatureDoesNotMatch, UnknownOperationException
from clary.wire import compression
from clary.wire.catalog import Service, Summary, UnknownService, service, summaries
from clary.wire.errors import InvalidAction, MissingAction
from clary.wire.formerly_query import is_former
from clary.wire.http import Request
from clary.wire.matching import Matcher

DEFAULT_REGION = "us-east-1"
LOCAL_DOMAINS = ("localhost",)

_FORM = "application/x-www-form-urlencoded"
_CBOR = "smithy-rpc-v2-cbor"
# Regions are checked before they reach file names, ARNs or logs.
_REGION_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class Route(NamedTuple):
    """Where a request goes.

    ``service`` is botocore's name of the service, ``operation`` is None where the service has none for this request
    (S3's browser upload, for example), ``protocol`` is the one that this request speaks, ``access_key`` is None for
    anonymous requests, ``bucket`` is set where the bucket is in the host name, and ``path`` is the path with that
    bucket put in front (raw, as in the request).
    """

    service: str
    region: str
    operation: str | None
    protocol: str
    path: str
    access_key: str | None = None
    bucket: str | None = None


def identify(request: Request, domains: Sequence[str] = LOCAL_DOMAINS) -> Route:
    """The route of a request; ``domains`` are host names under which buckets may be sub-domains.

    Nothing is verified here. Raises ``UnknownOperationException`` if no service fits (for the query protocol
    ``InvalidAction`` or ``MissingAction``), and ``SignatureDoesNotMatch`` if the request is signed for another service.
    """
    access_key, region, signing_name = _scope(request)
    headers = request.headers
    target = headers.get("x-amz-target")
    if target:
        return _by_target(request, target, access_key, region, signing_name)
    if signing_name in ("s3", "s3express", "s3-object-lambda", ""):
        if not signing_name and (unsigned := _unsigned(request)) is not None:
            return unsigned
        bucket = bucket_in_host(request.host, domains)
        path = request.path
        if bucket is not None:
            path = f"/{bucket}{path}" if path.startswith("/") else f"/{bucket}/{path}"
        found = _matcher(("s3",)).match(request.method, path, request.query, headers)
        return Route("s3", region, found[0].name if found else None, "rest-xml", path, access_key, bucket)
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return _by_rpc_path(request, access_key, region, signing_name)
    names, queries = _candidates(signing_name)
    if queries and (action := _action(request)):
        for name in queries:
            if service(name).has_operation(action):
                return Route(name, region, action, "query", request.path, access_key)
        raise InvalidAction(f"The action {action[:128]} is not valid for this web service.")
    if names:
        found = _matcher(names).match(request.method, request.path, request.query, headers)
        if found is not None:
            matched = found[0].service
            return Route(matched.name, region, found[0].name, matched.protocol, request.path, access_key)
    if queries and request.path == "/":
        raise MissingAction("The request must contain the parameter Action.")
    raise UnknownOperationException(
        f"No operation of {signing_name[:64]} answers {request.method[:16]} {request.path[:256]}"
    )


def service_of(request: Request) -> Service | None:
    """The service that the request's credential scope names, as far as it can be told: for errors that come before
    routing."""
    try:
        return service(identify(request).service)
    except ServiceError:
        pass
    try:
        signing_name = _scope(request)[2]
    except ServiceError:
        return None
    found = [summary.name for summary in summaries() if summary.signing_name == signing_name]
    return service(signing_name if signing_name in found else found[0]) if found else None


def bucket_in_host(host: str, domains: Sequence[str] = LOCAL_DOMAINS) -> str | None:
    """The bucket of a virtual-hosted S3 request: ``bucket.s3.us-east-1.amazonaws.com``, ``bucket.localhost:7788``, or
    None.

    Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    name = host.rpartition("@")[2].lower()
    if name.startswith("[") or "." not in name:
        return None
    name = name.partition(":")[0].rstrip(".")
    for domain in ("amazonaws.com", "amazonaws.com.cn", *domains):
        if not name.endswith("." + domain):
            continue
        parts = name[: -len(domain) - 1].split(".")
        for index in range(len(parts) - 1, -1, -1):
            if parts[index] in ("s3", "s3-accelerate") or parts[index].startswith(
                ("s3-website", "s3-us-", "s3-eu-", "s3-ap-")
            ):
                return ".".join(parts[:index]) or None
        if domain in domains:
            return ".".join(parts) or None
    return None


def _scope(request: Request) -> tuple[str | None, str, str]:
    """Access key, region and signing name of the credential scope; the signing name is empty for anonymous requests."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        start = authorization.find("Credential=")
        if start < 0:
            return None, DEFAULT_REGION, ""
        credential = authorization[start + 11 :].partition(",")[0].strip()
    elif (start := request.query.find("X-Amz-Credential=")) >= 0:
        credential = unquote_plus(request.query[start + 17 :].partition("&")[0])
    else:
        return None, DEFAULT_REGION, ""
    return _read_scope(credential)


@lru_cache(maxsize=4096)
def _read_scope(credential: str) -> tuple[str | None, str, str]:
    # An access key may contain slashes, the four parts behind it may not.
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or not _REGION_CHARACTERS.issuperset(parts[2]) or len(parts[2]) > 32:
        return None, DEFAULT_REGION, ""
    return parts[0], parts[2] or DEFAULT_REGION, parts[3]


def _by_target(request: Request, target: str, access_key: str | None, region: str, signing_name: str) -> Route:
    prefix, _, operation = target.rpartition(".")
    names = _targets().get(prefix, ())
    if signing_name and len(names) > 1:
        signed = [name for name in names if _summary(name).signing_name == signing_name]
        names = tuple(signed) or names
    for name in names:
        if len(names) == 1 or service(name).has_operation(operation):
            if not service(name).has_operation(operation):
                break
            _check_scope(name, signing_name)
            return Route(name, region, operation, "json", request.path, access_key)
    raise UnknownOperationException(f"The target {target[:256]} names no known operation")


def _by_rpc_path(request: Request, access_key: str | None, region: str, signing_name: str) -> Route:
    parts = request.path.split("/")
    if len(parts) >= 5 and parts[-4] == "service" and parts[-2] == "operation":
        for name in _targets().get(parts[-3], ()):
            if service(name).has_operation(parts[-1]):
                _check_scope(name, signing_name)
                return Route(name, region, parts[-1], _CBOR, request.path, access_key)
    raise UnknownOperationException(f"No operation of {signing_name[:64]} answers {request.path[:256]}")


def _check_scope(name: str, signing_name: str) -> None:
    """A signature for one service must not be good for another, whose rules on what is signed are stricter."""
    wanted = _summary(name).signing_name
    if signing_name not in ("", wanted):
        raise SignatureDoesNotMatch(f"Credential should be scoped to correct service: '{wanted}'.")


def _unsigned(request: Request) -> Route | None:
    """An unsigned request of the query protocol (``AssumeRoleWithWebIdentity``), told by its action and API version."""
    if request.method not in ("GET", "POST") or request.path != "/":
        return None
    if not request.headers.get("content-type", "").startswith(_FORM) and "Action=" not in request.query:
        return None
    action, version = _action(request), _form_value(request, "Version")
    if action and version:
        for summary in summaries():
            if (
                summary.api_version == version
                and "query" in summary.protocols
                and service(summary.name).has_operation(action)
            ):
                return Route(summary.name, DEFAULT_REGION, action, "query", request.path)
    return None


def _action(request: Request) -> str | None:
    return _form_value(request, "Action")


def _form_value(request: Request, key: str) -> str | None:
    """The first value of a form field in the query string or in a form body; cheap, without reading the rest."""
    value = _find(request.query, key)
    if value is None and request.body and request.headers.get("content-type", _FORM).startswith(_FORM):
        body = compression.beginning(request.body) if compression.is_compressed(request) else request.body
        value = _find(body.decode("utf-8", "replace"), key)
    return value


def _find(form: str, key: str) -> str | None:
    marker = key + "="
    position = form.find(marker)
    while position >= 0:
        if position == 0 or form[position - 1] == "&":
            return unquote_plus(form[position + len(marker) :].partition("&")[0])
        position = form.find(marker, position + 1)
    return None


@cache
def _targets() -> dict[str, tuple[str, ...]]:
    """Services by the prefix of their ``X-Amz-Target``."""
    table: dict[str, tuple[str, ...]] = {}
    for summary in summaries():
        if summary.target_prefix:
            table[summary.target_prefix] = (*table.get(summary.target_prefix, ()), summary.name)
    return table


def _candidates(signing_name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The REST services and the query services that sign as ``signing_name``."""
    return _signers().get(signing_name, ((), ()))


@cache
def _signers() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    table: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for summary in summaries():
        names, queries = table.get(summary.signing_name, ((), ()))
        if "rest-json" in summary.protocols or "rest-xml" in summary.protocols:
            names += (summary.name,)
        if "query" in summary.protocols or is_former(summary.name):
            queries += (summary.name,)
        table[summary.signing_name] = (names, queries)
    return table


@cache
def _summary(name: str) -> Summary:
    for summary in summaries():
        if summary.name == name:
            return summary
    raise UnknownService(name)


@cache
def _matcher(names: tuple[str, ...]) -> Matcher:
    return Matcher([service(name) for name in names])
