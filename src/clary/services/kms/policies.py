"""Key policies: the ones that keys have by default, and what may stand in one.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from clary.services.iam.api import Identities
from clary.services.iam.policy import PolicyError, texts_of
from clary.services.iam.principals import principal_of_arn
from clary.services.kms.errors import LimitExceededException, MalformedPolicyDocumentException
from clary.services.kms.keys import compiled

NAME = "default"
"""The only name that a key's policy has."""
LONGEST = 32 * 1024
_VERSIONS = ("2012-10-17", "2008-10-17")
_MEMBERS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_KINDS = frozenset(("AWS", "Service", "Federated", "CanonicalUser"))


def default_policy(account: str) -> str:
    """The policy of a key whose maker gives none: it lets the account's IAM policies decide."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}, indent=2)


def managed_policy(account: str, region: str, service: str) -> str:
    """The policy of an AWS managed key: usable through its service by whoever may use that, by nobody else."""
    condition = {"kms:CallerAccount": account, "kms:ViaService": f"{service}.{region}.amazonaws.com"}
    use = {
        "Sid": f"Allow access through {service} for all principals in the account that are authorized to use {service}",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:CreateGrant",
            "kms:DescribeKey",
        ],
        "Resource": "*",
        "Condition": {"StringEquals": condition},
    }
    look = {
        "Sid": "Allow direct access to key metadata to the account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": f"auto-{service}-2", "Statement": [use, look]}, indent=2)


def check_policy(identities: Identities, text: str) -> None:
    """Raise ``MalformedPolicyDocumentException`` or ``LimitExceededException`` unless ``text`` is a key policy."""
    if len(text.encode()) > LONGEST:
        raise LimitExceededException(f"The key policy must not be longer than {LONGEST} bytes.")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedPolicyDocumentException("The policy is not valid JSON.") from error
    if not isinstance(document, dict) or not set(document) <= {"Version", "Id", "Statement"}:
        raise MalformedPolicyDocumentException("Syntax errors in policy.")
    if document.get("Version", "2008-10-17") not in _VERSIONS:
        raise MalformedPolicyDocumentException("Policy document must be version 2012-10-17 or greater.")
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicyDocumentException("Syntax errors in policy.")
    try:
        for statement in statements:
            _check_statement(identities, statement)
        compiled(text)
    except PolicyError as error:
        raise MalformedPolicyDocumentException(str(error)) from error


def _check_statement(identities: Identities, statement: Any) -> None:
    if not isinstance(statement, dict) or not set(statement) <= _MEMBERS:
        raise MalformedPolicyDocumentException("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny") or not isinstance(statement.get("Sid", ""), str):
        raise MalformedPolicyDocumentException("Syntax errors in policy.")
    for name in ("Principal", "Action", "Resource"):
        if (name in statement) == (f"Not{name}" in statement):
            lacking = name not in statement
            phrase = f"Policy statement must contain {name.lower()}s." if lacking else "Syntax errors in policy."
            raise MalformedPolicyDocumentException(phrase)
    for action in texts_of(statement.get("Action", statement.get("NotAction"))):
        if not _ACTION.fullmatch(action):
            raise MalformedPolicyDocumentException(f"The policy contains an invalid action: {action}")
    for resource in texts_of(statement.get("Resource", statement.get("NotResource"))):
        if resource != "*" and not resource.startswith(("arn:", "${", "*")):
            raise MalformedPolicyDocumentException(f'Resource {resource} must be in ARN format or "*".')
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal or not set(principal) <= _KINDS:
        raise MalformedPolicyDocumentException("Policy contains a statement with one or more invalid principals.")
    for kind, values in principal.items():
        for text in texts_of(values):
            if kind == "AWS" and text != "*" and not is_there(identities, text):
                raise MalformedPolicyDocumentException(
                    "Policy contains a statement with one or more invalid principals."
                )


def is_there(identities: Identities, text: str) -> bool:
    """Whether ``text`` is an account, or the ARN of an account's root or of a user or role that exists."""
    if text.isascii() and text.isdigit() and len(text) == 12:
        return True
    try:
        principal = principal_of_arn(text)
    except ValueError:
        return False
    if principal.kind == "root":
        return True
    identities.refresh()
    if principal.kind == "user":
        user = identities.user(principal.account, principal.name)
        return user is not None and user.arn == text
    if principal.session:
        text = f"arn:aws:iam::{principal.account}:role/{principal.name}"
    return identities.role(text) is not None
