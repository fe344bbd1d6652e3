"""Who is behind a request."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson

from clary.core.names import parse_arn
from clary.resources.context import Caller


@dataclass(frozen=True)
class Principal:
    """An authenticated caller.

    ``user_id`` is ``AIDA…`` of a user, ``AROA…:session`` of a role session, the account of the root. ``name`` is that
    of the user or role, ``session`` that of the role session. ``session_policies`` narrow what the session may do, and
    ``session_tags`` (key and value) add to the tags of the role.
    """

    arn: str
    # The ARN alone is hashed, since that is nearly the whole difference, and hashing is on the way of every request.
    account: str = field(hash=False)
    user_id: str = field(hash=False)
    kind: Literal["root", "user", "role"] = field(hash=False)
    name: str = field(hash=False)
    session: str = field(default="", hash=False)
    session_policies: tuple[str, ...] = field(default=(), hash=False)
    session_tags: tuple[tuple[str, str], ...] = field(default=(), hash=False)

    def to_json(self) -> str:
        """One line of ASCII, for the header that goes from the edge to control."""
        members = {name: value for name, value in asdict(self).items() if value not in ("", ())}
        # Not orjson, which leaves other characters as they are.
        return json.dumps(members, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Principal:
        """The principal of such a line; raises ``ValueError``."""
        members: dict[str, Any] = orjson.loads(text)
        try:
            policies = tuple(members.pop("session_policies", ()))
            tags = tuple((key, value) for key, value in members.pop("session_tags", ()))
            return cls(**members, session_policies=policies, session_tags=tags)
        except (TypeError, AttributeError) as error:
            raise ValueError("not a principal") from error

    @property
    def is_root(self) -> bool:
        return self.kind == "root"


def root_principal(account: str) -> Principal:
    """The root of an account, which no policy limits."""
    return Principal(f"arn:aws:iam::{account}:root", account, account, "root", "")


def principal_of_arn(text: str) -> Principal:
    """The caller that an ARN of a user, a role, a role session or a root names, without its unique id.

    Raises ``ValueError``.
    """
    parts = parse_arn(text)
    kind, _, rest = parts.resource.partition("/")
    name = rest.rsplit("/", 1)[-1]
    if parts.service == "iam" and parts.resource == "root":
        return root_principal(parts.account)
    if parts.service == "iam" and kind == "user" and name:
        return Principal(text, parts.account, "", "user", name)
    if parts.service == "iam" and kind == "role" and name:
        return Principal(text, parts.account, "", "role", name)
    if parts.service == "sts" and kind == "assumed-role" and rest.count("/") == 1:
        role, session = rest.split("/")
        return Principal(text, parts.account, "", "role", role, session)
    raise ValueError(f"not the ARN of a principal: {text}")


def principal_of(caller: Caller) -> Principal:
    """The principal that a request's caller is, or that created what works for him now."""
    return caller if isinstance(caller, Principal) else principal_of_arn(caller.arn)
