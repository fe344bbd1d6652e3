"""Data capture: what goes in and out of endpoints, kept in S3 as SageMaker lays it out.

Records wait in memory for a few seconds and are written together, as the execution role of the model, which must be
allowed to. What waits is written when Clary is stopped; when it is killed, it is lost.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html
"""

from __future__ import annotations

import asyncio
import base64
import logging
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from clary.core.errors import ServiceError
from clary.core.ids import request_id as new_request_id
from clary.edge.answer import Answer
from clary.edge.objects import S3
from clary.services.iam.api import Identities
from clary.services.s3.http import S3Request
from clary.wire.http import Request

EVERY_SECONDS = 5.0
"""How often records are written."""
MOST_BYTES = 4 << 20
"""Bytes of records that wait of one variant; more are written at once."""
SESSION = "SageMaker"
_SESSION_SECONDS = 900

logger = logging.getLogger(__name__)


class Capture(NamedTuple):
    """What is captured of a variant."""

    percent: float
    uri: str
    modes: frozenset[str]
    """``Input`` and ``Output``, or one of them."""
    csv: tuple[str, ...]
    json: tuple[str, ...]
    """The content types that are kept as text; all others are kept as base64."""
    role: str
    key: str = ""
    """The KMS key under which it is kept; empty for what the bucket has as its default."""

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> Capture | None:
        """What a variant's part of a route says of it."""
        if document is None:
            return None
        modes, kinds = frozenset(document["modes"]), (tuple(document["csv"]), tuple(document["json"]))
        # A route of a version before has no key.
        return cls(document["percent"], document["uri"], modes, *kinds, document["role"], document.get("key", ""))


class Place(NamedTuple):
    """Whose records lie together."""

    account: str
    region: str
    endpoint: str
    variant: str
    capture: Capture


class Captures:
    """All records that are not written yet."""

    def __init__(self, identities: Identities, s3: S3, clock: Callable[[], float] = time.time) -> None:
        self._identities = identities
        self._s3 = s3
        self._clock = clock
        self._waiting: dict[Place, list[bytes]] = {}
        self._sizes: dict[Place, int] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def offer(self, place: Place, request: Request, answer: Answer) -> None:
        """Keep an invocation, unless the dice say otherwise."""
        capture = place.capture
        if random.random() * 100 >= capture.percent:
            return
        data: dict[str, Any] = {}
        if "Input" in capture.modes:
            data["endpointInput"] = _part(capture, "INPUT", request.headers.get("content-type"), request.body)
        if "Output" in capture.modes:
            kind = answer.header(b"content-type")
            data["endpointOutput"] = _part(capture, "OUTPUT", kind.decode("latin-1") if kind else None, answer.body)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))
        event: dict[str, Any] = {"eventId": str(uuid.uuid4()), "inferenceTime": at}
        for header, name in (("inference-id", "inferenceId"), ("custom-attributes", "customAttributes")):
            if (value := request.headers.get(f"x-amzn-sagemaker-{header}")) is not None:
                event[name] = [value] if name == "customAttributes" else value
        line = orjson.dumps({"captureData": data, "eventMetadata": event, "eventVersion": "0"}) + b"\n"
        self._waiting.setdefault(place, []).append(line)
        self._sizes[place] = self._sizes.get(place, 0) + len(line)
        if self._sizes[place] > MOST_BYTES:
            self._begin_writing(place)

    async def write(self) -> None:
        """Write what waits every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            for place in list(self._waiting):
                self._begin_writing(place)

    def forget(self) -> None:
        """Forget everything, after a reset."""
        self._waiting.clear()
        self._sizes.clear()

    async def close(self) -> None:
        """Write what is left."""
        for place in list(self._waiting):
            self._begin_writing(place)
        if self._writing:
            await asyncio.wait(self._writing)

    def _begin_writing(self, place: Place) -> None:
        lines = self._waiting.pop(place)
        self._sizes.pop(place, None)
        task = asyncio.create_task(self._put(place, b"".join(lines)))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _put(self, place: Place, body: bytes) -> None:
        bucket, _, prefix = place.capture.uri.partition("://")[2].partition("/")
        now = self._clock()
        when = time.strftime("%Y/%m/%d/%H/%M-%S", time.gmtime(now))
        file = f"{when}-{int(now % 1 * 1000):03d}-{uuid.uuid4()}.jsonl"
        key = "/".join(filter(None, (prefix.strip("/"), place.endpoint, place.variant, file)))
        try:
            minted = self._identities.mint_session(place.capture.role, SESSION, _SESSION_SECONDS)
            principal = self._identities.resolve(minted["AccessKeyId"], minted["SessionToken"]).principal
            answer = await self._s3.handle(
                S3Request(
                    method="PUT",
                    path=f"/{bucket}/{quote(key)}",
                    headers={
                        "content-length": str(len(body)),
                        "content-type": "application/jsonlines",
                        **_under(place.capture.key),
                    },
                    body=_once(body),
                    account=principal.account,
                    region=place.region,
                    request_id=new_request_id(),
                    principal=principal,
                )
            )
        except ServiceError as error:
            logger.warning("captured data of endpoint %s is lost: %s", place.endpoint, error.message)
            return
        if answer.status != 200:
            told = answer.body if isinstance(answer.body, bytes) else b""
            logger.warning("captured data of endpoint %s is lost: %s", place.endpoint, told.decode("utf-8", "replace"))


def _under(key: str) -> dict[str, str]:
    if not key:
        return {}
    return {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": key}


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _part(capture: Capture, mode: str, content_type: str | None, body: bytes) -> dict[str, Any]:
    """What went one way, as text where its content type says that it is."""
    media = (content_type or "").partition(";")[0].strip().lower()
    encoding = "CSV" if media in capture.csv else "JSON" if media in capture.json else "BASE64"
    if encoding != "BASE64":
        try:
            return {
                "observedContentType": content_type,
                "mode": mode,
                "data": body.decode("utf-8"),
                "encoding": encoding,
            }
        except UnicodeDecodeError:
            pass  # no text after all
    data = base64.b64encode(body).decode("ascii")
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": "BASE64"}
