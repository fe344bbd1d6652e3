"""Temporary credentials: all there is to know of them is sealed in the session token, and nowhere stored."""

from __future__ import annotations

import base64
import secrets
import threading
import zlib
from dataclasses import asdict, dataclass
from typing import Literal

import orjson

from clary.core.ids import secret_key
from clary.services.iam.vault import Vault

_KEPT = 4096
_PREFIX = "ASIA"
_OWN_BITS = 39


@dataclass(frozen=True)
class Session:
    """What a session token holds. ``id`` is the unique id of the role or user, which a new one of that name has not."""

    access_key: str
    secret: str
    kind: Literal["root", "user", "role"]
    account: str
    name: str
    id: str
    session: str
    expires: float
    policies: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    source: str = ""
    """The ARN of who asked for the credentials, or the job that they are for."""


@dataclass(frozen=True)
class Ticket:
    """What a job shows to get credentials of its role, while the resource in the row ``row_id`` is at work."""

    account: str
    name: str
    id: str
    session: str
    expires: float
    row_id: int = 0


class Tokens:
    """Seals and opens session tokens and tickets; tokens that were opened before are remembered."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: dict[str, Session] = {}
        self._lock = threading.Lock()

    def issue(self, session: Session) -> str:
        """The session token."""
        members = {name: value for name, value in asdict(session).items() if value not in ("", ())}
        return self._vault.seal("session-token", zlib.compress(orjson.dumps(members)))

    def read(self, token: str) -> Session:
        """What ``token`` holds; raises ``SealBroken``."""
        session = self._opened.get(token)
        if session is None:
            members = orjson.loads(zlib.decompress(self._vault.open("session-token", token)))
            members["policies"] = tuple(members.get("policies", ()))
            members["tags"] = tuple((key, value) for key, value in members.get("tags", ()))
            session = Session(**{"session": "", "id": "", "name": "", **members})
            with self._lock:
                if len(self._opened) >= _KEPT:
                    # The oldest half: a token is used again and again until it ends, or never again.
                    for old in list(self._opened)[: _KEPT // 2]:
                        del self._opened[old]
                self._opened[token] = session
        return session

    def issue_ticket(self, ticket: Ticket) -> str:
        return self._vault.seal("ticket", orjson.dumps(ticket))

    def read_ticket(self, text: str) -> Ticket:
        """What a ticket says; raises ``SealBroken``."""
        return Ticket(**orjson.loads(self._vault.open("ticket", text)))


def new_keys(account: str) -> tuple[str, str]:
    """An access key id for a session, which tells the account as AWS's do, and its secret."""
    # In 80 bits: a one, the account in 40, and what makes it unique.
    number = 1 << 79 | int(account) << _OWN_BITS | secrets.randbits(_OWN_BITS)
    return _PREFIX + base64.b32encode(number.to_bytes(10)).decode(), secret_key()


def account_of(access_key: str) -> str | None:
    """The account that a session's access key id tells; ``None`` if it is not the id of one."""
    try:
        number = int.from_bytes(base64.b32decode(access_key.removeprefix(_PREFIX)))
    except ValueError:
        return None
    if not access_key.startswith(_PREFIX) or number >> 79 != 1:
        return None
    account = f"{number >> _OWN_BITS & (1 << 40) - 1:012}"
    return account if len(account) == 12 else None
