"""What the tests of abuse share: a server of their own that nobody resets, and modules beside this one."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.testing.server import Server, server


def _share(name: str) -> Any:
    """Load a module beside this file so that tests, which pytest imports one by one, can import it by its name."""
    specification = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


for _name in ("abuse_machine", "abuse_processes", "abuse_wire", "abuse_values", "abuse_requests", "abuse_fuzzer"):
    _share(_name)


@pytest.fixture
def victim() -> Iterator[Server]:
    """A Clary in a throw-away home."""
    with server() as running:
        yield running
