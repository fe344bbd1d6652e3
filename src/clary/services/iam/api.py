"""Who calls and what they may do: what the edge and the other services ask of IAM.

Everything is answered from memory where it can be. An IAM write raises the revision of ``identity`` in the database,
and ``refresh`` forgets what was cached under an older one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from clary.core import clock as core_clock
from clary.core import suites
from clary.core.errors import AccessDenied, ExpiredToken, InvalidClientTokenId, ValidationException
from clary.core.names import parse_arn
from clary.core.settings import Settings
from clary.resources.context import Caller, Context
from clary.services.iam.accounts import membership
from clary.services.iam.entities import TOPIC, find_access_key, secret_of
from clary.services.iam.errors import NoSuchEntity
from clary.services.iam.policy import (
    Consent,
    Decision,
    Effect,
    Layer,
    Permissions,
    Policies,
    Principals,
    Request,
    policies,
)
from clary.services.iam.principals import Principal, principal_of_arn, root_principal
from clary.services.iam.request_context import RequestContext
from clary.services.iam.sessions import Session, Ticket, Tokens, new_keys
from clary.services.iam.subjects import Subject, SubjectKind, load_subject
from clary.services.iam.vault import SealBroken, Vault, master_key_of
from clary.state.database import Database

__all__ = ["AccessDenied", "Credential", "Identities", "Principal", "identities_of"]

_JOB_SESSION_SECONDS = 3600.0
_KEPT = 4096


@dataclass(frozen=True)
class Credential:
    """What stands behind an access key: the secret to check the signature with, and the caller."""

    secret: str
    principal: Principal
    expires: float | None = None
    """Seconds since the epoch; ``None`` for a permanent key."""


class _Memory:
    """What was read from the database since its identity topic had this revision."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.credentials: dict[str, Credential] = {}
        self.subjects: dict[tuple[SubjectKind, str, str], Subject | None] = {}
        self.permissions: dict[Principal, tuple[Permissions, Principals]] = {}
        self.allowed: dict[tuple[Principal | None, str, str], None] = {}
        """What policies without conditions have allowed: caller, action and resource."""

    @staticmethod
    def keep(cache: dict[Any, Any], key: Any, value: Any) -> None:
        if len(cache) >= _KEPT:
            cache.clear()
        cache[key] = value


_EVERYTHING = policies(['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'])
_NOTHING = Policies()


