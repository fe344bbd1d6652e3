"""Modules and an installation that the tests of authorisation share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_SHARED = {
    "shapes": _HERE.parents[1] / "sagemaker" / "shapes.py",
    "reference": _HERE / "reference.py",
    "asked_for": _HERE / "asked_for.py",
}

for _name, _path in _SHARED.items():
    # Tests, which pytest imports one by one, can so import them by their names.
    if _name not in sys.modules:
        _specification = importlib.util.spec_from_file_location(_name, _path)
        assert _specification is not None and _specification.loader is not None
        sys.modules[_name] = _module = importlib.util.module_from_spec(_specification)
        _specification.loader.exec_module(_module)
