"""Application Auto Scaling over endpoints that the test moves, with the clock of the tests of alarms."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


def _share(name: str, path: Path) -> None:
    """Load a module so that tests, which pytest imports one by one, can import it by its name."""
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)


_share("clockwork", Path(__file__).parents[1] / "cloudwatch" / "clockwork.py")
_share("scaled", Path(__file__).with_name("scaled.py"))


@pytest.fixture
def scaled(installation: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    return sys.modules["scaled"].Scaled(installation, monkeypatch)
