"""Role Manager as it is asked for: what it offers, and the documents of a role, both as JSON.

AWS has no API for this: its console makes the documents, and then the role and its policies with calls of IAM, as
Studio and the command line do here. So nobody gets a role by this who may not make one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from clary.core.errors import ValidationException
from clary.services.iam.role_manager import catalog, documents
from clary.wire.read_json import load_json


@cache
def described() -> dict[str, Any]:
    """Personas, activities, parameters and customizations; members are named as AWS names members."""
    return {
        "Personas": [
            {
                "Name": persona.name,
                "Title": persona.title,
                "Description": persona.description,
                "Activities": list(persona.activities),
            }
            for persona in catalog.personas().values()
        ],
        "Activities": [
            {
                "Name": activity.name,
                "Title": activity.title,
                "Description": activity.description,
                "Parameters": list(activity.parameters),
                "OptionalParameters": list(activity.optional),
                "Customizations": list(activity.customizations),
            }
            for activity in catalog.activities().values()
        ],
        "Parameters": [
            {
                "Name": parameter.name,
                "Title": parameter.title,
                "Description": parameter.description,
                "Example": parameter.example,
                "Pattern": parameter.pattern,
                "Constraint": parameter.constraint,
            }
            for parameter in catalog.parameters().values()
        ],
        "Members": {
            name: {"Pattern": pattern, "Constraint": constraint}
            for name, (pattern, constraint) in documents.MEMBERS.items()
        },
        "Customizations": {name: list(needed) for name, needed in catalog.CUSTOMIZATIONS.items()},
        "RoleNamePrefix": documents.PREFIX,
        "PolicyPath": documents.POLICY_PATH,
        "MaxPolicies": documents.MOST_POLICIES,
    }


def documents_of(body: bytes, account: str, region: str) -> dict[str, Any]:
    """The documents of the role that ``body`` wishes for, a JSON object.

    ``Name`` is what follows ``sagemaker-``. ``Activities`` are those of ``Persona`` unless they are given,
    ``Parameters`` are lists of texts by name, ``PolicyArns`` further managed policies, and ``TrustedArns`` name those
    who may take on the role besides SageMaker. Raises ``SerializationException`` and ``ValidationException``.
    """
    members = load_json(body)
    if not isinstance(members, dict):
        raise ValidationException("The request must be a JSON object.")
    known = ("Name", "Persona", "Activities", "Parameters", "PolicyArns", "TrustedArns")
    for member in members:
        if member not in known:
            raise ValidationException(f"Unknown member {member[:128]!r}: a role is wished for with {', '.join(known)}")
    name = members.get("Name")
    if not isinstance(name, str):
        raise documents.unfit("Name", "it must be a text")
    values = members.get("Parameters")
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise documents.unfit("Parameters", "it must be an object of lists")
    persona = _persona(members.get("Persona"))
    wish = documents.Wish(
        name,
        _texts("Activities", members.get("Activities"), persona),
        {each: _texts(each, value) for each, value in values.items()},
        _texts("PolicyArns", members.get("PolicyArns")),
        _texts("TrustedArns", members.get("TrustedArns")),
    )
    return documents.documents(wish, account, region)


def _persona(name: Any) -> tuple[str, ...]:
    """The activities of a persona; without one, what AWS calls Custom Role Settings, there are none."""
    if name is None:
        return ()
    known = catalog.personas()
    if not isinstance(name, str) or name not in known:
        raise documents.unfit("Persona", f"it must be one of {', '.join(known)}")
    return known[name].activities


def _texts(member: str, value: Any, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    if value is None:
        return default
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise documents.unfit(member, "it must be a list of texts")
    return tuple(value)