class Identities:
    """The identities of one installation; safe to use from several threads and processes."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float] = core_clock.now) -> None:
        self.database = database
        self.settings = settings
        self.clock = clock
        self._memory = _Memory(-1)
        self._looked = 0.0

    @cached_property
    def vault(self) -> Vault:
        return Vault(master_key_of(self.settings))

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens(self.vault)

    @property
    def revision(self) -> int:
        """Of what is remembered: it changes with every ``refresh`` that finds something new."""
        return self._memory.revision

    def bootstrap(self) -> None:
        """Make the master key, the administrator and the execution role, where they are not there yet."""
        # Imported here because only the process that starts the installation needs it.
        from clary.services.iam.bootstrap import bootstrap

        bootstrap(self.database, self.settings, self.vault, self.clock())
        self.refresh()

    def refresh(self, max_age: float = 0.0) -> bool:
        """Forget what is out of date, and say whether anything was; at most one look per ``max_age`` seconds.

        It costs one short read of the database.
        """
        now = time.monotonic()
        if max_age and now - self._looked < max_age:
            return False
        with self.database.read() as transaction:
            revision = transaction.revision(TOPIC)
        self._looked = now
        if revision == self._memory.revision:
            return False
        # A new object, so that a thread that is just reading an older state cannot put it into the new memory.
        self._memory = _Memory(revision)
        return True

    # Credentials

    def resolve(self, access_key: str, session_token: str | None = None) -> Credential:
        """The secret and the caller behind an access key.

        Raises ``InvalidClientTokenId`` or ``ExpiredToken``.
        """
        memory = self._memory
        known = memory.credentials.get(session_token or access_key)
        if known is None:
            known = self._session(access_key, session_token) if session_token else self._permanent(access_key)
            memory.keep(memory.credentials, session_token or access_key, known)
        elif session_token and self._read(session_token).access_key != access_key:
            raise _invalid()
        if known.expires is not None and known.expires <= self.clock():
            raise ExpiredToken("The security token included in the request is expired")
        return known

    def _permanent(self, access_key: str) -> Credential:
        with self.database.read() as transaction:
            record = find_access_key(transaction, access_key)
        if record is None or record.document["Status"] != "Active":
            raise _invalid()
        account, user = record.key.account, record.key.parent
        secret = secret_of(self.vault, record)
        if not user:
            self._check_open(account)
            return Credential(secret, root_principal(account))
        subject = self._subject("user", account, user)
        if subject is None:
            raise _invalid()
        return Credential(secret, Principal(subject.arn, account, subject.id, "user", user))

    def _check_open(self, account: str) -> None:
        """Raise ``InvalidClientTokenId`` for the root of a closed account; its users and roles are not found at all."""
        with self.database.read() as transaction:
            joined = membership(transaction, account)
        if joined is not None and joined.closed:
            raise _invalid()

    def _read(self, token: str) -> Session:
        try:
            return self._tokens.read(token)
        except SealBroken as error:
            raise _invalid() from error

    def _session(self, access_key: str, token: str) -> Credential:
        session = self._read(token)
        if session.access_key != access_key:
            raise _invalid()
        if session.kind == "root":
            self._check_open(session.account)
            return Credential(session.secret, root_principal(session.account), session.expires)
        subject = self._subject(session.kind, session.account, session.name)
        # One that was deleted and made again under the same name is another one.
        if subject is None or subject.id != session.id:
            raise _invalid()
        if session.kind == "user":
            principal = Principal(subject.arn, subject.account, subject.id, "user", subject.name)
        else:
            principal = session_principal(subject, session.session, session.policies, session.tags)
        return Credential(session.secret, principal, session.expires)

    def mint_session(
        self,
        role_arn: str,
        session_name: str,
        duration_s: float,
        session_policy: str | None = None,
        source: str = "",
        *,
        session_policies: Sequence[str] = (),
        session_tags: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Temporary credentials of a role: ``AccessKeyId``, ``SecretAccessKey``, ``SessionToken``, ``Expiration``.

        ``Expiration`` is an aware datetime. Who may have them is for the caller to decide. Raises ``NoSuchEntity``.
        """
        subject = self.role(role_arn)
        if subject is None:
            raise NoSuchEntity(f"The role with name {role_arn.rsplit('/', 1)[-1]} cannot be found.")
        texts = (*session_policies, *([session_policy] if session_policy else ()))
        tags = tuple(sorted((session_tags or {}).items()))
        return self._mint(
            "role", subject.account, subject.name, subject.id, session_name, duration_s, texts, tags, source
        )

    def mint_caller_session(self, caller: Principal, duration_s: float) -> dict[str, Any]:
        """Temporary credentials of a user or a root itself, for ``GetSessionToken``."""
        return self._mint(caller.kind, caller.account, caller.name, caller.user_id, "", duration_s, (), (), caller.arn)

    def _mint(
        self,
        kind: Any,
        account: str,
        name: str,
        unique_id: str,
        session_name: str,
        duration_s: float,
        texts: tuple[str, ...],
        tags: tuple[tuple[str, str], ...],
        source: str,
    ) -> dict[str, Any]:
        access_key, secret = new_keys(account)
        expires = float(int(self.clock() + duration_s))
        session = Session(
            access_key, secret, kind, account, name, unique_id, session_name, expires, texts, tags, source
        )
        return {
            "AccessKeyId": access_key,
            "SecretAccessKey": secret,
            "SessionToken": self._tokens.issue(session),
            "Expiration": datetime.fromtimestamp(expires, UTC),
        }

    def ticket(self, role_arn: str, session_name: str, seconds: float, row_id: int = 0) -> str:
        """A sealed token with which a job fetches temporary credentials of ``role_arn`` for so many seconds.

        With the ``row_id`` of the job's or endpoint's record it is good only while that is at work. Raises
        ``NoSuchEntity``.
        """
        subject = self._handed_on(role_arn)
        if subject is None:
            raise NoSuchEntity(f"The role with name {role_arn.rsplit('/', 1)[-1]} cannot be found.")
        ticket = Ticket(subject.account, subject.name, subject.id, session_name, self.clock() + seconds, row_id)
        return self._tokens.issue_ticket(ticket)

    def seal(self, purpose: str, secret: str, bound_to: str) -> str:
        """A caller's secret as a resource may keep it: sealed under the master key for ``purpose`` and ``bound_to``."""
        return self.vault.seal(purpose, secret.encode(), bound_to)

    def redeem(self, ticket: str) -> dict[str, Any]:
        """Credentials for the holder of a ticket, as ``mint_session`` gives them, and ``RoleArn``.

        They last for an hour at most. Raises ``InvalidClientTokenId`` if the ticket is false or the role is gone,
        ``ExpiredToken`` if its time is over or its job has ended.
        """
        try:
            told = self._tokens.read_ticket(ticket)
        except SealBroken as error:
            raise _invalid() from error
        left = told.expires - self.clock()
        if left < 1 or (told.row_id and not self._is_at_work(told.row_id)):
            raise ExpiredToken("The security token included in the request is expired")
        self.refresh()
        subject = self._subject("role", told.account, told.name)
        if subject is None or subject.id != told.id:
            raise _invalid()
        duration = min(_JOB_SESSION_SECONDS, left)
        return {**self.mint_session(subject.arn, told.session, duration, source="job"), "RoleArn": subject.arn}

    def _is_at_work(self, row_id: int) -> bool:
        # A job's variables, and with them its ticket, are easily printed into a log, which outlives the job.
        with self.database.read() as transaction:
            record = transaction.by_id(row_id)
        return record is not None and record.wake_at is not None

    # Policies

    def _subject(self, kind: SubjectKind, account: str, name: str) -> Subject | None:
        memory = self._memory
        key = (kind, account, name)
        if key in memory.subjects:
            return memory.subjects[key]
        with self.database.read() as transaction:
            subject = load_subject(transaction, kind, account, name)
        if subject is not None:
            # That there is none is not remembered: one that is made now shall be found at once.
            memory.keep(memory.subjects, key, subject)
        return subject

    def role(self, role_arn: str) -> Subject | None:
        """The role with this ARN."""
        try:
            parts = parse_arn(role_arn)
        except ValueError:
            return None
        if parts.service != "iam" or not parts.resource.startswith("role/"):
            return None
        subject = self._subject("role", parts.account, parts.resource.rsplit("/", 1)[-1])
        return subject if subject is not None and subject.arn == role_arn else None

    def role_named(self, account: str, name: str) -> Subject | None:
        """The role of this name."""
        return self._subject("role", account, name)

    def user(self, account: str, name: str) -> Subject | None:
        """The user of this name."""
        return self._subject("user", account, name)

    def is_there(self, principal: Principal) -> bool:
        """Whether the user or the role behind ``principal`` is the one it was: neither deleted nor made anew."""
        if principal.kind == "root":
            return True
        subject = self._subject(principal.kind, principal.account, principal.name)
        return subject is not None and subject.id == principal.user_id.partition(":")[0]

    def _handed_on(self, role_arn: str) -> Subject | None:
        """The role that a request hands on: in test mode one that is not there stands for one that is, since public
        suites were written for servers that never look."""
        subject = self.role(role_arn)
        if subject is None and self.settings.test_mode:
            return self._subject("role", self.settings.account, suites.ANY_ROLE)
        return subject

    def policies_of(self, principal: Principal | None) -> Permissions:
        """All that limits and allows what ``principal`` (``None``: anonymous) does."""
        return self._standing(principal)[0]

    def principals(self, principal: Principal | None) -> Principals:
        """The caller as trust and resource policies name it."""
        return self._standing(principal)[1]

    def _standing(self, principal: Principal | None) -> tuple[Permissions, Principals]:
        if principal is None:
            return Permissions(_NOTHING), Principals()
        memory = self._memory
        known = memory.permissions.get(principal)
        if known is None:
            subject: Subject | None = None
            if principal.kind != "root":
                subject = self._subject(principal.kind, principal.account, principal.name)
                if subject is None:
                    return Permissions(_NOTHING), Principals()
            known = standing(principal, subject)
            memory.keep(memory.permissions, principal, known)
        return known

    def context(self, principal: Principal | None, values: Mapping[str, Any], resource: str = "*") -> RequestContext:
        """Condition keys for one request: those given, and those that follow from the caller, worked out when asked."""
        subject: Subject | None = None
        if principal is not None and principal.kind != "root":
            subject = self._subject(principal.kind, principal.account, principal.name)
        return RequestContext(principal, subject, values, resource, self.clock)

    def decide(
        self,
        principal: Principal | None,
        action: str,
        resource_arn: str,
        context: Mapping[str, Any] | None = None,
        resource_policy: Policies | None = None,
        owner: str | None = None,
        consent: Consent = Consent.OPTIONAL,
    ) -> Decision:
        """What the policies say. ``owner`` is the account of the resource, where it may not be the caller's.

        A resource of another account needs the consent of its own policy, and so does one whose ``consent`` is
        required; an anonymous caller has nothing else.
        """
        permissions, names = self._standing(principal)
        request = Request(action, resource_arn, self.context(principal, context or {}, resource_arn), names)
        if principal is None:
            consent = Consent.REQUIRED
        elif owner not in (None, principal.account):
            consent = Consent.FOREIGN
        return permissions.decide(request, resource_policy, consent)

    def authorize(
        self,
        principal: Principal | None,
        action: str,
        resource_arn: str,
        context: Mapping[str, Any] | None = None,
        resource_policy: Policies | None = None,
        owner: str | None = None,
    ) -> None:
        """Raise ``AccessDenied``, in AWS's words, unless ``principal`` may do this.

        Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        """
        memory = self._memory
        asked = (principal, action, resource_arn)
        plain = resource_policy is None and owner is None
        if plain and asked in memory.allowed:
            return
        decision = self.decide(principal, action, resource_arn, context, resource_policy, owner)
        if decision.allowed:
            if plain and self._standing(principal)[0].is_fixed(action):
                memory.keep(memory.allowed, asked, None)
            return
        if decision.effect is Effect.EXPLICIT_DENY:
            reason = f"with an explicit deny in {_with_article(decision.layer)}"
        else:
            reason = f"because no {decision.layer.value} allows the {action} action"
        who = f"User: {principal.arn}" if principal is not None else "User: anonymous"
        raise AccessDenied(f"{who} is not authorized to perform: {action} on resource: {resource_arn} {reason}")

    def check_pass_role(
        self,
        caller: Caller,
        role_arn: str,
        service: str,
        source_arn: str | None = None,
        told: Mapping[str, str] | None = None,
    ) -> None:
        """Refuse a role that ``caller`` may not hand to ``service``, that does not exist or that does not trust it.

        ``source_arn`` is the resource that will use the role, ``told`` what else is known of the request. Raises
        ``AccessDenied`` or ``ValidationException``.
        """
        self.refresh()
        principal = caller if isinstance(caller, Principal) else principal_of_arn(caller.arn)
        self.authorize(principal, "iam:PassRole", role_arn, {**(told or {}), "iam:PassedToService": service})
        subject = self._handed_on(role_arn)
        if subject is not None and subject.account != principal.account:
            raise ValidationException("RoleArn: Cross-account pass role is not allowed.")
        if subject is None or not self._trusts_service(subject, service, source_arn):
            raise ValidationException(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{service}' to assume the role."
            )

    def _trusts_service(self, role: Subject, service: str, source_arn: str | None) -> bool:
        assert role.trust is not None
        name = service.removesuffix(".amazonaws.com")
        values = {
            "aws:SourceAccount": role.account,
            "aws:SourceArn": source_arn or f"arn:aws:{name}:{self.settings.region}:{role.account}:*",
            "aws:PrincipalIsAWSService": True,
            "aws:PrincipalServiceName": service,
        }
        context = self.context(None, values, role.arn)
        return role.trust.decide(Request("sts:AssumeRole", role.arn, context, Principals(service=service))).allowed


