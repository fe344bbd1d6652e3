"""One noun of SageMaker, tried by plain boto3 with values made from the shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from noun_facts import MISTAKEN, OBSERVED, facts
from shapes import Maker

from clary.core.errors import ServiceError
from clary.resources.grammar import Spelled, spelled
from clary.resources.resource import Resource
from clary.resources.undeclared import undeclared
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.service import IRREGULAR, RESOURCES
from clary.testing.server import Server
from clary.wire import catalog
from clary.wire.validate import validate

REGION = "us-east-one"
"""Some of the model's patterns of ARNs take no digits in a region, others no short one."""
NOT_YET = "not available in Clary"
MODEL = catalog.service("sagemaker").model
NOUNS = {each.noun: each for each in (*RESOURCES, *undeclared(SAGEMAKER, RESOURCES, IRREGULAR, MODEL))}
_MISTAKEN = tuple(MODEL.shape_for(shape).metadata["pattern"] for shape in MISTAKEN)
ORDINARY = spelled(NOUNS.values(), MODEL)
"""The operations of nouns that are ordinary by their names, by whatever they are done."""


def operations_of(noun: str, verb: str = "") -> list[Spelled]:
    """The ordinary operations of a noun, or those with one verb."""
    return [each for each in ORDINARY.values() if each.resource.noun == noun and verb in ("", each.verb)]


def is_kept(noun: str) -> bool:
    """Whether a noun is created by nothing but an ordinary operation that only writes it down."""
    resource = NOUNS[noun]
    return bool(operations_of(noun, "create")) and not resource.later and resource.reconcile is None


def documentation(operation: Any, member: str) -> str:
    """What AWS says of a member of a request, without markup; nothing where there is no such member."""
    members = _documented().operation_model(operation.name).input_shape.members
    return re.sub(r"<[^>]+>", "", members[member].documentation) if member in members else ""


@cache
def _client(server: Server) -> Any:
    """One for all: making a client takes longer than most trials."""
    return server.client("sagemaker", region_name=REGION)


@cache
def _documented() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


@dataclass(frozen=True)
class Made:
    """A resource that a trial created."""

    name: str
    arn: str
    keys: Mapping[str, Any]
    """The members of requests that name it."""
    request: Mapping[str, Any]


