"""The model package group of a registered model."""

from __future__ import annotations

import hashlib
import re

import pytest

from clary.services.sagemaker.mlflow.registration import group_name

SUFFIX = hashlib.sha256(b"team").hexdigest()[:6]


@pytest.mark.parametrize(
    ("model", "group"),
    [
        ("fraud", "fraud"),
        ("Fraud model_v2 (new)", "Fraud-model-v2-new"),
        ("--a--b--", "a-b"),
        ("模型", "model"),
        ("x" * 55 + "-" + "y" * 90, "x" * 55),
    ],
)
def test_groups_are_named_after_models(model: str, group: str) -> None:
    named = group_name("team", model)
    assert named == f"{group}-{SUFFIX}"
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", named)


def test_servers_do_not_share_groups() -> None:
    assert group_name("one", "fraud") != group_name("two", "fraud")
