"""An installation in a folder of its own for every test."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_NAME = "clary_tests_aws"
if _NAME not in sys.modules:
    _specification = importlib.util.spec_from_file_location(_NAME, Path(__file__).parents[1] / "iam" / "aws.py")
    assert _specification is not None and _specification.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(_specification)
    _specification.loader.exec_module(sys.modules[_NAME])


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Any]:
    made = sys.modules[_NAME].Installation(tmp_path / "home")
    yield made
    made.database.close()


@pytest.fixture
def iam(installation: Any) -> Any:
    return installation.client("iam")


@pytest.fixture
def sts(installation: Any) -> Any:
    return installation.client("sts")


@pytest.fixture
def logs(installation: Any) -> Any:
    return installation.client("logs")