class Trial:
    """Calls the operations of one noun and checks every answer against its shape."""

    def __init__(self, server: Server, noun: str) -> None:
        self.resource: Resource = NOUNS[noun]
        self.called: set[str] = set()
        self._server = server
        self.client = _client(server)
        self._others: dict[str, Made] = {}

    # Calls

    def call(self, operation: Any, params: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request; it must satisfy the constraints of its shape."""
        self.called.add(operation.name)
        answer: dict[str, Any] = getattr(self.client, xform_name(operation.name))(**params)
        del answer["ResponseMetadata"]
        if operation.output_shape is not None:
            stand_in = SimpleNamespace(
                input_shape=operation.output_shape, service_model=MODEL, error_shapes=operation.error_shapes
            )
            try:
                validate(stand_in, answer)
            except ServiceError as error:
                broken = [part for part in error.message.split("; ") if not part.endswith(_MISTAKEN)]
                assert not broken, f"the answer of {operation.name} breaks its shape: {broken}"
        return answer

    def refusal(self, operation: Any, params: Mapping[str, Any]) -> Any:
        """The ``Error`` that a request is answered with."""
        with pytest.raises(ClientError) as refused:
            self.call(operation, params)
        return refused.value.response["Error"]

    # Requests

    def maker(self, *, whole: bool = False, salt: int = 0) -> Maker:
        shared = {"RoleArn": self._server.role_arn}
        return Maker(facts(self.other), shared, whole=whole, salt=salt)

    def request(self, operation: Any, *, whole: bool = False, salt: int = 0) -> dict[str, Any]:
        """A request with values made from the shapes, for a resource that is not there."""
        params = self.maker(whole=whole, salt=salt).structure(operation.input_shape)
        for name, shape in operation.input_shape.members.items():
            if shape.metadata.get("idempotencyToken"):
                params.pop(name, None)  # boto3 makes one for each call.
        return params

    def naming(self, operation: Any, made: Made) -> dict[str, Any]:
        """The required members of a request about a resource that is there."""
        params = self.request(operation)
        # Where the name alone does not tell which it is, requests call it by its ARN.
        known = {f"{self.resource.noun}Name": made.arn, **made.keys, self.resource.arn_member: made.arn}
        known |= {alias: made.keys[name] for alias, name in self.resource.aliases.items() if name in made.keys}
        wanted = [name for name in known if name in operation.input_shape.members]
        # What tells it among those that belong to the same is said even where it may be left out.
        telling = {*operation.input_shape.required_members, *(self.resource.names if self.resource.parents else ())}
        required = [name for name in wanted if name in telling]
        numbers = {name for name in wanted if operation.input_shape.members[name].type_name == "integer"}
        told = {name: int(known[name]) if name in numbers else known[name] for name in required or wanted[:1]}
        return {**params, **told}

    def unknown(self, operation: Any) -> dict[str, Any]:
        """A request about a resource that is not there."""
        params = self.request(operation)
        naming = [
            name for name in (*self.resource.names, self.resource.arn_member) if name in operation.input_shape.members
        ]
        if naming and not any(name in params for name in naming):
            params[naming[-1]] = self.maker().value(operation.input_shape.members[naming[-1]])
        return params

    def other(self, noun: str) -> Made:
        """A resource of another noun, made for those that need one."""
        if noun not in self._others:
            trial = Trial(self._server, noun)
            trial._others = self._others
            self._others[noun] = trial.create("for-others")
        return self._others[noun]

    # Verbs

    def create(self, name: str, *, whole: bool = False, salt: int = 0) -> Made:
        """Create a resource and everything that it needs."""
        [first, *_] = operations_of(self.resource.noun, "create")
        operation, resource = first.model, self.resource
        params = self.request(operation, whole=whole, salt=salt)
        keys: dict[str, Any] = {member: params[member] for member in resource.parents if member in params}
        if resource.parent is not None:
            parent = self.other(resource.parent.noun).keys
            keys |= {member: parent[member] for member in resource.parents if member in parent}
        if resource.name_member in operation.input_shape.members:
            keys[resource.name_member] = name
        params |= {member: value for member, value in keys.items() if member in operation.input_shape.members}
        for member, referred in resource.references.items():
            if member in params:
                found = self.other(referred.noun)
                params[member] = found.arn if member.endswith("Arn") else found.name
        answer = self.call(operation, params)
        if operation.output_shape is None:
            answer = self.describe(Made(name, "", keys, params))
        arn = answer.get(resource.arn_member) or next(
            value for key, value in answer.items() if key.lower().endswith("arn")
        )
        if resource.name_member not in keys:
            name = keys[resource.name_member] = answer.get(resource.name_member) or arn.rsplit("/", 1)[-1]
        return Made(name, arn, keys, params)

    def describe(self, made: Made) -> dict[str, Any]:
        """What Describe shows; a structure that is the whole answer is opened."""
        shown: dict[str, Any] = {}
        for each in operations_of(self.resource.noun, "describe"):
            answer = self.call(each.model, self.naming(each.model, made))
            inner = answer.get(self.resource.noun)
            shown = {**shown, **(inner if isinstance(inner, dict) else answer)}
        return shown

    def rows(self, each: Spelled, **arguments: Any) -> list[Any]:
        """The rows of a List, page after page."""
        params = {**self._listing(each.model), **arguments}
        found: list[Any] = []
        while True:
            answer = self.call(each.model, params)
            [page] = [answer[name] for name, shape in each.model.output_shape.members.items() if _is_list(shape)]
            assert len(page) <= arguments.get("MaxResults", 100)
            found += page
            if not (token := answer.get("NextToken")):
                return found
            params["NextToken"] = token

    def _listing(self, operation: Any) -> dict[str, Any]:
        """What List must be given: the members that name what the resources belong to are known."""
        params = self.request(operation)
        if self.resource.parent is not None and is_kept(self.resource.parent.noun):
            parent = self.other(self.resource.parent.noun)
            known = {**parent.keys, self.resource.parent.arn_member: parent.arn}
            params |= {name: known[name] for name in operation.input_shape.required_members if name in known}
        return params

    # Judgements

    def not_found(self, operation: Any) -> set[str]:
        """The codes that a missing resource may be answered with."""
        described = operations_of(self.resource.noun, "describe") or [SimpleNamespace(model=operation)]
        documented = {error.name for each in described for error in each.model.error_shapes}
        if self.resource.noun in OBSERVED or "ResourceNotFound" not in documented:
            return {"ValidationException"}
        return {"ResourceNotFound"}

    def differences(self, given: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str]:
        """The members of a request that Describe has a place for and shows differently."""
        told = {name: value for name, value in given.items() if name != "Tags"}
        return list(_differences(_described_shape(self.resource.noun), told, shown, ""))


def _described_shape(noun: str) -> Any:
    members: dict[str, Any] = {}
    for each in operations_of(noun, "describe"):
        shape = each.model.output_shape
        inner = shape.members.get(noun)
        members |= inner.members if inner is not None and inner.type_name == "structure" else shape.members
    return SimpleNamespace(type_name="structure", members=members)


def _differences(shape: Any, given: Any, shown: Any, path: str) -> Iterable[str]:
    if shape.type_name == "structure":
        for name in given:
            if name in shape.members:
                inner = shown.get(name) if isinstance(shown, dict) else None
                yield from _differences(shape.members[name], given[name], inner, f"{path}.{name}")
    elif shape.type_name == "list" and isinstance(shown, list) and len(shown) == len(given):
        for place, (one, other) in enumerate(zip(given, shown, strict=True)):
            yield from _differences(shape.member, one, other, f"{path}[{place}]")
    elif shape.type_name == "map" and isinstance(shown, dict) and set(shown) == set(given):
        for key in given:
            yield from _differences(shape.value, given[key], shown[key], f"{path}.{key}")
    elif given != shown:
        yield f"{path}: {given!r} became {shown!r}"


def _is_list(shape: Any) -> bool:
    return bool(shape.type_name == "list")
