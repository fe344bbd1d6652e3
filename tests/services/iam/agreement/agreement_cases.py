"""Cases for the comparison with an independent evaluator: who asks what, and what all policies say about it.

A few kinds of case are left out, since that evaluator does there what AWS's documentation does not; each place that
leaves one out says why.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from agreement_features import features_of
from agreement_requests import (
    ASKED,
    NAMES,
    NOW,
    OTHER,
    OWN,
    SERVICES,
    SEVERAL,
    TEXT,
    VALUES,
    WORDS,
    Case,
    Document,
    arns_of,
    variables_of,
)

_WEIGHTED = [asked for asked in ASKED for _ in range(1 if asked.arn == "*" else 4)]

_NUMERIC = ("aws:MultiFactorAuthAge",)
_DATES = ("aws:CurrentTime", "aws:TokenIssueTime", "aws:EpochTime")
_BOOLS = ("aws:SecureTransport", "aws:MultiFactorAuthPresent", "aws:ViaAWSService")
_ADDRESSES = ("aws:SourceIp", "aws:VpcSourceIp")
_ARNS = ("aws:SourceArn", "aws:PrincipalArn")
_KEYS = {
    "String": (*TEXT, "s3:prefix", "iam:PassedToService", "sts:ExternalId", "aws:PrincipalTag/team", "aws:username"),
    "Numeric": (*_NUMERIC, "s3:max-keys"),
    "Date": _DATES,
    "Bool": _BOOLS,
    "Binary": TEXT,
    "IpAddress": _ADDRESSES,
    "Arn": _ARNS,
}
_COMPARISONS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = {
    "String": ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"),
    "Numeric": _COMPARISONS,
    "Date": _COMPARISONS,
    "Bool": ("",),
    "Binary": ("Equals",),
    "IpAddress": ("",),
    "NotIpAddress": ("",),
    "Arn": ("Equals", "Like", "NotEquals", "NotLike"),
}
# Not 0.0.0.0/0, in which the evaluator finds the address 0.0.0.0 alone.
_NETWORKS = (
    "203.0.113.0/24",
    "203.0.113.7/32",
    "10.0.0.0/8",
    "128.0.0.0/1",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "::/0",
)
_ARN_PATTERNS = (
    "arn:aws:sns:*:111122223333:al*",
    "arn:aws:s3:::repo?ts",
    "arn:*:iam::*:role/team/*",
    "arn:aws:iam::444455556666:user/${aws:username}",
    "arn:aws:s*:alarms:x:y:z",
    f"arn:aws:iam::{OWN}:*",
)


@dataclass
class Maker:
    """Makes one case after the other, always the same ones for a seed."""

    seed: int
    features: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def cases(self, count: int) -> list[Case]:
        """So many cases; ``features`` counts what is in them."""
        return [self.case() for _ in range(count)]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def case(self) -> Case:
        pick = self.random.choice
        asked = pick(_WEIGHTED)
        kinds = ["user", "session", "root"] + (["anonymous", "service"] if asked.policies else [])
        kind = self.random.choices(kinds, [8, 10, 1, 1, 1][: len(kinds)])[0]
        owner = OTHER if asked.policies and self.chance(0.4) else OWN
        self.caller = self._caller(kind)
        self.resource = asked.arn.format(account=owner, name=pick((self.caller["name"] or "ann", *NAMES)))
        self.asked, self.owner = asked, owner
        self.context = self._context()
        self.known = variables_of(self.caller, self.context, self.resource, owner)
        case: Case = {
            "caller": self.caller,
            "action": asked.action,
            "resource": self.resource,
            "owner": owner,
            "context": self.context,
            "identity": [],
            "boundary": None,
            "session": None,
            "policy": None,
        }
        if kind in ("user", "session"):
            case["identity"] = [self._document("identity") for _ in range(self.random.randint(0, 3))]
            case["boundary"] = self._document("boundary") if self.chance(0.3) else None
            case["session"] = self._document("session") if kind == "session" and self.chance(0.5) else None
        if asked.policies and (kind in ("anonymous", "service") or owner == OTHER or self.chance(0.6)):
            case["policy"] = self._document("resource")
        # A role always has a policy that says who may assume it.
        if asked.action == "sts:AssumeRole" and case["policy"] is None:
            case["policy"] = self._document("resource")
        if case["session"] is not None and owner == OWN and _names_session(case["policy"], self.caller):
            # What a resource's policy allows to the session itself the session's policy does not limit
            # (reference_policies_evaluation-logic_policy-eval-denyallow: "Permissions granted directly to a session are
            # not limited by an implicit deny in … a session policy"); the evaluator lets it. Denials are compared.
            case["session"]["Statement"].append({"Effect": "Allow", "Action": "*", "Resource": "*"})
        self._count(case)
        return case

    # Who asks, and what is known of the request

    def _caller(self, kind: str) -> dict[str, Any]:
        caller: dict[str, Any] = {"kind": kind, "account": "", "name": "", "path": "/", "tags": {}, "session_tags": {}}
        if kind in ("anonymous", "service"):
            return {**caller, "service": self.random.choice(SERVICES) if kind == "service" else ""}
        caller["account"] = OWN
        if kind == "root":
            return caller
        caller["name"] = self.random.choice(NAMES)
        if self.chance(0.7):
            caller["tags"] = {"team": self.random.choice(WORDS)}
        if kind == "session":
            caller["path"] = self.random.choice(("/", "/team/"))
            caller["session"] = self.random.choice(("one", "two"))
            if self.chance(0.3):
                caller["session_tags"] = {"team": self.random.choice(WORDS)}
        return caller

    def _context(self) -> dict[str, Any]:
        pick, found = self.random.choice, dict[str, Any]()
        for key in (*TEXT, *self.asked.keys):
            if self.chance(0.6):
                found[key] = pick((*WORDS, "bl*e"))
        for key, values, odd in (
            ("aws:MultiFactorAuthAge", VALUES["Numeric"], "many"),
            ("s3:max-keys", VALUES["Numeric"], "many"),
            ("aws:TokenIssueTime", VALUES["Date"], "soon"),
            ("aws:SecureTransport", VALUES["Bool"], "maybe"),
            ("aws:MultiFactorAuthPresent", VALUES["Bool"], "maybe"),
            ("aws:SourceIp", VALUES["IpAddress"], "nowhere"),
            ("aws:VpcSourceIp", VALUES["IpAddress"], "nowhere"),
            ("aws:SourceArn", VALUES["Arn"], "alarms"),
        ):
            if self.chance(0.6) and (key.startswith("aws:") or key in self.asked.keys):
                found[key] = odd if self.chance(0.1) else pick(values)
        for key in SEVERAL:
            if self.chance(0.6):
                found[key] = self.random.sample(VALUES["Several"], self.random.randint(1, 3))
        return found

    # Policies

    def _document(self, layer: str) -> Document:
        version = self.random.choices(("2012-10-17", "2008-10-17", None), (8, 1, 1))[0]
        # The older language has no variables ("treated as literal strings", reference_policies_variables); the
        # evaluator replaces them in every version.
        self.variables = version == "2012-10-17"
        count = self.random.choices((1, 2, 3), (3, 4, 2))[0]
        statements: list[Document] = [self._statement(layer) for _ in range(count)]
        if layer in ("boundary", "session") and self.chance(0.5):
            statements.append({"Effect": "Allow", "Action": "*", "Resource": "*"})
        return {**({"Version": version} if version else {}), "Statement": statements}

    def _statement(self, layer: str) -> Document:
        allows = self.chance(0.86)
        statement: Document = {"Effect": "Allow" if allows else "Deny"}
        trust = self.asked.action == "sts:AssumeRole" and layer == "resource"
        negated = not trust and self.chance(0.1)
        statement["NotAction" if negated else "Action"] = self._some(lambda: self._action(negated or not allows))
        # A trust policy has no element Resource.
        if not trust:
            negated = self.chance(0.1)
            statement["NotResource" if negated else "Resource"] = self._some(lambda: self._resource(negated))
        if layer == "resource":
            statement |= self._principal(allows, trust)
        if self.chance(0.4 if allows else 0.6):
            statement["Condition"] = self._conditions()
        return statement

    def _some(self, make: Any) -> Any:
        count = self.random.choices((1, 2, 3), (6, 3, 1))[0]
        values = list(dict.fromkeys(make() for _ in range(count)))
        return values[0] if len(values) == 1 and self.chance(0.5) else values

    def _action(self, narrow: bool) -> str:
        service, name = self.asked.action.split(":")
        if self.chance(0.6 if narrow else 0.15):
            return self.random.choice(ASKED).action
        at = self.random.randrange(len(name))
        return self.random.choice(
            (
                self.asked.action,
                f"{service}:{name.lower()}",
                f"{service.upper()}:{name.swapcase()}",
                f"{service}:*",
                f"{service}:{name[:at]}*",
                f"{service}:{name[:at]}?{name[at + 1 :]}",
                f"{service}:*{name[at:]}",
                "*",
            )
        )

    def _resource(self, negated: bool) -> str:
        arn = self.resource
        if arn == "*" or self.chance(0.15):
            return self.random.choice(
                ("*", self.random.choice(ASKED).arn.format(account=self.owner, name=self.random.choice(NAMES)))
            )
        start, last = (
            arn.rsplit(":", 1) if arn.count(":") == 5 else (":".join(arn.split(":")[:5]), arn.split(":", 5)[5])
        )
        # The word before the first stroke is the type, which takes no wildcards (reference_policies_elements_resource).
        kind, stroke, name = last.partition("/") if not arn.startswith("arn:aws:s3") else ("", "", last)
        kind, name = (kind + stroke, name) if stroke else ("", last)
        at = self.random.randrange(len(name))
        fixed = f"{start}:{kind}"
        head = start.split(":")
        forms = [
            "*",
            arn,
            f"{fixed}{name[:at]}*",
            f"{fixed}*{name[at:]}",
            f"{fixed}{name[:at]}?{name[at + 1 :]}",
            f"{fixed}*",
            f"{':'.join([*head[:3], '*', '*'])}:{kind}{name}",
            f"{':'.join([*head[:3], '*', head[4][:3] + '*'])}:{kind}*",
            f"{fixed}{name[:at]}${{*}}",
        ]
        if self.variables and (kind or arn.startswith("arn:aws:s3")):
            # The evaluator takes the colon of a variable for the end of the type where an ARN has none, as those of
            # queues and topics. A variable without value matches no resource; whether a statement with NotResource
            # applies then the documentation does not say, so there is always one
            # (reference_policies_variables#policy-vars-no-value).
            word = self._variable(always=negated)
            forms += [f"{fixed}{word}*", f"{fixed}{word}/2026.txt", f"{fixed}{word}-data", f"{fixed}{word}"]
        if not self.variables:
            forms.remove(f"{fixed}{name[:at]}${{*}}")
        return self.random.choice(forms)

    def _variable(self, always: bool) -> str:
        key = self.random.choice(
            ("aws:username", "aws:PrincipalTag/team", "aws:userid", "aws:Referer", "aws:CalledVia")
        )
        here = isinstance(self.known.get(key), str)
        if self.chance(0.3) or (always and not here):
            return f"${{{key}, '{self.random.choice(NAMES)}'}}"
        return f"${{{key}}}"

    def _principal(self, allows: bool, trust: bool) -> Document:
        caller = self.caller
        own = OWN
        names: list[str] = [own, f"arn:aws:iam::{own}:root", OTHER, f"arn:aws:iam::{OTHER}:root"]
        names += [f"arn:aws:iam::{own}:user/{self.random.choice(NAMES)}", f"arn:aws:iam::{OTHER}:role/ann"]
        if caller["kind"] in ("user", "session"):
            # Several times, so that the caller is often meant.
            names += [arn for arn in arns_of(caller) for _ in range(4)]
        element = "Principal" if trust or self.chance(0.88) else "NotPrincipal"
        if element == "Principal" and self.chance(0.1):
            return {element: self.random.choice(("*", {"AWS": "*"}))}
        if self.chance(0.6 if caller["kind"] == "service" else 0.08):
            return {
                element: {
                    "Service": self._some(
                        lambda: self.random.choice((*SERVICES, caller.get("service") or "s3.amazonaws.com"))
                    )
                }
            }
        value: Document = {"AWS": self._some(lambda: self.random.choice(names))}
        if self.chance(0.1):
            value["Service"] = self.random.choice(SERVICES)
        return {element: value}

    # Conditions

    def _conditions(self) -> Document:
        block: Document = {}
        for _ in range(self.random.choices((1, 2), (4, 1))[0]):
            operator, key, values = self._condition()
            block.setdefault(operator, {})[key] = values
        return block

    def _condition(self) -> tuple[str, str, Any]:
        if self.chance(0.08):
            key = self.random.choice((*TEXT, *SEVERAL, "aws:TokenIssueTime", "aws:PrincipalTag/team"))
            return "Null", key, self.random.choice(("true", "false"))
        kind = self.random.choice(tuple(OPERATORS))
        name = self.random.choice(OPERATORS[kind])
        several = kind == "String" and self.chance(0.35)
        plain = kind.removeprefix("Not")
        if several:
            key = self.random.choice(SEVERAL)
        elif kind in ("Numeric", "Date", "Arn", "Bool", "IpAddress", "NotIpAddress") and self.chance(0.08):
            # A word where the operator wants something else.
            key = "aws:Referer"
        else:
            key = self.random.choice([key for key in _KEYS[plain] if key.startswith("aws:") or key in self.asked.keys])
        quantifier = self.random.choice(("ForAllValues:", "ForAnyValue:", "")) if several or self.chance(0.06) else ""
        exists = "IfExists" if self.chance(0.15) else ""
        if quantifier == "ForAnyValue:" and key not in self.known:
            # "If the key is not present, evaluate the condition element as true" (Conditions_IfExists); the evaluator
            # does not where ForAnyValue stands before it.
            exists = ""
        return (
            f"{quantifier}{kind}{name}{exists}",
            self._spelled(key),
            self._some(lambda: self._value(plain, name, kind, key, several)),
        )

    def _spelled(self, key: str) -> str:
        return key.swapcase() if self.chance(0.05) and "/" not in key else key

    def _value(self, plain: str, name: str, kind: str, key: str, several: bool) -> str:
        pick, negated = self.random.choice, "Not" in kind + name
        if several:
            return pick((*VALUES["Several"], "glue*", "*"))
        if plain == "IpAddress":
            # An address without a prefix stands for that address alone; the evaluator compares the text of IPv6
            # addresses, and NotIpAddress never holds there for an address of the other family.
            return pick(_NETWORKS if negated else (*_NETWORKS, "203.0.113.7", "2001:db8::1"))
        if plain == "Arn":
            patterns = [text for text in (*_ARN_PATTERNS, *VALUES["Arn"]) if self._may_vary(text, negated)]
            return pick((*patterns, *(arns_of(self.caller) if self.caller["account"] else ())))
        if plain == "Date":
            # Seconds are compared with seconds: the evaluator takes those of one side for milliseconds.
            return pick((str(NOW), str(NOW - 5), str(NOW + 5))) if key == "aws:EpochTime" else pick(VALUES["Date"])
        if plain in ("Numeric", "Bool"):
            return pick(VALUES[plain])
        values = [*WORDS, "BLUE", "bl*", "b?ue", "*"]
        if isinstance(here := self.known.get(key), str):
            values += [here, here]
        if self.variables and plain == "String":
            # A negated operator holds where a variable has no value (policy-vars-no-value); in the evaluator it fails.
            values += [self._variable(always=negated), self._variable(always=negated)]
            if name.endswith("Like"):
                # The evaluator knows `${*}` where wildcards are known, not in the other operators.
                values += ["bl${*}e", "${*}"]
        return pick(values)

    def _may_vary(self, text: str, negated: bool) -> bool:
        return "${" not in text or (self.variables and not (negated and "aws:username" not in self.known))

    # What was made

    def _count(self, case: Case) -> None:
        seen: set[str] = {f"action {case['action']}", f"caller {self.caller['kind']}"}
        seen.add("same account" if self.caller["account"] == self.owner else "other account")
        layers = {"boundary": [case["boundary"]], "session": [case["session"]], "resource": [case["policy"]]}
        for layer, documents in {"identity": case["identity"], **layers}.items():
            for document in documents:
                if document is None:
                    continue
                seen |= {f"layer {layer}", f"version {document.get('Version')}"}
                for statement in document["Statement"]:
                    seen |= features_of(statement)
        self.features.update(seen)


def _names_session(policy: Document | None, caller: dict[str, Any]) -> bool:
    """Whether a policy allows anything to this session itself, or to everybody."""
    own = arns_of(caller)[-1]
    for statement in policy["Statement"] if policy else ():
        if statement["Effect"] == "Allow" and ("NotPrincipal" in statement or "*" in str(statement["Principal"])):
            return True
        if statement["Effect"] == "Allow" and own in str(statement.get("Principal")):
            return True
    return False
