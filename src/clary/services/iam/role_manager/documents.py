"""The policies of a role, from its activities and their parameters.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/role-manager-tutorial.html
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.core.errors import ValidationException
from clary.services.iam.role_manager.catalog import CUSTOMIZATIONS, Activity, Customization, activities, parameters

PREFIX = "sagemaker-"
"""How the name of every role begins that is made so."""
POLICY_PATH = "/service-role/"
MOST_POLICIES = 10
MOST_CHARACTERS = 6144
"""IAM's quotas: of managed policies a role, and of characters a policy, white space left aside."""
MOST_VALUES = 100
"""Values of one parameter: more do not fit into a policy."""

MEMBERS: Mapping[str, tuple[str, str]] = {
    "Name": (
        "[A-Za-z0-9_+=,.@-]{1,54}",
        f"it must be 1 to 54 letters, digits and any of _+=,.@-, which follow {PREFIX!r}",
    ),
    "TrustedArns": (
        "arn:aws:iam::[0-9]{12}:(root|(user|role)/[A-Za-z0-9_+=,.@/-]{1,512})",
        "it must be the ARN of a user, a role or an account's root",
    ),
    "PolicyArns": (
        "arn:aws:iam::(aws|[0-9]{12}):policy/[A-Za-z0-9_+=,.@/-]{1,512}",
        "it must be the ARN of a managed policy",
    ),
}
"""What a wish says besides its parameters: the pattern of each value, and the pattern in words."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Wish:
    """What a role is wished to be; ``name`` is the part of its name after ``sagemaker-``.

    ``values`` are those of the parameters, by name; ``policies`` the ARNs of managed policies that it gets besides, and
    ``trusted`` those of users, roles and accounts that may take it on besides SageMaker.
    """

    name: str
    activities: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    policies: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()


def documents(wish: Wish, account: str, region: str) -> dict[str, Any]:
    """The role's name, its trust policy, and one customer managed policy an activity.

    Raises ``ValidationException``, which names the member that is wrong; nothing is made here.
    """
    for member, texts in (("Name", (wish.name,)), ("TrustedArns", wish.trusted), ("PolicyArns", wish.policies)):
        _check(member, texts, *MEMBERS[member])
    chosen = _chosen(wish)
    customized = _customized(wish)
    _check_values(wish, chosen, customized)
    single = {"Account": account, "Region": region}
    made = []
    for activity in chosen:
        document = _document(activity, customized, single, wish.values)
        if len("".join(json.dumps(document).split())) > MOST_CHARACTERS:
            longest = max(_named(activity, customized), key=lambda name: sum(map(len, wish.values.get(name, ()))))
            raise unfit(
                longest,
                f"with {len(wish.values[longest])} values the policy "
                f"of {activity.title!r} is longer than {MOST_CHARACTERS} characters",
            )
        made.append(
            {
                "PolicyName": f"{_policy_name(activity, customized)}_{wish.name}",
                "Path": POLICY_PATH,
                "Description": f"{activity.title}. {activity.description}",
                "Activity": activity.name,
                "Document": document,
            }
        )
    return {
        "RoleName": PREFIX + wish.name,
        "TrustPolicy": _trust(wish),
        "Policies": made,
        "PolicyArns": list(wish.policies),
    }


def _trust(wish: Wish) -> dict[str, Any]:
    """Who may take on the role: SageMaker, for the jobs and people that it is given to, and whom the wish names."""
    principals: list[dict[str, Any]] = [{"Service": "sagemaker.amazonaws.com"}]
    if wish.trusted:
        principals.append({"AWS": list(wish.trusted)})
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} for principal in principals
        ],
    }


def _check(member: str, values: Sequence[str], pattern: str, constraint: str) -> None:
    if len(values) > MOST_VALUES:
        raise unfit(member, f"there may be at most {MOST_VALUES} values")
    for value in values:
        if not re.fullmatch(pattern, value):
            raise unfit(member, constraint, value)
    if len(set(values)) != len(values):
        raise unfit(member, "each must be named once")


def _chosen(wish: Wish) -> list[Activity]:
    known = activities()
    for name in wish.activities:
        if name not in known:
            raise unfit("Activities", f"it must be one of {', '.join(known)}", name)
    if len(set(wish.activities)) != len(wish.activities):
        raise unfit("Activities", "each must be named once")
    if not wish.activities and not wish.policies:
        raise unfit("Activities", "a role needs at least one")
    if len(wish.activities) + len(wish.policies) > MOST_POLICIES:
        raise unfit(
            "PolicyArns" if wish.policies else "Activities",
            f"a role has at most {MOST_POLICIES} policies, and each activity is one",
        )
    return [known[name] for name in wish.activities]


def _customized(wish: Wish) -> tuple[Customization, ...]:
    """The customizations that are wished. One without all that it needs would let through what it should not."""
    found = []
    for each, needed in CUSTOMIZATIONS.items():
        given = [name for name in needed if wish.values.get(name)]
        if given and len(given) < len(needed):
            missing = next(name for name in needed if name not in given)
            raise unfit(missing, f"{' and '.join(needed)} are given together")
        if given:
            found.append(each)
    return tuple(found)


def _check_values(wish: Wish, chosen: Sequence[Activity], customized: Sequence[Customization]) -> None:
    known = parameters()
    for name, values in wish.values.items():
        if name not in known:
            raise unfit("Parameters", f"it must be one of {', '.join(known)}", name)
        _check(name, values, known[name].pattern, known[name].constraint)
    for activity in chosen:
        for name in activity.parameters:
            if not wish.values.get(name):
                raise unfit(name, f"{activity.title!r} needs at least one of {known[name].title!r}")
    used = {name for activity in chosen for name in _named(activity, customized)}
    narrowed = {each for activity in chosen for each in activity.customizations}
    used.update(name for each in narrowed for name in CUSTOMIZATIONS[each])
    for name in wish.values:
        if wish.values[name] and name not in used:
            # Somebody believes that it narrows the role.
            raise unfit(name, f"no activity that is chosen takes {known[name].title!r}")


def _document(
    activity: Activity,
    customized: Sequence[Customization],
    single: Mapping[str, str],
    values: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    statements = []
    for statement in _present(activity, customized):
        if any(name in activity.optional and not values.get(name) for name in _placeholders(statement)):
            continue
        made = {"Effect": "Allow", "Action": statement["Action"], "Resource": statement["Resource"]}
        if condition := _condition(statement, customized):
            made["Condition"] = condition
        statements.append(_filled(made, single, values))
    return {"Version": "2012-10-17", "Statement": statements}


def _present(activity: Activity, customized: Sequence[Customization]) -> Iterator[Mapping[str, Any]]:
    for statement in activity.statements:
        if statement.get("Only") in (None, *customized):
            yield statement


def _condition(statement: Mapping[str, Any], customized: Sequence[Customization]) -> dict[str, Any]:
    """All conditions, which must hold together."""
    merged: dict[str, Any] = dict(statement.get("Condition", {}))
    for each in customized:
        for operator, keys in statement.get(f"With{each}", {}).items():
            merged[operator] = {**merged.get(operator, {}), **keys}
    return merged


def _filled(value: Any, single: Mapping[str, str], values: Mapping[str, Sequence[str]]) -> Any:
    """``value`` with its placeholders replaced; a text in a list becomes as many as its parameter has values."""
    if isinstance(value, Mapping):
        return {key: _filled(each, single, values) for key, each in value.items()}
    if isinstance(value, list):
        return list(itertools.chain.from_iterable(_texts(each, single, values) for each in value))
    return _texts(value, single, values)[0]


def _texts(text: str, single: Mapping[str, str], values: Mapping[str, Sequence[str]]) -> list[str]:
    for name, value in single.items():
        text = text.replace(f"{{{name}}}", value)
    found = _PLACEHOLDER.search(text)
    return [text] if found is None else [text.replace(found[0], value) for value in values[found[1]]]


def _placeholders(part: Any) -> set[str]:
    return set(_PLACEHOLDER.findall(json.dumps(part)))


def _named(activity: Activity, customized: Sequence[Customization]) -> set[str]:
    """The parameters that the activity's permissions speak of."""
    known = parameters()
    found: set[str] = set()
    for statement in _present(activity, customized):
        shown = [statement["Resource"], _condition(statement, customized)]
        found |= {name for name in _placeholders(shown) if name in known}
    return found


def _policy_name(activity: Activity, customized: Sequence[Customization]) -> str:
    """As AWS names it, which tells what it is customized for."""
    marks = {"Network": "_VPC", "Encryption": "_KMS"}
    return activity.policy + "".join(marks[each] for each in customized if each in activity.customizations)


def unfit(member: str, constraint: str, value: str | None = None) -> ValidationException:
    """What is wrong with a member, or with the one ``value`` of it."""
    shown = f"Value {value[:128]!r}" if value is not None else "Value"
    return ValidationException(f"{shown} at {member[:128]!r} failed to satisfy constraint: {constraint}")
