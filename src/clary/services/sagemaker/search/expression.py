"""The expression of a search, checked against its limits, as one condition.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SearchExpression.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary.core.errors import ValidationException
from clary.services.sagemaker.search.conditions import condition
from clary.services.sagemaker.search.properties import Property, find_property, find_within, reach
from clary.services.sagemaker.search.subjects import Subject
from clary.state.search.clauses import All, AnyOf, Clause, Some

MOST_ELEMENTS = 20
"""How many filters, nested filters and expressions an expression may have."""
MOST_IN_ALL = 50
"""The same, with those of all expressions within it."""
_LISTS = ("Filters", "NestedFilters", "SubExpressions")
_OFTEN_CONTAINED = {
    "Experiment": {"DisplayName", "ExperimentName", "Tags"},
    "Trial": {"DisplayName", "TrialName", "Tags"},
    "TrialComponent": {"DisplayName", "TrialComponentName", "Tags", "InputArtifacts", "OutputArtifacts"},
}
"""The properties that a search may ask about with several ``Contains``; of the others it has one in all."""

Expression = Mapping[str, Any]


def expressed(subject: Subject, expression: Expression) -> Clause:
    """What an expression asks of a resource of this type.

    Raises ``ValidationException`` for an empty or too large expression, unknown properties, and filters that do not fit
    their property.
    """
    _check_size(expression)
    return _Reader(subject).read(expression)


def visible(subject: Subject, conditions: Iterable[Mapping[str, str]]) -> Clause:
    """What ``VisibilityConditions`` ask of a resource: that it has each tag with that value or not at all.

    Raises ``ValidationException`` for a key that is not a tag's.
    """
    clauses: list[Clause] = []
    for each in conditions:
        name = each.get("Key", "")
        if not name.startswith("Tags.") or name == "Tags.":
            raise ValidationException("The key of a visibility condition must have the format Tags.<key>.")
        if "Tags" in subject.shape.members:
            tag = find_property(subject, name)
            same = condition(tag, "Equals", each.get("Value", ""))
            clauses.append(AnyOf((condition(tag, "NotExists", None), same)))
    return All(tuple(clauses))


def _check_size(expression: Expression) -> None:
    count, waiting = 0, [expression]
    while waiting:
        each = waiting.pop()
        size = sum(len(each.get(member, ())) for member in _LISTS)
        if not size:
            raise ValidationException(
                "A search expression requires at least one filter, nested filter or subexpression."
            )
        if size > MOST_ELEMENTS:
            raise ValidationException(f"A search expression can contain up to {MOST_ELEMENTS} elements, not {size}.")
        count += size + sum(len(nested["Filters"]) for nested in each.get("NestedFilters", ()))
        if count > MOST_IN_ALL:
            raise ValidationException(
                f"The maximum number of SubExpressions, NestedFilters and Filters in a search is {MOST_IN_ALL}."
            )
        waiting.extend(each.get("SubExpressions", ()))


class _Reader:
    """Reads the expressions of one search."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._contains = 0

    def read(self, expression: Expression) -> Clause:
        parts: list[Clause] = [
            *(self._filter(find_property(self._subject, each["Name"]), each) for each in expression.get("Filters", ())),
            *(self._nested(each) for each in expression.get("NestedFilters", ())),
            *(self.read(each) for each in expression.get("SubExpressions", ())),
        ]
        return AnyOf(tuple(parts)) if expression.get("Operator") == "Or" else All(tuple(parts))

    def _filter(self, property_: Property, given: Mapping[str, str], within: Property | None = None) -> Clause:
        value = given.get("Value")
        operator = given.get("Operator", "Exists" if value is None else "Equals")
        if operator == "Contains":
            self._count_contains((within or property_).steps[0])
        return condition(property_, operator, value)

    def _nested(self, nested: Mapping[str, Any]) -> Clause:
        name = nested["NestedPropertyName"]
        list_ = find_property(self._subject, name)
        if list_.shape.type_name != "list" or list_.shape.member.type_name != "structure":
            raise ValidationException(f"The nested property {name} is not a list of objects.")
        filters = ((find_within(list_, each["Name"]), each) for each in nested["Filters"])
        part = All(tuple(self._filter(property_, each, list_) for property_, each in filters))
        return reach(list_.steps, lambda path: Some(path, part))

    def _count_contains(self, member: object) -> None:
        if member in _OFTEN_CONTAINED.get(self._subject.member, ()):
            return
        self._contains += 1
        if self._contains > 1:
            raise ValidationException("'CONTAINS' operator usage limit of 1 exceeded.")
