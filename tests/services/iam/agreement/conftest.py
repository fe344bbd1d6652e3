"""Lets the tests import the modules beside them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _share(name: str) -> None:
    """Load a module beside this file so that tests, which pytest imports one by one, can import it by its name."""
    specification = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)


for _name in ("agreement_requests", "agreement_features", "agreement_cases", "agreement_evaluators"):
    _share(_name)
