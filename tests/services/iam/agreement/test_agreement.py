"""Clary's policy evaluation against an evaluator that others wrote from the same documentation.

It is @cloud-copilot/iam-simulate (AGPL-3.0-or-later), run unchanged in a process of its own; no part of it is in Clary.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from agreement_cases import OPERATORS, Maker
from agreement_evaluators import clary, independent

HERE = Path(__file__).parent
# Where `node_modules` stays from one run to the next; the evaluator's files are copied beside it.
INSTALLED = HERE.parents[3] / ".cache" / "iam-agreement"
SEED = 20260101
CASES = 10_000
RECORDED = 300


def _shown(case: dict[str, Any], expected: str) -> str:
    return f"{clary(case)} instead of {expected}: {json.dumps({name: value for name, value in case.items() if value})}"


def test_the_recorded_verdicts() -> None:
    recorded = json.loads((HERE / "verdicts.json").read_text())
    cases = Maker(SEED).cases(RECORDED)
    assert len(recorded) == RECORDED
    wrong = [_shown(case, expected) for case, expected in zip(cases, recorded, strict=True) if clary(case) != expected]
    assert wrong == []


@pytest.mark.slow("iam")
@pytest.mark.timeout(900)
def test_every_case() -> None:
    maker = Maker(SEED)
    cases = maker.cases(CASES)
    answers = independent(cases, INSTALLED)
    assert len(answers) == CASES
    assert [answer for answer in answers if "verdict" not in answer] == []
    verdicts = [answer["verdict"] for answer in answers]
    disagreements = [
        _shown(case, expected) for case, expected in zip(cases, verdicts, strict=True) if clary(case) != expected
    ]
    assert disagreements == []
    # The record of the quick test is the beginning of this one, written by json.dumps(verdicts[:RECORDED], indent=0).
    assert json.loads((HERE / "verdicts.json").read_text()) == verdicts[:RECORDED]
    _check_spread(cases, verdicts, maker.features)


def _check_spread(cases: list[dict[str, Any]], verdicts: list[str], features: Counter[str]) -> None:
    """Agreement says something only of what occurs, and where all three outcomes occur."""
    for part in (
        [True] * CASES,
        [case["owner"] != case["caller"]["account"] for case in cases],
        [case["boundary"] is not None for case in cases],
        [case["session"] is not None for case in cases],
        [case["policy"] is not None for case in cases],
        [case["action"].startswith("kms:") for case in cases],
        [case["action"] == "sts:AssumeRole" for case in cases],
    ):
        found = Counter(verdict for verdict, wanted in zip(verdicts, part, strict=True) if wanted)
        assert set(found) == {"allowed", "explicitDeny", "implicitDeny"}
        assert min(found.values()) > 0.05 * sum(found.values())
    wanted = {f"operator {kind}{name}" for kind, names in OPERATORS.items() for name in names} | {
        "operator Null",
        "quantifier ForAllValues",
        "quantifier ForAnyValue",
        "IfExists",
        "NotAction",
        "NotResource",
        "NotPrincipal",
        *(f"layer {name}" for name in ("identity", "boundary", "session", "resource")),
        *(f"version {name}" for name in ("2012-10-17", "2008-10-17", "None")),
        *(f"principal {name}" for name in ("*", "account", "root", "user", "role", "session", "service")),
        *(f"caller {name}" for name in ("user", "session", "root", "anonymous", "service")),
        *(f"{name} in a resource" for name in ("*", "?", "variable", "default", "literal *")),
        "variable in a condition",
    }
    rare = {feature: features[feature] for feature in wanted if features[feature] < CASES // 50}
    assert rare == {}
