"""Changes of resources on the default event bus, told in the transactions that make them.

Where an account has no rule, a change costs one look at an index and nothing more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from clary.resources.context import Context, Creator, Platform, ServiceApp
from clary.services.events.api import emit_within
from clary.services.events.put import DEFAULT
from clary.services.sqs.api import Posting
from clary.state.observed import Change
from clary.state.records import Key
from clary.state.transaction import Transaction

log = logging.getLogger(__name__)


class StateChanges:
    """Puts events of changed resources on the bus (see ``clary.state.observed.Observer``)."""

    def __init__(self, platform: Platform, services: Iterable[ServiceApp]) -> None:
        self._platform = platform
        self._nouns = {(app.name, kind): noun for app in services for kind, noun in app.telling.items()}

    def watches(self, transaction: Transaction, key: Key) -> bool:
        """Whether there is something to tell of a resource, and a rule that may want it."""
        noun = (key.service, key.kind) in self._nouns
        return noun and transaction.has(key.account, key.region, "events", "Rule", DEFAULT)

    def tell(self, transaction: Transaction, changes: Sequence[Change]) -> Callable[[], None]:
        """Send what is told of the changes to the targets of the rules that want it."""
        post = Posting(self._platform, transaction, self._platform.clock())
        for change in changes:
            record = change.before or transaction.by_id(change.row)
            if record is None:
                continue  # made and deleted at once
            key = record.key
            noun = self._nouns[key.service, key.kind]
            # Nobody asks: what is seen belongs to the account.
            context = Context(Creator("", key.account), key.account, key.region, "", self._platform)
            for telling in noun.tells:
                try:
                    events = list(telling.told(noun, context, transaction, change))
                except Exception:
                    # A fault in what is told of a job must not be one of the job.
                    log.exception("%s of %s is not told", telling.detail_type, record.arn)
                    continue
                for event in events:
                    emit_within(post, key.account, key.region, dict(event))
        return post.tell
