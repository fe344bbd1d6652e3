"""The properties that a search may name: ``TrainingJobName``, ``HyperParameters.depth``, ``Tags.team``.

They are the members of the shape through which Search shows a resource, joined by dots. In a map a part of the name is
a key; in a list of names and values it is a name. Capital and small letters differ only where members do.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Filter.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from clary.core.errors import ValidationException
from clary.services.sagemaker.search.subjects import Subject
from clary.state.search.clauses import All, Clause, First, OneOf, Path, Some

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

Kind = Literal["text", "number", "numeral", "time", "flag"]
"""What can be done with a value; a ``numeral`` is a text that may spell a number, as hyperparameters do."""
_KINDS: dict[str, Kind] = {
    "string": "text",
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "timestamp": "time",
    "boolean": "flag",
}
METRICS = "FinalMetricDataList"
"""Where training jobs have what searches call ``Metrics``."""
_STATISTIC = "Last"
"""Which statistic of a trial component's metric is meant by the metric's name alone."""


class Element(NamedTuple):
    """A step into a list: to every element, or to those that have ``name`` as their ``member``."""

    member: str = ""
    name: str = ""


Steps = tuple[str | Element, ...]


class Leaf(NamedTuple):
    """Where a value stands in what Search shows, and its kind."""

    steps: Steps
    kind: Kind


@dataclass(frozen=True)
class Property:
    """What a name in a search means: one value or, in a map of several types, one of several; or a list or a map."""

    name: str
    steps: Steps
    shape: Shape
    leaves: tuple[Leaf, ...] = ()


def find_property(subject: Subject, name: str) -> Property:
    """The property that a search calls ``name``; raises ``ValidationException`` if there is none."""
    parts = name.split(".")
    shape = subject.shape
    if _member(shape, parts[0]) is None:
        if parts[0] == "Metrics" and METRICS in shape.members:
            parts[0] = METRICS
        elif parts[0] == subject.member and len(parts) > 1:
            parts = parts[1:]
        elif (own := _member(shape, subject.resource.noun)) is not None:
            # Of a model on the dashboard most is said of the model itself.
            parts = [own, *parts]
    return _walk(name, shape, parts, ())


def find_within(list_: Property, name: str) -> Property:
    """The property of the elements of a list that a nested filter calls ``name``, with the name of the list before it.

    Raises ``ValidationException`` if there is none.
    """
    prefix = f"{list_.name}."
    if not name.startswith(prefix):
        raise ValidationException(f"The property {name} of a nested filter is not one of {list_.name}.")
    return _walk(name, list_.shape.member, name.removeprefix(prefix).split("."), ())


def _walk(name: str, shape: Shape, parts: list[str], steps: Steps) -> Property:
    if shape.type_name == "list":
        return _in_list(name, shape, parts, steps)
    if shape.type_name == "map":
        return _in_map(name, shape, parts, steps)
    if shape.type_name != "structure":
        if parts:
            raise _unknown(name)
        return Property(name, steps, shape, (Leaf(steps, _KINDS.get(shape.type_name, "text")),))
    if not parts:
        return Property(name, steps, shape)
    member = _member(shape, parts[0])
    if member is None:
        raise _unknown(name)
    return _walk(name, shape.members[member], parts[1:], (*steps, member))


def _in_list(name: str, shape: Shape, parts: list[str], steps: Steps) -> Property:
    element = shape.member
    if not parts:
        if element.type_name in _KINDS:
            return Property(name, steps, shape, (Leaf((*steps, Element()), _KINDS[element.type_name]),))
        return Property(name, steps, shape)
    key = key_member(element) if element.type_name == "structure" else ""
    if key and (element.name == "Tag" or _member(element, parts[0]) is None):
        member, rest = _value_member(element, parts)
        found = Element(key, ".".join(rest))
        return _walk(name, element.members[member], [], (*steps, found, member))
    return _walk(name, element, parts, (*steps, Element()))


def key_member(element: StructureShape) -> str:
    """The member that names the elements of a list of names and values; empty for other lists."""
    members = element.members
    if "Value" in members:
        return next((name for name in ("Key", "Name", "MetricName") if name in members), "")
    return "MetricName" if "MetricName" in members and _STATISTIC in members else ""


def _value_member(element: StructureShape, parts: list[str]) -> tuple[str, list[str]]:
    """The member meant by a name within a list of names and values, and the parts that are the name."""
    if "Value" in element.members:
        return "Value", parts
    statistic = _member(element, parts[-1]) if len(parts) > 1 else None
    return (statistic, parts[:-1]) if statistic is not None else (_STATISTIC, parts)


def _in_map(name: str, shape: Shape, parts: list[str], steps: Steps) -> Property:
    if not parts:
        return Property(name, steps, shape)
    value = shape.value
    if value.type_name != "structure":
        at = (*steps, ".".join(parts))
        kind: Kind = "numeral" if shape.name.endswith("HyperParameters") else _KINDS.get(value.type_name, "text")
        return Property(name, at, value, (Leaf(at, kind),))
    member = _member(value, parts[-1]) if len(parts) > 1 else None
    if member is not None:
        return _walk(name, value.members[member], [], (*steps, ".".join(parts[:-1]), member))
    at = (*steps, ".".join(parts))
    scalars = {each: _KINDS[inner.type_name] for each, inner in value.members.items() if inner.type_name in _KINDS}
    if "Value" in scalars:
        scalars = {"Value": scalars["Value"]}
    leaves = [Leaf((*at, each), kind) for each, kind in scalars.items()]
    # Numbers come before texts in any order.
    return Property(name, at, value, tuple(sorted(leaves, key=lambda leaf: leaf.kind)))


def _member(shape: StructureShape, name: str) -> str | None:
    """The member called ``name``. The SDK's own examples sort by ``metrics.loss.max``."""
    if name in shape.members:
        return name
    return next((member for member in shape.members if member.lower() == name.lower()), None)


def _unknown(name: str) -> ValidationException:
    return ValidationException(f"Unknown property name: {name}")


def reach(steps: Steps, condition: Callable[[Path], Clause]) -> Clause:
    """That ``condition`` holds for what stands at the end of ``steps``, in some element of each list on the way."""
    for number, step in enumerate(steps):
        if isinstance(step, Element):
            part = reach(steps[number + 1 :], condition)
            if step.member:
                part = All((OneOf((step.member,), (step.name,)), part))
            return Some(_path(steps[:number]), part)
    return condition(_path(steps))


def first(steps: Steps) -> Path | First | None:
    """Where the value stands that an order compares; ``None`` for lists within lists."""
    number = next((number for number, step in enumerate(steps) if isinstance(step, Element)), None)
    if number is None:
        return _path(steps)
    step, then = steps[number], steps[number + 1 :]
    assert isinstance(step, Element)
    if any(isinstance(each, Element) for each in then):
        return None
    part: Clause = OneOf((step.member,), (step.name,)) if step.member else All()
    return First(_path(steps[:number]), part, _path(then))


def values(thing: Any, steps: Steps) -> Iterator[Any]:
    """What stands at the end of ``steps``, seen from ``thing``, in every element of the lists on the way."""
    for number, step in enumerate(steps):
        if thing is None:
            return
        if isinstance(step, Element):
            for element in thing:
                if not step.member or element.get(step.member) == step.name:
                    yield from values(element, steps[number + 1 :])
            return
        thing = thing.get(step)
    if thing is not None:
        yield thing


def _path(steps: Steps) -> Path:
    return tuple(step for step in steps if isinstance(step, str))
