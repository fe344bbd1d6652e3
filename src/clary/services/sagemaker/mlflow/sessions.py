"""Presigned URLs of tracking servers, and the sessions that browsers begin with them.

A URL is good once: what stands for it in the server's record goes when it is used. All there is to know of a session is
sealed in the text that the browser keeps; what its holder may do is asked of the policies at every request.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedMlflowTrackingServerUrl.html
"""

from __future__ import annotations

import hashlib

import orjson

from clary.core.errors import AccessDenied, ValidationException
from clary.core.ids import token
from clary.services.iam.api import Identities, Principal
from clary.services.iam.vault import SealBroken
from clary.state.records import Key, Record

LINKS = "_links"
"""In the server's document: the URLs that nobody has used, by the hash of what makes each one good."""
_PURPOSE = "tracking-server-session"
_LONGEST_COOKIE = 3800
"""Characters; browsers take 4096 bytes with the name and the attributes."""


def new_link(record: Record, principal: Principal, now: float, lasts_s: float, session_s: float) -> str:
    """A ticket that lets a browser act as ``principal`` on the server for ``session_s`` seconds, if it is used within
    ``lasts_s``; the record is to be stored with it. Raises ``ValidationException``."""
    who = principal.to_json()
    if len(who) > _LONGEST_COOKIE * 3 / 4:
        raise ValidationException("The session policies of the caller are too long for the session of a browser.")
    ticket = token(48)
    links = {name: link for name, link in record.document.get(LINKS, {}).items() if link["until"] > now}
    record.document[LINKS] = {
        **links,
        _hash(ticket): {"principal": who, "until": now + lasts_s, "session": session_s},
    }
    return ticket


class Sessions:
    """The sessions of the browsers of one installation."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def begin(self, key: Key, ticket: str) -> str:
        """The session that a presigned URL begins. Raises ``AccessDenied`` if it was used, or is too old."""
        now = self._identities.clock()
        with self._identities.database.write() as transaction:
            record = transaction.get(key)
            link = record.document.get(LINKS, {}).pop(_hash(ticket), None) if record is not None else None
            if record is None or link is None or link["until"] <= now:
                raise AccessDenied("This URL was used already, or is too old. Please ask for a new one.")
            transaction.update(record)
        content = [link["principal"], now + link["session"]]
        return self._identities.vault.seal(_PURPOSE, orjson.dumps(content), record.document["_id"])

    def read(self, server: str, text: str) -> Principal:
        """Whose session this is on the server with this id. Raises ``AccessDenied`` if it is over."""
        try:
            who, until = orjson.loads(self._identities.vault.open(_PURPOSE, text, server))
        except (SealBroken, ValueError):
            raise AccessDenied("There is no session.") from None
        principal = Principal.from_json(who)
        if until <= self._identities.clock() or not self._identities.is_there(principal):
            raise AccessDenied("The session is over.")
        return principal


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
