"""Lambda's handlers over a real placement; nothing is called here, which needs a running server."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from clary.compute.functions.pool import Functions
from clary.compute.images.environments import ImageStore
from clary.compute.placement.local import LocalPlacement
from clary.resources.context import Context
from clary.services.iam.service import SERVICE as IAM
from clary.services.lambda_.service import SERVICE

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/function"


def trust(*services: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Lab:
    """An installation whose functions are real until they are called."""

    def __init__(self, installation: Any) -> None:
        self.installation = installation
        settings = installation.settings
        placement = LocalPlacement(settings)
        self.functions = Functions(placement, "control")
        self.platform = replace(
            installation.platform, placement=placement, images=ImageStore(settings), functions=self.functions
        )
        params = {"RoleName": "function", "AssumeRolePolicyDocument": trust("lambda.amazonaws.com")}
        IAM.operations["CreateRole"](installation.context(), params)

    def context(self) -> Context:
        context: Context = replace(self.installation.context(), platform=self.platform)
        return context

    def call(self, operation: str, **params: Any) -> Any:
        """Calls an operation, of the function ``f`` where no other is named."""
        if "Resource" not in params and operation != "ListFunctions":
            params.setdefault("FunctionName", "f")
        return SERVICE.operations[operation](self.context(), params)

    def create(self, **members: Any) -> Any:
        given = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": zipped()}}
        return self.call("CreateFunction", **{**given, **members})


def zipped(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in (files or {"app": "def handler(event, context):\n    return event\n"}).items():
            archive.writestr(f"{name}.py", text)
    return made.getvalue()


@pytest.fixture
def lab(installation: Any) -> Iterator[Lab]:
    made = Lab(installation)
    yield made
    made.functions.close()


@pytest.fixture
def pack() -> Callable[..., bytes]:
    return zipped
