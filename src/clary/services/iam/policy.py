"""IAM policies: what a document says about a request, and what several documents say together.

Nothing here knows where policies are kept. Reference:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import lru_cache
from typing import Any

import orjson

from clary.services.iam.conditions import Condition, ConditionError, Presence, as_texts, compile_conditions
from clary.services.iam.patterns import Context, PatternSet


class PolicyError(ValueError):
    """A text that is no policy; the message is AWS's."""


class Effect(Enum):
    """The outcome for one request, spelled as ``EvalDecision`` of the policy simulator."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class Layer(Enum):
    """Which kind of policy decided, in the words of AWS's messages."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


class Consent(Enum):
    """What the policy of a resource has to say besides the caller's own policies.

    Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """

    OPTIONAL = "either is enough"
    REQUIRED = "it names the caller, or lets the caller's account decide: a key's policy, and who is trusted by a role"
    FOREIGN = "both have to allow: the resource is another account's"


class Grant(IntEnum):
    """Whom a resource's policy lets do something, from nobody to just this caller.

    What is allowed to an account is for that account's policies to hand on. What is allowed to a role its boundary and
    the policies of a session limit still; what is allowed to a user, a session or everybody nothing limits.
    Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """

    NOBODY = 0
    ACCOUNT = 1
    ROLE = 2
    CALLER = 3


@dataclass(frozen=True, slots=True)
class Principals:
    """The caller as the ``Principal`` element names it: by itself, or by the account that it belongs to.

    ``own`` holds the ARNs that mean this caller (for a role session also that of its ``role``), ``account`` the twelve
    digits, ``service`` the service that calls on its own behalf. Nobody at all is an anonymous caller. A ``bounded``
    caller has a permissions boundary.
    """

    own: frozenset[str] = frozenset()
    account: str = ""
    service: str = ""
    role: str = ""
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: ``sagemaker:CreateTrainingJob``, an ARN or ``*``, and what else is known."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    principals: Principals = Principals()


class _Set:
    """``Action`` or ``Resource``, or its negation."""

    __slots__ = ("_patterns", "_wanted")

    def __init__(self, texts: Sequence[str], *, action: bool, variables: bool, negated: bool) -> None:
        self._wanted = not negated
        self._patterns = PatternSet(texts, variables=variables, fold=action, arn=not action)

    @property
    def is_fixed(self) -> bool:
        return self._patterns.is_fixed

    @property
    def is_everything(self) -> bool:
        return self._wanted and self._patterns.is_everything

    def contains(self, value: str, context: Context) -> bool:
        return self._patterns.matches(value, context) is self._wanted


