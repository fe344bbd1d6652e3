"""Hands the notices of buckets to the control plane, which delivers them: at least once, and in order."""

from __future__ import annotations

import asyncio
import logging

import orjson

from clary.core.errors import ServiceError
from clary.edge.forward import Control
from clary.objects.store import ObjectStore

AGAIN_SECONDS = 1.0
_AT_ONCE = 100

log = logging.getLogger(__name__)


async def check_destinations(
    control: Control, account: str, bucket: str, destinations: list[dict[str, str]]
) -> list[str]:
    """The ARNs of those destinations that a bucket's notices cannot reach. Raises ``ServiceUnavailable``."""
    asked = {"account": account, "bucket": bucket, "destinations": destinations}
    found: list[str] = (await control.ask("/_clary/s3/destinations", asked))["invalid"]
    return found


async def deliver(store: ObjectStore, control: Control) -> None:
    """Deliver what is pending, and what comes, until cancelled. What was pending at a crash is delivered after it."""
    while True:
        await store.writer.noticed.wait()
        store.writer.noticed.clear()
        try:
            while notices := await store.notices(_AT_ONCE):
                told = [{**orjson.loads(notice), "id": number} for number, notice in notices]
                answer = await control.ask("/_clary/s3/notices", {"notices": told})
                await store.delivered(answer["done"])
        except ServiceError as error:
            log.warning("notices of buckets wait: %s", error.message)
            await asyncio.sleep(AGAIN_SECONDS)
            store.writer.noticed.set()
        except Exception:
            log.exception("notices of buckets wait")
            await asyncio.sleep(AGAIN_SECONDS)
            store.writer.noticed.set()
