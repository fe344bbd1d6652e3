"""The grammar of policy documents, checked when somebody stores one.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson

from clary.services.iam.errors import MalformedPolicyDocument
from clary.services.iam.policy import PolicyError, compile_policy, texts_of

PolicyKind = Literal["identity", "trust"]

_VERSIONS = ("2012-10-17", "2008-10-17")
_SID = re.compile(r"[0-9A-Za-z]*")
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_ACCOUNT = re.compile(r"\d{12}")
_MEMBERS = {
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
}
_TRUST_ACTIONS = re.compile(r"sts:(?:AssumeRole\w*|TagSession|SetSourceIdentity|SetContext|\*)", re.IGNORECASE)


def check_document(text: str, kind: PolicyKind) -> None:
    """Raise ``MalformedPolicyDocument``, in AWS's words, unless ``text`` is a policy of this kind."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedPolicyDocument("This policy contains invalid Json") from error
    if not isinstance(document, dict) or not set(document) <= {"Version", "Id", "Statement"}:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    version = document.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        raise MalformedPolicyDocument("Policy document must be version 2012-10-17 or greater.")
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    try:
        sids: set[str] = set()
        for statement in statements:
            _check_statement(statement, kind)
            sid = statement.get("Sid", "")
            if sid and sid in sids:
                raise MalformedPolicyDocument("Statement IDs (SID) in a single policy must be unique.")
            sids.add(sid)
        compile_policy(text)
    except PolicyError as error:
        raise MalformedPolicyDocument(str(error)) from error


def _check_statement(statement: Any, kind: PolicyKind) -> None:
    if not isinstance(statement, dict) or not set(statement) <= _MEMBERS:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    for name in ("Action", "Resource", "Principal"):
        if name in statement and f"Not{name}" in statement:
            raise MalformedPolicyDocument("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicyDocument("Syntax errors in policy.")
    sid = statement.get("Sid", "")
    if not isinstance(sid, str) or not _SID.fullmatch(sid):
        raise MalformedPolicyDocument(
            "Statement IDs (SID) must be alpha-numeric. "
            "Check that your input satisfies the regular expression [0-9A-Za-z]*"
        )
    actions = texts_of(statement.get("Action", statement.get("NotAction", [])))
    if not actions:
        raise MalformedPolicyDocument(
            "Missing required field Action" if kind == "trust" else "Policy statement must contain actions."
        )
    for action in actions:
        if action != "*" and not _ACTION.fullmatch(action):
            raise MalformedPolicyDocument(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
                if ":" not in action
                else f"The policy contains an invalid action: {action}"
            )
    if kind == "trust":
        _check_trust(statement, actions)
    else:
        _check_resources(statement)


def _check_resources(statement: dict[str, Any]) -> None:
    if "Principal" in statement or "NotPrincipal" in statement:
        raise MalformedPolicyDocument("Policy document should not specify a principal.")
    resources = texts_of(statement.get("Resource", statement.get("NotResource", [])))
    if not resources:
        raise MalformedPolicyDocument("Policy statement must contain resources.")
    for resource in resources:
        if resource != "*" and not resource.startswith(("arn:", "${", "*")):
            raise MalformedPolicyDocument(f'Resource {resource} must be in ARN format or "*".')


def _check_trust(statement: dict[str, Any], actions: list[str]) -> None:
    if "Resource" in statement or "NotResource" in statement:
        raise MalformedPolicyDocument("Has prohibited field Resource")
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if principal is None:
        raise MalformedPolicyDocument("Missing required field Principal")
    if not all(action == "*" or _TRUST_ACTIONS.fullmatch(action) for action in actions):
        raise MalformedPolicyDocument("AssumeRole policy may only specify STS AssumeRole actions.")
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise MalformedPolicyDocument("Invalid principal in policy.")
    for name, value in principal.items():
        if name not in ("AWS", "Service", "Federated", "CanonicalUser"):
            raise MalformedPolicyDocument(f'Invalid principal in policy: "{name}"')
        for text in texts_of(value):
            if name == "AWS" and not (
                text == "*" or _ACCOUNT.fullmatch(text) or text.startswith(("arn:", "AIDA", "AROA"))
            ):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{text}"')
            if name == "Service" and not re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?|[a-z0-9.-]+", text):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "SERVICE":"{text}"')