@dataclass(frozen=True, slots=True)
class _PrincipalSet:
    """The ``Principal`` element. ``accounts`` trusts whom that account allows, ``arns`` exactly these callers."""

    anybody: bool
    arns: frozenset[str]
    accounts: frozenset[str]
    services: frozenset[str]
    negated: bool

    def grants(self, caller: Principals) -> Grant:
        """How the caller is meant, if it is."""
        found = Grant.NOBODY
        if self.anybody or caller.service in self.services:
            found = Grant.CALLER
        elif named := self.arns & caller.own:
            found = Grant.ROLE if named == {caller.role} else Grant.CALLER
        elif caller.account in self.accounts:
            found = Grant.ACCOUNT
        if self.negated:
            return Grant.NOBODY if found else Grant.CALLER
        return found

    def denies(self, caller: Principals) -> bool:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html: such a denial meets
        # everybody who has a boundary, whomever it names.
        return bool(self.grants(caller)) or (self.negated and caller.bounded)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, compiled; it is number ``index`` of the ``document`` that ``source`` names."""

    sid: str
    index: int
    allows: bool
    actions: _Set
    resources: _Set | None
    principals: _PrincipalSet | None
    conditions: tuple[Condition | Presence, ...]
    source: str = ""
    document: str = ""

    @property
    def is_fixed(self) -> bool:
        """Whether nothing but action, resource and caller matter: there is no condition and no variable."""
        return not self.conditions and (self.resources is None or self.resources.is_fixed)

    def applies(self, request: Request) -> bool:
        """Whether the statement is about ``request``, its action left aside."""
        context = request.context
        if self.resources is not None and not self.resources.contains(request.resource, context):
            return False
        if self.principals is not None:
            caller = request.principals
            if not (self.principals.grants(caller) if self.allows else self.principals.denies(caller)):
                return False
        return not self.conditions or all(condition.holds(context) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Decision:
    """What policies say, and by which statements."""

    effect: Effect
    statements: tuple[Statement, ...] = ()
    layer: Layer = Layer.IDENTITY

    @property
    def allowed(self) -> bool:
        return self.effect is Effect.ALLOWED


_NOTHING = Decision(Effect.IMPLICIT_DENY)
_NO_GRANT: tuple[Grant, tuple[Statement, ...]] = (Grant.NOBODY, ())
_ACTIONS_KEPT = 2048


class Policies:
    """Several policies that add up: an explicit deny in one of them wins, else any allow is enough."""

    def __init__(self, statements: Iterable[Statement] = ()) -> None:
        # Denials first, so that the first statement that applies decides.
        self.statements = tuple(sorted(statements, key=lambda statement: statement.allows))
        self._by_action: dict[str, tuple[Statement, ...]] = {}

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements that speak of ``action``."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(
                statement for statement in self.statements if statement.actions.contains(action.lower(), _NO_CONTEXT)
            )
            if len(self._by_action) >= _ACTIONS_KEPT:
                self._by_action.clear()
            self._by_action[action] = found
        return found

    def is_fixed(self, action: str) -> bool:
        """Whether what is decided of ``action`` depends on resource and caller alone."""
        return all(statement.is_fixed for statement in self.about(action))

    def decide(self, request: Request) -> Decision:
        """The decision, with the one statement that brought it about."""
        for statement in self.about(request.action):
            if statement.applies(request):
                return Decision(Effect.ALLOWED if statement.allows else Effect.EXPLICIT_DENY, (statement,))
        return _NOTHING

    def explain(self, request: Request) -> Decision:
        """The decision, with every statement that contributed to it."""
        matched = [statement for statement in self.about(request.action) if statement.applies(request)]
        denials = tuple(statement for statement in matched if not statement.allows)
        if denials:
            return Decision(Effect.EXPLICIT_DENY, denials)
        return Decision(Effect.ALLOWED, tuple(matched)) if matched else _NOTHING

    def grant(self, request: Request) -> tuple[Grant, tuple[Statement, ...]]:
        """Whom the policy of a resource allows this, denials left aside, and by which statement."""
        best = _NO_GRANT
        for statement in self.about(request.action):
            if statement.allows and statement.principals is not None:
                grant = statement.principals.grants(request.principals)
                if grant > best[0] and statement.applies(request):
                    best = (grant, (statement,))
        return best


_NO_CONTEXT: Context = {}


@dataclass(frozen=True)
class Permissions:
    """All policies of one principal; boundary and session policies only narrow what the identity's own allow."""

    identity: Policies
    boundary: Policies | None = None
    session: Policies | None = None

    def is_fixed(self, action: str) -> bool:
        """Whether what is decided of ``action`` without a resource's policy depends on the resource alone."""
        return all(layer.is_fixed(action) for layer in (self.identity, self.boundary, self.session) if layer)

    def decide(
        self, request: Request, resource: Policies | None = None, consent: Consent = Consent.OPTIONAL
    ) -> Decision:
        """The decision; ``resource`` is the policy of the resource, if it has one, and ``consent`` its part in it."""
        layers = [(Layer.IDENTITY, self.identity.decide(request))]
        if self.boundary is not None:
            layers.append((Layer.BOUNDARY, self.boundary.decide(request)))
        if self.session is not None:
            layers.append((Layer.SESSION, self.session.decide(request)))
        by_resource = resource.decide(request) if resource is not None else _NOTHING
        for layer, decision in [*layers, (Layer.RESOURCE, by_resource)]:
            if decision.effect is Effect.EXPLICIT_DENY:
                return Decision(decision.effect, decision.statements, layer)
        grant, statements = _NO_GRANT
        if resource is not None and by_resource.allowed:
            grant, statements = resource.grant(request)
        if not grant and consent is not Consent.OPTIONAL:
            return Decision(Effect.IMPLICIT_DENY, (), Layer.RESOURCE)
        allowed = layers[0][1]
        if consent is not Consent.FOREIGN and grant >= Grant.ROLE:
            allowed = Decision(Effect.ALLOWED, statements, Layer.RESOURCE)
            layers = layers[1:] if grant is Grant.ROLE else []
        for layer, decision in layers:
            if not decision.allowed:
                return Decision(Effect.IMPLICIT_DENY, (), layer)
        return allowed


