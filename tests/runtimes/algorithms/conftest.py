"""The fixtures of the algorithms' tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

_specification = importlib.util.spec_from_file_location("contract", Path(__file__).with_name("contract.py"))
assert _specification is not None and _specification.loader is not None
# pytest imports test modules one by one, without their folder; cases and tests import this one by its name.
_module = importlib.util.module_from_spec(_specification)
sys.modules["contract"] = _module
_specification.loader.exec_module(_module)


@pytest.fixture(scope="session")
def kmeans(runtime_of: Any) -> Any:
    return runtime_of("kmeans", "kmeans")


@pytest.fixture(scope="session")
def pca(runtime_of: Any) -> Any:
    return runtime_of("pca", "pca")


@pytest.fixture(scope="session")
def knn(runtime_of: Any) -> Any:
    return runtime_of("knn", "knn")