def standing(principal: Principal, subject: Subject | None) -> tuple[Permissions, Principals]:
    """What limits and allows a caller, and how policies name it; a root has no ``subject``, which is a user or role."""
    session = policies(principal.session_policies) if principal.session_policies else None
    if subject is None:
        return Permissions(_EVERYTHING, None, session), Principals(frozenset([principal.arn]), principal.account)
    names = Principals(
        frozenset([principal.arn, subject.arn]),
        principal.account,
        role=subject.arn if subject.kind == "role" else "",
        bounded=subject.boundary is not None,
    )
    return Permissions(subject.identity, subject.boundary, session), names


def session_principal(
    role: Subject, session: str, texts: tuple[str, ...] = (), tags: tuple[tuple[str, str], ...] = ()
) -> Principal:
    """The caller behind a session of ``role``."""
    arn = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{session}"
    return Principal(arn, role.account, f"{role.id}:{session}", "role", role.name, session, texts, tags)


def identities_of(context: Context) -> Identities:
    """The identities behind a request's platform."""
    identity = context.platform.identity
    assert isinstance(identity, Identities)
    return identity


def _invalid() -> InvalidClientTokenId:
    return InvalidClientTokenId("The security token included in the request is invalid.")


def _with_article(layer: Layer) -> str:
    return f"{'an' if layer.value.startswith('i') else 'a'} {layer.value}"
