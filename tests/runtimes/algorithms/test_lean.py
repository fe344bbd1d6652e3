"""Model servers do without what they do not use, and give everything back to the user's own code."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_a_server_does_without_pandas_and_scikit_learn(name: str, runtime_of: Any, tmp_path: Path) -> None:
    runtime = runtime_of({"xgboost": "xgboost-3.0", "lightgbm": "lightgbm"}[name], name)
    script = (
        f"import sys, clary_runtimes.algorithms.{name}.serve\n"
        "print(sorted({'pandas', 'sklearn'} & sys.modules.keys()))\n"
        "import sklearn, pandas\n"  # whoever needs them later has them
    )
    found = subprocess.run(
        [runtime.python, "-c", script], env=runtime.variables(tmp_path), text=True, capture_output=True, check=True
    )
    assert found.stdout == "[]\n"


def test_a_script_in_the_image_of_xgboost_has_all_of_the_library(runtime_of: Any, tmp_path: Path) -> None:
    runtime = runtime_of("xgboost-3.0", "xgboost")
    script = (
        "import clary_runtimes.algorithms.xgboost.payload, clary_runtimes.frameworks.handler\n"
        "from xgboost import XGBClassifier\n"
        "print(XGBClassifier(n_estimators=2).fit([[0], [1]], [0, 1]).predict([[1]]).shape)\n"
    )
    found = subprocess.run(
        [runtime.python, "-c", script], env=runtime.variables(tmp_path), text=True, capture_output=True, check=True
    )
    assert found.stdout == "(1,)\n"
