"""A noun that is in no model of AWS's, declared as ``docs/architecture.md`` tells: every ordinary operation follows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.model import ServiceModel

from clary.core.errors import NotAvailableYet, ResourceInUse, ServiceError, ValidationException
from clary.core.settings import load
from clary.resources.context import Context, Platform
from clary.resources.grammar import operations
from clary.resources.resource import Resource
from clary.resources.tagging import tag_operations
from clary.resources.undeclared import undeclared
from clary.services.iam.principals import root_principal
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.database import Database

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
TEXT, NUMBER, TIME = {"shape": "Text"}, {"shape": "Number"}, {"shape": "Time"}


def structure(*required: str, **members: dict[str, str]) -> dict[str, Any]:
    return {"type": "structure", "required": list(required), "members": members}


PAGING = {"NextToken": TEXT, "MaxResults": NUMBER, "SortBy": TEXT, "SortOrder": TEXT}
SHOWN = {"ToyName": TEXT, "ToyArn": TEXT, "ToyStatus": TEXT, "CreationTime": TIME, "LastModifiedTime": TIME}
SHAPES: dict[str, Any] = {
    "Text": {"type": "string"},
    "Number": {"type": "integer"},
    "Time": {"type": "timestamp"},
    "Paint": structure(Color=TEXT),
    "Tag": structure("Key", "Value", Key=TEXT, Value=TEXT),
    "Tags": {"type": "list", "member": {"shape": "Tag"}},
    "Keys": {"type": "list", "member": TEXT},
    "Nothing": structure(),
    "Named": structure("ToyName", ToyName=TEXT),
    "Made": structure("ToyArn", ToyArn=TEXT),
    "Create": structure("ToyName", ToyName=TEXT, Maker=TEXT, Paint={"shape": "Paint"}, Tags={"shape": "Tags"}),
    "Update": structure("ToyName", ToyName=TEXT, Maker=TEXT, Paint={"shape": "Paint"}),
    "Shown": structure(**SHOWN, Maker=TEXT, Paint={"shape": "Paint"}),
    "Asked": structure(**PAGING, NameContains=TEXT, Color=TEXT, CreationTimeAfter=TIME, StatusEquals=TEXT),
    "Row": structure(**SHOWN),
    "Rows": {"type": "list", "member": {"shape": "Row"}},
    "Found": structure(ToySummaries={"shape": "Rows"}, NextToken=TEXT),
    "Tagged": structure("ResourceArn", ResourceArn=TEXT, Tags={"shape": "Tags"}),
    "Untagged": structure("ResourceArn", ResourceArn=TEXT, TagKeys={"shape": "Keys"}),
    "TagsShown": structure(Tags={"shape": "Tags"}),
}
OPERATIONS = {
    "CreateToy": ("Create", "Made"),
    "DescribeToy": ("Named", "Shown"),
    "ListToys": ("Asked", "Found"),
    "UpdateToy": ("Update", "Made"),
    "DeleteToy": ("Named", "Nothing"),
    "AddTags": ("Tagged", "TagsShown"),
    "ListTags": ("Tagged", "TagsShown"),
    "DeleteTags": ("Untagged", "Nothing"),
}
MODEL = ServiceModel(
    {
        "metadata": {"serviceId": "SageMaker", "protocol": "json"},
        "operations": {
            name: {"name": name, "input": {"shape": given}, "output": {"shape": answered}}
            for name, (given, answered) in OPERATIONS.items()
        },
        "shapes": SHAPES,
    },
    "sagemaker",
)


def declared_in_the_documentation() -> Resource:
    [block] = [text for text in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL) if "toys = " in text]
    assert len(block[block.index("toys = ") :].splitlines()) < 15
    names: dict[str, Any] = {}
    exec(block, names)
    toys = names["toys"]
    assert isinstance(toys, Resource)
    return toys


Call = Callable[..., dict[str, Any]]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.prepare()
    times = iter(range(1, 1000))
    nothing: Any = None
    platform = Platform(
        settings=load(tmp_path, environ={}),
        database=database,
        identity=nothing,
        placement=nothing,
        images=nothing,
        programs=nothing,
        functions=nothing,
        wake=lambda row: None,
        clock=lambda: float(next(times)),
    )
    yield Context(root_principal("123456789012"), "123456789012", "eu-central-1", "request", platform)
    database.close()


@pytest.fixture
def call(context: Context) -> Call:
    handlers = {**operations([declared_in_the_documentation()], MODEL), **tag_operations(MODEL)}
    return lambda operation, **params: handlers[operation](context, params)


def test_a_toy_from_create_to_delete(call: Call) -> None:
    arn = "arn:aws:sagemaker:eu-central-1:123456789012:toy/kite"
    tags = [{"Key": "shelf", "Value": "top"}]
    assert call("CreateToy", ToyName="kite", Maker="Ada", Paint={"Color": "red"}, Tags=tags) == {"ToyArn": arn}
    with pytest.raises(ResourceInUse):
        call("CreateToy", ToyName="kite")

    shown = call("DescribeToy", ToyName="kite")
    assert (shown["Maker"], shown["ToyStatus"], shown["ToyArn"]) == ("Ada", "Ready", arn)
    assert call("ListTags", ResourceArn=arn) == {"Tags": tags}

    assert call("UpdateToy", ToyName="kite", Maker="Grace") == {"ToyArn": arn}
    changed = call("DescribeToy", ToyName="kite")
    assert (changed["Maker"], changed["Paint"]) == ("Grace", {"Color": "red"})
    assert changed["LastModifiedTime"] > shown["LastModifiedTime"]

    assert call("DeleteToy", ToyName="kite") == {}
    with pytest.raises(ValidationException, match=f'Could not find toy "{arn}"'):
        call("DescribeToy", ToyName="kite")
    with pytest.raises(ServiceError):
        call("ListTags", ResourceArn=arn)


def test_toys_are_filtered_sorted_and_paged(call: Call) -> None:
    for number in range(7):
        call("CreateToy", ToyName=f"toy-{number}", Paint={"Color": "red" if number % 2 else "blue"})

    def names(**asked: Any) -> list[str]:
        return [row["ToyName"] for row in call("ListToys", **asked)["ToySummaries"]]

    newest_first = [f"toy-{number}" for number in reversed(range(7))]
    assert names() == newest_first
    assert names(SortBy="Name", SortOrder="Ascending") == newest_first[::-1]
    assert names(Color="red") == ["toy-5", "toy-3", "toy-1"]
    assert names(NameContains="-4", StatusEquals="Ready") == ["toy-4"]
    assert names(StatusEquals="Broken") == []
    first = call("ListToys", MaxResults=4)
    assert names(MaxResults=4, NextToken=first["NextToken"]) == newest_first[4:]


def test_a_noun_that_nobody_declared_is_listed_and_described_and_comes_later(context: Context) -> None:
    handlers = operations(undeclared(SAGEMAKER, [], [], MODEL), MODEL)
    assert handlers["ListToys"](context, {}) == {"ToySummaries": []}
    with pytest.raises(ServiceError, match="Toy 'kite' does not exist"):
        handlers["DescribeToy"](context, {"ToyName": "kite"})
    with pytest.raises(NotAvailableYet, match="not available in Clary yet"):
        handlers["CreateToy"](context, {"ToyName": "kite"})
