"""Every noun of the service model, in values made from its shapes: those that are kept from Create to Delete, those
that come later as what they are, and no operation left untried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from noun_facts import ONE_PER_REGION, OWN_TESTS, TAKEN_OBSERVED
from noun_trial import MODEL, NOT_YET, NOUNS, ORDINARY, Made, Trial, documentation, is_kept, operations_of

from clary.resources.grammar import Spelled
from clary.resources.tagging import tag_operations
from clary.services.sagemaker.service import IRREGULAR
from clary.testing.server import Server

KEPT = sorted(noun for noun in NOUNS if is_kept(noun))
VERSIONS = {each.versions.noun for each in NOUNS.values() if each.versions is not None}
"""States of other nouns, of which each begins with one."""
REFUSED = sorted({*MODEL.operation_names} - {*ORDINARY, *IRREGULAR, *tag_operations(MODEL)})
"""Operations that say that they come later."""


@pytest.mark.parametrize("noun", KEPT)
def test_a_kept_noun_from_create_to_delete(clary_aws: Server, noun: str) -> None:
    trial = Trial(clary_aws, noun)
    names = ("bravo",) if noun in ONE_PER_REGION else ("bravo", "charlie", "alpha")
    made = [trial.create(name, whole=not place, salt=2 * place) for place, name in enumerate(names)]
    for one in made:
        shown = trial.describe(one)
        assert trial.differences(one.request, shown) == []
    check_taken(trial, made[0])
    check_tags(trial, made[0])
    for each in operations_of(noun, "list"):
        if each.model.name not in IRREGULAR:
            check_list(trial, each, made)
    for each in operations_of(noun, "update"):
        check_update(trial, each, made[-1])
    for one in made:
        for each in operations_of(noun, "delete"):
            trial.call(each.model, trial.naming(each.model, one))
            gone = trial.refusal(each.model, trial.naming(each.model, one))
            assert gone["Code"] in trial.not_found(each.model)
    check_absence(trial)
    assert trial.called == {each.model.name for each in operations_of(noun)}


@pytest.mark.parametrize("noun", sorted(set(NOUNS) - set(KEPT)))
def test_a_noun_of_which_there_is_none(clary_aws: Server, noun: str) -> None:
    trial = Trial(clary_aws, noun)
    for each in operations_of(noun, "create"):
        if NOUNS[noun].later:
            for whole in (False, True):
                refused = trial.refusal(each.model, trial.request(each.model, whole=whole))
                assert refused["Code"] == "UnknownOperationException"
                assert refused["Message"] == f"{NOUNS[noun].later} are {NOT_YET} yet."
    check_absence(trial)
    left = {each.model.name for each in operations_of(noun)} - trial.called
    assert left <= OWN_TESTS.keys()


def check_absence(trial: Trial) -> None:
    """There is nothing to describe, change or list."""
    for each in operations_of(trial.resource.noun):
        if each.verb == "list":
            answered = attempt(trial, each)
            if answered == "ResourceNotFound" and each.model.input_shape.required_members:
                assert answered in errors(each.model)
            else:
                assert len(answered) == (trial.resource.noun in VERSIONS), answered
        elif each.verb != "create":
            refused = trial.refusal(each.model, trial.unknown(each.model))
            assert refused["Code"] in trial.not_found(each.model), refused
            assert NOT_YET not in refused["Message"]


def attempt(trial: Trial, each: Spelled, **arguments: Any) -> Any:
    """The rows of a List, or the code of its error."""
    try:
        return trial.rows(each, **arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]


def errors(operation: Any) -> set[str]:
    return {shape.name for shape in operation.error_shapes}


def check_taken(trial: Trial, made: Made) -> None:
    if trial.resource.generated is not None:
        return
    for each in operations_of(trial.resource.noun, "create"):
        refused = trial.refusal(each.model, made.request)
        documented = {"ResourceInUse", "ResourceAlreadyExists", "ConflictException"} & errors(each.model)
        if trial.resource.noun in TAKEN_OBSERVED:
            documented = set()
        assert refused["Code"] in (documented or {"ValidationException"}), refused


def check_tags(trial: Trial, made: Made) -> None:
    if "Tags" not in made.request:
        return
    client = trial.client
    given = {tag["Key"]: tag["Value"] for tag in made.request["Tags"]}

    def listed() -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in client.list_tags(ResourceArn=made.arn)["Tags"]}

    assert listed() == given
    client.add_tags(ResourceArn=made.arn, Tags=[{"Key": "team", "Value": "a"}])
    client.delete_tags(ResourceArn=made.arn, TagKeys=list(given))
    assert listed() == {"team": "a"}


def check_update(trial: Trial, each: Spelled, made: Made) -> None:
    named = trial.naming(each.model, made)
    wanted = trial.request(each.model, whole=True, salt=1)
    changes = {name: value for name, value in wanted.items() if not name.endswith("ToRemove")}
    changes |= {name: named[name] for name in named if name in (*made.keys, trial.resource.arn_member)}
    trial.call(each.model, changes)
    assert trial.differences(changes, trial.describe(made)) == []
    for removing in wanted.keys() - changes.keys():
        keys = list(changes[removing.removesuffix("ToRemove")])
        trial.call(each.model, {**named, removing: keys})
        assert not trial.describe(made).get(removing.removesuffix("ToRemove"))


# List


def check_list(trial: Trial, each: Spelled, made: list[Made]) -> None:
    members = each.model.input_shape.members
    rows = trial.rows(each)
    order = identified(rows, made)
    assert sorted(order) == sorted(one.name for one in made)
    default = sorted(one.name for one in made) if trial.resource.sort_by == "@name" else [one.name for one in made]
    if documented_order(each):
        assert order == (default[::-1] if trial.resource.descending else default)
    if "MaxResults" in members:
        assert identified(trial.rows(each, MaxResults=1), made) == order
    for key in members["SortBy"].enum if "SortBy" in members else ():
        for direction in members["SortOrder"].enum:
            sorted_rows = identified(trial.rows(each, SortBy=key, SortOrder=direction), made)
            wanted = in_order(trial, made, key, direction)
            assert sorted_rows == wanted if wanted else sorted(sorted_rows) == sorted(order), (key, direction)
    shown = {one.name: trial.describe(one) for one in made}
    for name, row in zip(order, rows, strict=True):
        shown[name] |= row if isinstance(row, dict) else {}
    for name, shape in members.items():
        check_filter(trial, each, name, shape, made, shown)


def identified(rows: Iterable[Any], made: list[Made]) -> list[str]:
    """Which of the resources the rows show, by name."""
    found = []
    for row in rows:
        values = {value for value in row.values() if isinstance(value, str)} if isinstance(row, dict) else {row}
        found.append(next((one.name for one in made if one.arn in values or one.name in values), str(row)))
    return found


def in_order(trial: Trial, made: list[Made], key: str, direction: str) -> list[str]:
    """The names of resources sorted by a key of List, or nothing if it cannot be told what they are sorted by."""
    plain = key.replace("_", "").lower()
    names = [one.name for one in made]
    if plain in ("name", trial.resource.name_member.lower()) and trial.resource.generated is None:
        names.sort()
    elif not re.fullmatch(r"creat(ion|ed)?(time|at|date)|(last)?modified(time|at)", plain):
        return []
    return names if direction.lower() == "ascending" else names[::-1]


def documented_order(each: Spelled) -> tuple[str, bool] | None:
    """What List sorts by unless it is asked for an order, and whether it descends, where AWS documents that."""
    said = documentation(each.model, "SortOrder")
    direction = re.search(r"(?i)default.{0,40}?(ascending|descending)", said)
    if direction is None:
        return None
    key = re.search(r"(?i)default (?:value )?is\s+(\w+)", documentation(each.model, "SortBy"))
    by_name = key is not None and key[1].lower() == "name"
    return "@name" if by_name else "@created", direction[1].lower() == "descending"


def documented_page(each: Spelled) -> int | None:
    """How many rows a page has unless the request says, where AWS documents that."""
    found = re.search(r"(?i)default\D{0,20}(\d+)|(\d+) by default", documentation(each.model, "MaxResults"))
    return int(found[1] or found[2]) if found else None


@pytest.mark.parametrize("operation", sorted(name for name, each in ORDINARY.items() if each.verb == "list"))
def test_the_defaults_of_list_are_those_of_aws(operation: str) -> None:
    each = ORDINARY[operation]
    if (order := documented_order(each)) is not None:
        assert (each.resource.sort_by, each.resource.descending) == order
    if (size := documented_page(each)) is not None:
        assert (each.resource.page or each.resource.dialect.page) == size


SKIPPED = {"NextToken", "MaxResults", "SortBy", "SortOrder"}
HOUR = timedelta(hours=1)


def check_filter(
    trial: Trial, each: Spelled, name: str, shape: Any, made: list[Made], shown: Mapping[str, Mapping[str, Any]]
) -> None:
    if name in SKIPPED or name in each.model.input_shape.required_members:
        return
    everyone = sorted(one.name for one in made)

    def found(value: Any) -> list[str]:
        rows = attempt(trial, each, **{name: value})
        missing = rows == "ResourceNotFound" and rows in errors(each.model)
        return [] if missing else sorted(identified(rows, made))

    if shape.type_name == "timestamp":
        now = datetime.now(UTC)
        kept, dropped = (now - HOUR, now + HOUR) if name.endswith("After") else (now + HOUR, now - HOUR)
        assert found(dropped) == []
        if re.match("Creat|LastModified|Modified", name):
            assert found(kept) == everyone
    elif name == "NameContains" and trial.resource.generated is None:
        assert found("rav") == ["bravo"]
        assert found("zulu") == []
    elif shape.type_name == "string":
        base = re.sub("(Equals|Contains|Prefix)$", "", name)
        values = {one: value_of(trial, base, shown[one]) for one in everyone}
        for value in {*shape.enum[:2], *filter(None, values.values())} or {trial.maker().value(shape)}:
            expected = [one for one in everyone if values[one] == value]
            assert found(value) == expected, (name, value)
    else:
        found(trial.maker().value(shape))


def value_of(trial: Trial, base: str, shown: Mapping[str, Any]) -> str | None:
    """What a resource shows of the member that a filter is about."""
    resource = trial.resource
    short = (resource.status or "") if base == "Status" else base.removeprefix(resource.noun)
    for member in (base, short, f"{resource.noun}{base}"):
        for value in within(shown, member):
            return value
    return None


def within(shown: Mapping[str, Any], member: str) -> Iterable[str]:
    """The texts called ``member``, the outermost first."""
    if isinstance(value := shown.get(member), str):
        yield value
    for inner in shown.values():
        if isinstance(inner, dict):
            yield from within(inner, member)


# Operations


@pytest.mark.parametrize("operation", REFUSED)
def test_an_operation_that_comes_later_says_so(clary_aws: Server, operation: str) -> None:
    model = MODEL.operation_model(operation)
    trial = Trial(clary_aws, next(iter(NOUNS)))
    refused = trial.refusal(model, trial.request(model) if model.input_shape is not None else {})
    if NOT_YET in refused["Message"]:
        assert refused["Message"] == f"The operation {operation} is not available in Clary yet."
    else:
        # It looked for what it was given first.
        assert refused["Code"] in ("ResourceNotFound", "ValidationException")


def test_no_operation_is_left_untried() -> None:
    tags = set(tag_operations(MODEL))
    assert set(OWN_TESTS) <= set(MODEL.operation_names)
    assert {*ORDINARY, *tags, *REFUSED, *OWN_TESTS} == set(MODEL.operation_names)
    assert {name for name, each in ORDINARY.items() if each.verb == "list" and name in IRREGULAR} <= OWN_TESTS.keys()
    for operation, file in OWN_TESTS.items():
        source = (Path(__file__).parents[2] / file).read_text()
        assert f".{xform_name(operation)}(" in source, f"{file} does not try {operation}"
