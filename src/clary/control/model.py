"""What a browser must know to show any resource: the nouns of the grammar, and the shapes of operations.

It comes from the same declarations and service models as the operations themselves, so that a noun which is new in
either has its pages at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from clary.core.errors import UnknownOperationException
from clary.resources.context import ServiceApp
from clary.resources.grammar import Spelled
from clary.resources.paging import SIZES, TOKENS
from clary.resources.resource import Resource, kebab
from clary.wire.catalog import service as service_named

if TYPE_CHECKING:
    from botocore.model import Shape

DEEPEST = 12
"""How deep shapes are told; those that hold themselves would never end."""
_CONSTRAINTS = ("enum", "pattern", "min", "max", "sensitive")
_NOT_FILTERS = frozenset((*TOKENS, *SIZES, "SortBy", "SortOrder"))


def nouns(apps: Iterable[ServiceApp]) -> dict[str, Any]:
    """All nouns of the services, each with its operations, and what its List shows, filters and sorts by."""
    found: list[dict[str, Any]] = []
    for app in apps:
        by_resource: dict[Resource, dict[str, Spelled]] = {}
        for each in app.spelled().values():
            by_resource.setdefault(each.resource, {})[each.verb] = each
        rows = sorted((_noun(*each) for each in by_resource.items()), key=lambda row: str(row["title"]))
        if rows:
            found.append({"service": app.name, "nouns": rows})
    return {"services": found}


def _noun(resource: Resource, verbs: Mapping[str, Spelled]) -> dict[str, Any]:
    listed = verbs.get("list")
    input_members = dict(listed.model.input_shape.members) if listed and listed.model.input_shape else {}
    rows, columns = _rows(listed)
    sorts = list(input_members["SortBy"].metadata.get("enum", ())) if "SortBy" in input_members else []
    return {
        "noun": resource.noun,
        "title": _title(resource.noun),
        "verbs": {verb: each.model.name for verb, each in verbs.items()},
        "names": list(resource.names),
        "arn": resource.arn_member,
        "status": resource.status,
        "rows": rows,
        "columns": columns,
        "filters": [name for name in input_members if name not in _NOT_FILTERS],
        "sorts": sorts,
        "later": resource.later,
    }


def _rows(listed: Spelled | None) -> tuple[str, list[str]]:
    """The member of List's answer that holds the rows, and their members."""
    if listed is None:
        return "", []
    for name, shape in listed.model.output_shape.members.items():
        if shape.type_name == "list":
            return name, list(shape.member.members) if shape.member.type_name == "structure" else []
    return "", []


def _title(noun: str) -> str:
    """A noun as people say it, for several: ``Training jobs``."""
    text = kebab(noun).replace("-", " ")
    text = re.sub(r"\b(ai|ml|ui|mlflow)\b", lambda found: {"mlflow": "MLflow"}.get(found[0], found[0].upper()), text)
    if text.endswith("y") and text[-2] not in "aeiou":
        text = f"{text[:-1]}ies"
    elif not text.endswith("s"):
        text = f"{text}s"
    return text[0].upper() + text[1:]


@lru_cache(maxsize=256)
def operation(service: str, name: str) -> dict[str, Any]:
    """The documentation and the shapes of an operation. Raises ``UnknownOperationException``."""
    known = service_named(service)
    if not known.has_operation(name):
        raise UnknownOperationException(f"{service} has no operation {name}.")
    model = known.operation(name)
    return {
        "documentation": model.documentation,
        "input": _shape(model.input_shape, ()) if model.input_shape is not None else None,
        "output": _shape(model.output_shape, ()) if model.output_shape is not None else None,
    }


def _shape(shape: Shape, above: tuple[str, ...]) -> dict[str, Any]:
    told: dict[str, Any] = {"type": shape.type_name, "name": shape.name}
    if shape.documentation:
        told["documentation"] = shape.documentation
    told |= {name: shape.metadata[name] for name in _CONSTRAINTS if name in shape.metadata}
    if shape.name in above or len(above) >= DEEPEST:
        return told
    inner = (*above, shape.name)
    if shape.type_name == "structure":
        told["required"] = list(shape.required_members)
        told["members"] = {name: _shape(member, inner) for name, member in shape.members.items()}
    elif shape.type_name == "list":
        told["member"] = _shape(shape.member, inner)
    elif shape.type_name == "map":
        told["key"], told["value"] = _shape(shape.key, inner), _shape(shape.value, inner)
    return told
