"""The job document, and the agent's view of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.compute.agent.documents import dumps, loads
from clary.compute.agent.folder import read_spec
from clary.compute.spec import ImageSpec, Input, JobSpec, Limits, MetricDefinition, Output, SpecError, Transform

FULL = JobSpec(
    id="job.1_a-b",
    attempt=3,
    kind="server",
    image=ImageSpec("uri", environment="/e", variables={"A": "b"}),
    command=["a"],
    environment={"path": "x", "name": "ü"},
    files={"input/config/x.json": "{}"},
    inputs=[Input("a", "s3://b/c", keys=["c/d"])],
    outputs=[Output("m", "s3://b/m", archive=True, when="always")],
    limits=Limits(max_runtime_s=1.5, cpus=2),
    network=False,
    metrics=[MetricDefinition("m", "(x)")],
    requirements="requirements.txt",
    transform=Transform(Input("t", "s3://b/in", sharded=True), "s3://b/out", split="Line", max_payload_mb=0),
)


def test_documents_come_back() -> None:
    assert JobSpec.from_json(FULL.to_json()) == FULL
    assert JobSpec.from_json(JobSpec("a", ImageSpec("x")).to_json()) == JobSpec("a", ImageSpec("x"))


def test_unknown_fields_of_a_later_version_are_left_out() -> None:
    document = json.loads(FULL.to_json()) | {"later": 1}
    document["limits"]["later"] = document["transform"]["later"] = document["transform"]["source"]["later"] = 2
    assert JobSpec.from_json(json.dumps(document)) == FULL


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"id": "a"}', '{"id": "../a", "image": {"uri": "x"}}', '{"id": "a", "image": 1}']
)
def test_other_documents_are_refused(text: str) -> None:
    with pytest.raises(SpecError):
        JobSpec.from_json(text)


def test_the_agent_sees_the_same(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(FULL.to_json())
    seen = read_spec(str(tmp_path / "spec.json"))
    assert (seen.id, seen.attempt, seen.environment, seen.files) == (FULL.id, 3, FULL.environment, FULL.files)
    assert vars(seen.inputs[0]) == vars(FULL.inputs[0])
    assert seen.transform is not None and FULL.transform is not None
    assert vars(seen.transform.source) == vars(FULL.transform.source) and seen.transform.split == "Line"
    assert (seen.limits.max_runtime_s, seen.image.variables, seen.metrics[0].regex) == (1.5, {"A": "b"}, "(x)")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_the_agents_json_is_json(value: Any) -> None:
    assert loads(json.dumps(value)) == value
    assert json.loads(dumps(value)) == value


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nope", '{"a": 1} x'])
def test_the_agents_json_refuses_what_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        loads(text)
