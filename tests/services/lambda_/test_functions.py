"""Functions by their handlers: what is kept and shown of them, and what is refused."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from clary.core.errors import ValidationException
from clary.resources.context import Platform
from clary.services.iam.service import SERVICE as IAM
from clary.services.lambda_.code import LARGEST_CODE, volume_of
from clary.services.lambda_.errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from clary.services.lambda_.names import find, named
from clary.services.lambda_.service import policy_of, resource_of

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
Pack = Callable[..., bytes]


def record(lab: Any) -> Any:
    with lab.platform.database.read() as transaction:
        return find(lab.context(), transaction, {"FunctionName": "f"})


def test_a_function_is_shown_as_aws_shows_it(lab: Any) -> None:
    made = lab.create(Description="d", Environment={"Variables": {"A": "b"}}, Tags={"team": "x"})
    assert made["FunctionArn"] == ARN and made["Version"] == "$LATEST" and made["PackageType"] == "Zip"
    assert (made["Timeout"], made["MemorySize"], made["EphemeralStorage"]) == (3, 128, {"Size": 512})
    assert made["Environment"] == {"Variables": {"A": "b"}}
    assert made["LastModified"].endswith("+0000") and made["State"] in ("Pending", "Active")
    assert made["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}
    shown = lab.call("GetFunction")
    assert shown["Configuration"]["CodeSha256"] == made["CodeSha256"] and shown["Tags"] == {"team": "x"}
    assert lab.call("ListFunctions")["Functions"][0]["FunctionName"] == "f"
    assert lab.call("ListVersionsByFunction")["Versions"][0]["Version"] == "$LATEST"
    assert not any(name.startswith("_") for name in shown["Configuration"])


def test_variables_are_not_readable_in_the_database(lab: Any) -> None:
    lab.create(Environment={"Variables": {"PASSWORD": "hunter2"}})
    assert "hunter2" not in json.dumps(record(lab).document)
    lab.call("UpdateFunctionConfiguration", Environment={"Variables": {}})
    assert "Environment" not in lab.call("GetFunctionConfiguration")


def test_a_name_is_taken_once(lab: Any, pack: Pack) -> None:
    lab.create()
    with pytest.raises(ResourceConflictException, match="Function already exist: f"):
        lab.create(Code={"ZipFile": pack(other="x = 1")})
    lab.call("DeleteFunction")
    assert lab.create()["FunctionArn"] == ARN


def test_code_is_a_volume_that_goes_with_its_function(lab: Any, pack: Pack) -> None:
    lab.create()
    first = volume_of(record(lab))
    assert lab.platform.placement.volumes() == [first]
    lab.call("UpdateFunctionCode", ZipFile=pack(app="x = 2"))
    second = volume_of(record(lab))
    assert set(lab.platform.placement.volumes()) == {first, second} and first != second
    files = lab.installation.settings.home / "volumes" / second
    assert (files / "app.py").read_text() == "x = 2" and stat.S_IMODE((files / "app.py").stat().st_mode) == 0o444
    lab.call("UpdateFunctionCode", ZipFile=pack(app="x = 3"))
    assert set(lab.platform.placement.volumes()) == {second, volume_of(record(lab))}
    lab.call("DeleteFunction")
    assert lab.platform.placement.volumes() == []


def odd_archive(name: str, mode: int = 0o644) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, "/etc/passwd")
    return made.getvalue()


@pytest.mark.parametrize(
    "archive",
    [
        b"no archive",
        odd_archive("../outside.py"),
        odd_archive("/etc/outside.py"),
        odd_archive("link", stat.S_IFLNK | 0o777),
        odd_archive("app.py")[:-30],
        odd_archive("a").replace(b"/etc/passwd", b"/etc/passwx"),
    ],
    ids=["text", "parent", "absolute", "link", "cut", "changed"],
)
def test_what_is_no_package_is_refused(lab: Any, archive: bytes) -> None:
    with pytest.raises(InvalidParameterValueException, match="Could not unzip uploaded file"):
        lab.create(Code={"ZipFile": archive})
    with pytest.raises(ResourceNotFoundException):
        lab.call("GetFunction")


def test_a_file_that_is_also_a_folder_is_refused_and_leaves_nothing(lab: Any) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("app", "x")
        archive.writestr("app/handler.py", "x")
    with pytest.raises(InvalidParameterValueException, match="Could not unzip uploaded file"):
        lab.create(Code={"ZipFile": made.getvalue()})
    with pytest.raises(ResourceNotFoundException):
        lab.call("GetFunction")
    assert lab.platform.placement.volumes() == []


def test_a_package_may_be_too_large(lab: Any) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large", bytes(LARGEST_CODE))
    with pytest.raises(InvalidParameterValueException, match="Unzipped size must be smaller than 262144000 bytes"):
        lab.create(Code={"ZipFile": made.getvalue()})


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"Code": {}}, "Please provide a source for function code"),
        ({"Code": {"ImageUri": "x"}}, "ImageUri: container images are not available"),
        ({"PackageType": "Image"}, "PackageType: container images are not available"),
        ({"Runtime": "nodejs22.x"}, "Runtime: nodejs22.x is not available in Clary; functions run on python3.9"),
        ({"Handler": ""}, "Runtime and Handler are mandatory parameters"),
        ({"Publish": True}, "Publish: versions are not available"),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]}, "Layers: this is not available in Clary"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "VpcConfig: this is not available in Clary"),
        ({"TracingConfig": {"Mode": "Active"}}, "there is no X-Ray"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:s3:::x"}}, "The provided target arn is invalid"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "Reserved keys used in this request: AWS_REGION"),
        ({"Environment": {"Variables": {"A": "x" * 4096}}}, "exceeded the 4KB limit"),
        ({"FunctionName": "f:1"}, "is not a valid name for a new function"),
        ({"FunctionName": "x" * 65}, "is not a valid function name or ARN"),
    ],
    ids=lambda value: value.split()[0].strip(":") if isinstance(value, str) else "",
)
def test_what_functions_cannot_be_here_is_refused(lab: Any, members: dict[str, Any], words: str) -> None:
    given = {"Runtime": "python3.11", **members}
    with pytest.raises(InvalidParameterValueException, match=words):
        lab.create(**given)


def test_empty_members_ask_for_nothing(lab: Any) -> None:
    lab.create(VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}, Layers=[], DeadLetterConfig={"TargetArn": ""})


@pytest.mark.parametrize(("member", "value", "most"), [("Timeout", 901, 900), ("MemorySize", 10_241, 10_240)])
def test_limits(lab: Any, member: str, value: int, most: int) -> None:
    with pytest.raises(ValidationException, match=f"Member must have value less than or equal to {most}"):
        lab.create(**{member: value})


def test_the_role_must_trust_lambda(lab: Any) -> None:
    params = {"RoleName": "other", "AssumeRolePolicyDocument": '{"Version":"2012-10-17","Statement":[]}'}
    params["AssumeRolePolicyDocument"] = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "sts:AssumeRole"},
        }
    )
    IAM.operations["CreateRole"](lab.installation.context(), params)
    for role in ("123456789012:role/other", "123456789012:role/nobody", "210987654321:role/function"):
        with pytest.raises(InvalidParameterValueException, match="cannot be assumed by Lambda"):
            lab.create(Role=f"arn:aws:iam::{role}")


def test_a_revision_guards_changes(lab: Any, pack: Pack) -> None:
    before = lab.create()["RevisionId"]
    lab.call("UpdateFunctionConfiguration", Timeout=7, RevisionId=before)
    for operation, members in (("UpdateFunctionConfiguration", {}), ("UpdateFunctionCode", {"ZipFile": pack()})):
        with pytest.raises(PreconditionFailedException):
            lab.call(operation, RevisionId=before, **members)
    assert lab.call("GetFunctionConfiguration")["Timeout"] == 7
    before = lab.call("GetFunctionConfiguration")
    assert lab.call("UpdateFunctionCode", ZipFile=pack(x="y"), DryRun=True)["RevisionId"] == before["RevisionId"]
    assert lab.call("GetFunctionConfiguration") == before


def test_pages(lab: Any) -> None:
    for number in range(3):
        lab.create(FunctionName=f"f{number}")
    first = lab.call("ListFunctions", MaxItems=2)
    assert [each["FunctionName"] for each in first["Functions"]] == ["f0", "f1"]
    second = lab.call("ListFunctions", MaxItems=2, Marker=first["NextMarker"])
    assert [each["FunctionName"] for each in second["Functions"]] == ["f2"] and "NextMarker" not in second
    with pytest.raises(InvalidParameterValueException):
        lab.call("ListFunctions", Marker="x")


def test_tags(lab: Any) -> None:
    lab.create(Tags={"a": "1"})
    lab.call("TagResource", Resource=ARN, Tags={"b": "2"})
    lab.call("UntagResource", Resource=ARN, TagKeys=["a"])
    assert lab.call("ListTags", Resource=ARN) == {"Tags": {"b": "2"}}
    with pytest.raises(InvalidParameterValueException, match="limit of 50"):
        lab.call("TagResource", Resource=ARN, Tags={f"t{number}": "" for number in range(50)})
    with pytest.raises(ResourceNotFoundException):
        lab.call("ListTags", Resource=f"{ARN}x")


@pytest.mark.parametrize(
    "text",
    ["f", "function:f", "123456789012:function:f", "123456789012:f", ARN, "us-east-1:123456789012:function:f"],
)
def test_ways_to_name_a_function(lab: Any, text: str) -> None:
    assert named(lab.context(), text).arn == ARN
    assert named(lab.context(), f"{text}:$LATEST").qualified == f"{ARN}:$LATEST"
    assert resource_of(lab.context(), "Invoke", {"FunctionName": text}) == ARN


@pytest.mark.parametrize("text", ["", "a b", "f:1:2", "arn:aws:lambda:us-east-1:1:function:f", "arn:aws:s3:::f", "ü"])
def test_what_names_no_function(lab: Any, text: str) -> None:
    with pytest.raises(InvalidParameterValueException):
        named(lab.context(), text)


def test_qualifiers_agree_or_are_refused(lab: Any) -> None:
    with pytest.raises(InvalidParameterValueException, match="does not match the specified qualifier"):
        named(lab.context(), "f:1", "2")
    with pytest.raises(ResourceNotFoundException, match="not reachable in this region"):
        named(lab.context(), ARN.replace("us-east-1", "eu-west-1"))


def test_a_creation_that_was_cut_short_is_forgotten(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from clary.services.lambda_ import code, dispatch

    class Cut(BaseException):
        pass

    def cut(platform: Platform, record: Any, package: Any) -> None:
        raise Cut

    monkeypatch.setattr(code, "keep", cut)
    monkeypatch.setattr(lab.platform.database, "write", _once(lab.platform.database.write))
    with pytest.raises((Cut, RuntimeError)):
        lab.create()
    monkeypatch.undo()
    left = record(lab)
    look = _Look(lab.platform, left)
    assert dispatch.reconcile(look) > 0 and not look.deleted
    lab.installation.now += 301
    assert dispatch.reconcile(look) is None and look.deleted


def _once(write: Any) -> Any:
    """A database that takes one transaction, and no more."""
    calls = []

    def limited() -> Any:
        calls.append(None)
        if len(calls) > 1:
            raise RuntimeError("killed")
        return write()

    return limited


class _Look:
    def __init__(self, platform: Platform, record: Any) -> None:
        self.platform, self.record, self.deleted = platform, record, False

    def delete(self) -> None:
        self.deleted = True


def test_policies_of_functions_that_are_not_there(lab: Any) -> None:
    assert policy_of(lab.context(), ARN) is None
    with pytest.raises(ResourceNotFoundException):
        policy_of(lab.context(), ARN.replace("123456789012", "210987654321"))
