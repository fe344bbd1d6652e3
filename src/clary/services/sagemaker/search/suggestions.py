"""``GetSearchSuggestions``: the properties that a search could name, completed from what has been typed.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_GetSearchSuggestions.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from clary.resources.context import Context
from clary.services.sagemaker.search.placing import list_place
from clary.services.sagemaker.search.properties import METRICS, key_member
from clary.services.sagemaker.search.subjects import Subject
from clary.state.search.clauses import Path, Search

if TYPE_CHECKING:
    from botocore.model import Shape

MOST_NAMES = 100
"""How many names of one map or list are suggested."""


class _Names(NamedTuple):
    """Where the names are that complete a property: the keys of a map, or a member of a list's elements."""

    start: str
    """The property up to the name: ``HyperParameters.``."""
    path: Path
    then: str
    """The member of a list's elements that is the name; empty for a map."""
    endings: tuple[str, ...]
    """What may follow the name; an empty text for the name alone."""


def suggestions(subject: Subject, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The properties of a type that start with the hint, with the names that resources of the type have in them."""
    hint = params.get("SuggestionQuery", {}).get("PropertyNameQuery", {}).get("PropertyNameHint", "")
    found = []
    resource = subject.resource
    search = Search(context.account, context.region, resource.service, resource.noun)
    with context.platform.database.read() as transaction:
        for each in _properties(subject):
            if isinstance(each, str):
                found.append(each)
            elif (place := list_place(each.path, subject)) is not None and _meets(each.start, hint):
                typed = hint[len(each.start) :]
                if len(each.endings) > 1:
                    typed = typed.split(".")[0]  # what comes after that may be an ending
                names = transaction.names_in(search, place, (each.then,) if each.then else None, typed, MOST_NAMES)
                found += [f"{each.start}{name}{ending}" for name in names for ending in each.endings]
    fitting = sorted(name for name in set(found) if name.lower().startswith(hint.lower()))
    return {"PropertyNameSuggestions": [{"PropertyName": name} for name in fitting]}


def _meets(start: str, hint: str) -> bool:
    """Whether what begins with ``start`` can begin with ``hint``."""
    both = min(len(start), len(hint))
    return start[:both].lower() == hint[:both].lower()


@lru_cache(maxsize=64)
def _properties(subject: Subject) -> tuple[str | _Names, ...]:
    """The properties of a type: their names, or where to find the names that complete them."""
    return tuple(_within(subject.shape, (), in_list=False))


def _within(shape: Shape, path: Path, *, in_list: bool) -> Iterator[str | _Names]:
    name = ".".join(path)
    if shape.type_name == "structure":
        for member, inner in shape.members.items():
            yield from _within(inner, (*path, member), in_list=in_list)
    elif shape.type_name == "list":
        element = shape.member
        if element.type_name == "structure" and (key := key_member(element)) and not in_list:
            called = "Metrics" if path == (METRICS,) else name
            endings = ("",) if "Value" in element.members else ("", *(f".{m}" for m in element.members if m != key))
            yield _Names(f"{called}.", path, key, endings)
        if path != ("Tags",):
            yield from _within(element, path, in_list=True)
    elif shape.type_name == "map":
        inner = shape.value
        endings = ("", *(f".{member}" for member in inner.members)) if inner.type_name == "structure" else ("",)
        if not in_list:
            yield _Names(f"{name}.", path, "", endings)
    else:
        yield name
