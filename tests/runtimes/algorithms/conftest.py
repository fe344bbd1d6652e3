"""The fixtures of the algorithms' tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

# pytest imports test modules one by one, without their folder; cases and tests import these by their names.
for _name in ("contract", "boosted_trees"):
    _specification = importlib.util.spec_from_file_location(_name, Path(__file__).with_name(f"{_name}.py"))
    assert _specification is not None and _specification.loader is not None
    sys.modules[_name] = importlib.util.module_from_spec(_specification)
    _specification.loader.exec_module(sys.modules[_name])


@pytest.fixture(scope="session")
def kmeans(runtime_of: Any) -> Any:
    return runtime_of("kmeans", "kmeans")


@pytest.fixture(scope="session")
def pca(runtime_of: Any) -> Any:
    return runtime_of("pca", "pca")


@pytest.fixture(scope="session")
def knn(runtime_of: Any) -> Any:
    return runtime_of("knn", "knn")
