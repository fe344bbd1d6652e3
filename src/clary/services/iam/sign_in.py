"""Sign-in of people: sessions of a browser, by password or by a one-time link.

All there is to know of a session is sealed in the text that the browser keeps. What ends it before its time stands in
the user's record: a new password, the end that the person asked for, or the end of the user.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import orjson

from clary.core.errors import AccessDenied, ServiceError
from clary.core.ids import token
from clary.services.iam import entities
from clary.services.iam.api import Identities, Principal
from clary.services.iam.passwords import LOGIN, hasher, is_right
from clary.services.iam.vault import SealBroken
from clary.state.records import Record
from clary.state.transaction import Transaction

LASTS_S = 12 * 3600.0
IDLE_S = 2 * 3600.0
RENEWED_AFTER_S = 300.0
LINK_LASTS_S = 600.0
MOST_FAILURES = 5
LOCKED_S = 900.0
_SIGN_IN = "SignIn"
_AT_ONCE = threading.BoundedSemaphore(2)
"""How many passwords are looked at together: each look takes 64 MiB."""


class SignInFailed(ServiceError):
    """The name, the password or the link is wrong, or the user is locked out."""

    code = "SignInFailed"
    status = 403


@dataclass(frozen=True)
class BrowserSession:
    """What a browser's session says: whose it is, when it began, when it was last used; seconds since the epoch."""

    account: str
    name: str
    id: str
    """The unique id of the user, which another user of that name has not."""
    session: str
    began: float
    seen: float


class SignIns:
    """The sign-in of the users of one installation."""

    def __init__(self, identities: Identities, clock: Callable[[], float]) -> None:
        self._identities = identities
        self._clock = clock

    def by_password(self, account: str, name: str, password: str) -> str:
        """The session of the user ``name``.

        Takes as long for a user that is not there. After five wrong passwords the user is locked out for 15 minutes.
        Raises ``SignInFailed``.
        """
        now = self._clock()
        with self._identities.database.read() as transaction:
            record = transaction.get(entities.entity_key(account, "User", name))
        login = record.document.get(LOGIN) if record is not None else None
        if login is not None and login.get("LockedUntil", 0.0) > now:
            raise SignInFailed("There were too many wrong passwords. Try again in some minutes.")
        with _AT_ONCE:
            right = is_right(login["Hash"] if login is not None else _nobody(), password)
        if record is None or login is None or not right:
            if login is not None:
                self._count_failure(account, name, now)
            raise SignInFailed("The user name or the password is wrong.")
        if login.get("Failures"):
            self._forget_failures(account, name)
        return self._begin(record, now)

    def link(self, principal: Principal) -> str:
        """A ticket that signs ``principal`` in once, within ten minutes.

        Raises ``AccessDenied`` for others than IAM users.
        """
        if principal.kind != "user":
            raise AccessDenied("Only IAM users can sign in.")
        content = [principal.account, principal.name, principal.user_id, token(24), self._clock() + LINK_LASTS_S]
        return self._identities.vault.seal("sign-in-link", orjson.dumps(content))

    def by_link(self, ticket: str) -> str:
        """The session that a one-time link begins. Raises ``SignInFailed``."""
        now = self._clock()
        try:
            account, name, user_id, once, expires = orjson.loads(self._identities.vault.open("sign-in-link", ticket))
        except (SealBroken, ValueError):
            raise SignInFailed("This link is not one of ours.") from None
        if expires <= now:
            raise SignInFailed("This link is too old. `clary studio` prints a new one.")
        with self._identities.database.write() as transaction:
            record = transaction.get(entities.entity_key(account, "User", name))
            if record is None or record.document["Id"] != user_id:
                raise SignInFailed("The user of this link is gone.")
            used = _living(record.document.get(_SIGN_IN, {}).get("Used", {}), now)
            if once in used:
                raise SignInFailed("This link was used already. `clary studio` prints a new one.")
            _keep(transaction, record, "Used", {**used, once: expires}, now)
        return self._begin(record, now)

    def read(self, text: str) -> tuple[Principal, BrowserSession]:
        """Who a browser's session is. Raises ``SignInFailed`` if it is over."""
        now = self._clock()
        try:
            session = BrowserSession(**orjson.loads(self._identities.vault.open("browser-session", text)))
        except (SealBroken, ValueError, TypeError):
            raise _over() from None
        user = self._identities.user(session.account, session.name)
        if user is None or user.id != session.id or user.signed_in_since > session.began:
            raise _over()
        if session.session in user.ended or now > session.began + LASTS_S or now > session.seen + IDLE_S:
            raise _over()
        return Principal(user.arn, user.account, user.id, "user", user.name), session

    def renewed(self, session: BrowserSession) -> str | None:
        """The text of a session that is in use, when its browser should get a new one."""
        now = self._clock()
        return self._seal(replace(session, seen=now)) if now > session.seen + RENEWED_AFTER_S else None

    def end(self, session: BrowserSession) -> None:
        """End a session: whoever has its text can do nothing with it any more."""
        now = self._clock()
        with self._identities.database.write() as transaction:
            record = transaction.get(entities.entity_key(session.account, "User", session.name))
            if record is not None:
                ended = _living(record.document.get(_SIGN_IN, {}).get("Ended", {}), now)
                _keep(transaction, record, "Ended", {**ended, session.session: session.began + LASTS_S}, now)
        self._identities.refresh()

    def _begin(self, record: Record, now: float) -> str:
        return self._seal(
            BrowserSession(record.key.account, record.name, record.document["Id"], token(24), began=now, seen=now)
        )

    def _seal(self, session: BrowserSession) -> str:
        return self._identities.vault.seal("browser-session", orjson.dumps(asdict(session)))

    def _count_failure(self, account: str, name: str, now: float) -> None:
        # Not through ``entities.save``: what everybody may do without a password must not make anybody read anew.
        with self._identities.database.write() as transaction:
            record = transaction.get(entities.entity_key(account, "User", name))
            if record is None or LOGIN not in record.document:
                return
            login = record.document[LOGIN]
            login["Failures"] = login.get("Failures", 0) + 1
            if login["Failures"] >= MOST_FAILURES:
                login["Failures"], login["LockedUntil"] = 0, now + LOCKED_S
            transaction.update(record)

    def _forget_failures(self, account: str, name: str) -> None:
        with self._identities.database.write() as transaction:
            record = transaction.get(entities.entity_key(account, "User", name))
            if record is not None and LOGIN in record.document:
                record.document[LOGIN]["Failures"] = 0
                transaction.update(record)


def _keep(transaction: Transaction, record: Record, what: str, values: dict[str, float], now: float) -> None:
    record.document[_SIGN_IN] = {**record.document.get(_SIGN_IN, {}), what: values}
    entities.save(transaction, record, now)


def _living(values: dict[str, Any], now: float) -> dict[str, float]:
    return {name: expires for name, expires in values.items() if expires > now}


def _over() -> SignInFailed:
    return SignInFailed("The session is over. Please sign in again.")


@cache
def _nobody() -> str:
    """A hash that no password has, so that a look at it takes as long as at any other."""
    return hasher().hash(token(32))
