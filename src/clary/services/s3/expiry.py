"""What lifecycle rules ask for is done here: a walk over every bucket that has some, now and then.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from clary.core.errors import ServiceError
from clary.objects.locks import check_removable
from clary.objects.model import Bucket, Object, Upload, now
from clary.objects.removal import Removal
from clary.objects.store import ObjectStore

from . import lifecycle
from .lifecycle import DAY, Rule
from .notifications import Notifications

EVERY_SECONDS = 3600.0
_PAGE = 1000

log = logging.getLogger(__name__)


class Expiry:
    """Lets expire what is to expire in ``store``. ``day`` is how many milliseconds a rule's day has, which only test
    mode makes shorter."""

    def __init__(
        self,
        store: ObjectStore,
        notifications: Notifications,
        clock: Callable[[], int] = now,
        day: int = DAY,
        every: float = EVERY_SECONDS,
    ) -> None:
        """``clock`` gives milliseconds since the epoch; ``every`` are the seconds between two walks."""
        self._store = store
        self._notifications = notifications
        self._clock = clock
        self._day = day
        self._every = every

    async def keep_on(self) -> None:
        """Walk again and again, until cancelled."""
        while True:
            try:
                await self.walk()
            except ServiceError as error:
                log.warning("a walk over the lifecycles broke off: %s", error.message)
            except Exception:
                # The next walk takes up what this one left.
                log.exception("a walk over the lifecycles broke off")
            await asyncio.sleep(self._every)

    async def walk(self) -> int:
        """Go over all buckets once; how many objects, versions and uploads have gone."""
        gone = 0
        for bucket in list(self._store.buckets()):
            rules = [rule for rule in lifecycle.rules(bucket.documents.get(lifecycle.DOCUMENT)) if rule.enabled]
            if rules:
                gone += await self._objects(bucket, rules) + await self._uploads(bucket, rules)
        return gone

    async def _objects(self, bucket: Bucket, rules: Sequence[Rule]) -> int:
        gone = 0
        place = _Place()
        after = ("", "")
        while True:
            page = await self._store.list_versions(bucket.name, after=after, limit=_PAGE)
            following = await self._is_alone(bucket, page.versions, place)
            removals = list(self._due(rules, page.versions, page.latest, place, following))
            if removals:
                notices = self._notifications.of_expiry(bucket)
                done = await self._store.delete_many(bucket.name, removals, notices)
                gone += sum(not isinstance(result, ServiceError) for result in done)
            if not page.truncated:
                return gone
            after = (page.last_key, page.last_version)

    async def _is_alone(self, bucket: Bucket, items: Sequence[Object], place: _Place) -> set[int]:
        """Those delete markers of a page that are the only versions of their keys."""
        counts: dict[str, int] = {place.key: 1} if place.key else {}
        for item in items:
            counts[item.key] = counts.get(item.key, 0) + 1
        alone = {item.sequence for item in items if item.deleted and counts[item.key] == 1}
        last = items[-1] if items else None
        if last is not None and last.sequence in alone:
            # Its key may go on in the next page.
            rest = await self._store.list_versions(bucket.name, after=(last.key, last.version), limit=1)
            if rest.versions and rest.versions[0].key == last.key:
                alone.discard(last.sequence)
        return alone

    def _due(
        self, rules: Sequence[Rule], items: Sequence[Object], latest: set[int], place: _Place, alone: set[int]
    ) -> Iterator[Removal]:
        moment = self._clock()
        for item in items:
            if item.sequence in latest:
                place.begin(item)
                if item.deleted:
                    if item.sequence in alone and any(self._ends_marker(rule, item, moment) for rule in rules):
                        yield Removal(item.key, item.version, _still(item))
                elif any(self._ends_current(rule, item, moment) for rule in rules):
                    yield Removal(item.key, None, _still(item))
                continue
            since = place.pass_by(item)
            if any(self._ends_noncurrent(rule, item, since, place.noncurrent, moment) for rule in rules):
                yield Removal(item.key, item.version, _still(item), check_removable)

    def _ends_current(self, rule: Rule, item: Object, moment: int) -> bool:
        expiry = rule.expiry(item, self._day) if rule.covers(item) else None
        return expiry is not None and expiry <= moment

    def _ends_marker(self, rule: Rule, item: Object, moment: int) -> bool:
        if not item.key.startswith(rule.prefix) or rule.tags:
            return False
        return rule.lone_markers or bool(rule.days and lifecycle.ends(item.modified, rule.days, self._day) <= moment)

    def _ends_noncurrent(self, rule: Rule, item: Object, since: int, count: int, moment: int) -> bool:
        return (
            bool(rule.noncurrent_days)
            and (rule.covers(item) or (item.deleted and item.key.startswith(rule.prefix) and not rule.tags))
            and count > rule.newer_noncurrent
            and lifecycle.ends(since, rule.noncurrent_days, self._day) <= moment
        )

    async def _uploads(self, bucket: Bucket, rules: Sequence[Rule]) -> int:
        gone = 0
        after = ("", "")
        while True:
            page = await self._store.multipart.list(bucket.name, after=after, limit=_PAGE)
            for upload in page.uploads:
                if any(self._ends_upload(rule, upload) for rule in rules):
                    try:
                        await self._store.multipart.abort(bucket.name, upload.key, upload.id)
                    except ServiceError:
                        continue  # its owner has just ended it
                    gone += 1
            if not page.truncated:
                return gone
            after = (page.last_key, page.last_id)

    def _ends_upload(self, rule: Rule, upload: Upload) -> bool:
        due = rule.upload_days and upload.key.startswith(rule.prefix)
        return bool(due and lifecycle.ends(upload.created, rule.upload_days, self._day) <= self._clock())


@dataclass
class _Place:
    """Where the walk is among the versions of a key."""

    key: str = ""
    newer: int = 0
    """When the version before was made: since then the next one is not current."""
    noncurrent: int = 0
    """How many versions that are not current have been passed."""

    def begin(self, item: Object) -> None:
        self.key, self.newer, self.noncurrent = item.key, item.modified, 0

    def pass_by(self, item: Object) -> int:
        """Counts a version that is not current; since when it is not, in milliseconds since the epoch."""
        since, self.newer = self.newer, item.modified
        self.noncurrent += 1
        return since


class _Changed(ServiceError):
    """It is not what it was when the walk came by."""


def _still(seen: Object) -> Callable[[Object | None], None]:
    """That what is removed is what was seen."""

    def check(item: Object | None) -> None:
        if item is None or item.sequence != seen.sequence:
            raise _Changed("replaced")

    return check