def make_context(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """``values`` by condition key, in the form that policies are evaluated against; ``None`` is a missing key."""
    return {key.lower(): as_texts(value) for key, value in values.items() if value is not None}


@lru_cache(maxsize=2048)
def compile_policy(text: str, source: str = "") -> tuple[Statement, ...]:
    """The statements of a policy document; ``source`` names it in decisions.

    Raises ``PolicyError``.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise PolicyError("This policy contains invalid Json") from error
    if not isinstance(document, dict):
        raise PolicyError("Syntax errors in policy.")
    # The older version of the language knows no policy variables.
    variables = document.get("Version", "2008-10-17") == "2012-10-17"
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        raise PolicyError("Syntax errors in policy.")
    return tuple(_statement(item, index, variables, source, text) for index, item in enumerate(statements))


def policies(texts: Iterable[str]) -> Policies:
    """The policies with these texts, as one; raises ``PolicyError``."""
    return Policies(statement for text in texts for statement in compile_policy(text))


def _statement(item: Any, index: int, variables: bool, source: str, document: str) -> Statement:
    if not isinstance(item, dict) or item.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError("Syntax errors in policy.")
    actions = _set(item, "Action", variables=False)
    if actions is None:
        raise PolicyError("Policy statement must contain actions.")
    conditions = item.get("Condition", {})
    if not isinstance(conditions, dict):
        raise PolicyError("Syntax errors in policy.")
    try:
        compiled = compile_conditions(conditions, variables)
    except ConditionError as error:
        raise PolicyError(str(error)) from error
    resources = _set(item, "Resource", variables=variables)
    return Statement(
        sid=str(item.get("Sid", "")),
        index=index,
        allows=item["Effect"] == "Allow",
        actions=actions,
        # Of statements about all resources nothing has to be asked.
        resources=None if resources is None or resources.is_everything else resources,
        principals=_principals(item),
        conditions=compiled,
        source=source,
        document=document,
    )


def texts_of(value: Any) -> list[str]:
    """The texts of a member that may be one text or a list of them; raises ``PolicyError``."""
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in values):
        raise PolicyError("Syntax errors in policy.")
    return values


def _set(item: dict[str, Any], member: str, *, variables: bool) -> _Set | None:
    for name, negated in ((member, False), (f"Not{member}", True)):
        if name in item:
            return _Set(texts_of(item[name]), action=member == "Action", variables=variables, negated=negated)
    return None


def _principals(item: dict[str, Any]) -> _PrincipalSet | None:
    if "Principal" not in item and "NotPrincipal" not in item:
        return None
    negated = "NotPrincipal" in item
    value = item["NotPrincipal" if negated else "Principal"]
    if value == "*":
        return _PrincipalSet(True, frozenset(), frozenset(), frozenset(), negated)
    if not isinstance(value, dict):
        raise PolicyError("Syntax errors in policy.")
    arns: set[str] = set()
    accounts: set[str] = set()
    for text in texts_of(value.get("AWS", [])):
        if text.isdigit():
            accounts.add(text)
        elif text.startswith("arn:") and text.endswith(":root"):
            accounts.add(text.split(":")[4])
        else:
            arns.add(text)
    services = frozenset(texts_of(value.get("Service", [])))
    return _PrincipalSet("*" in arns, frozenset(arns), frozenset(accounts), services, negated)
