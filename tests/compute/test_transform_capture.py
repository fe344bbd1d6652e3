"""Data capture of batch transform: manifests of what went in and came out, and ids of inferences."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from transform_trial import output, transform

from clary.compute.spec import Input
from clary.testing.contracts.jobs import Jobs, end

BEGAN = 1661820555.5
"""2022-08-30T00:49:15Z"""


def captured(store: Any, way: str) -> list[Any]:
    return [
        json.loads(store.get("bucket", key))
        for key in store.keys("bucket")
        if key.startswith(f"seen/{way}/2022/08/30/00/") and key.endswith(".json")
    ]


def test_manifests_name_what_was_transformed(jobs: Jobs, store: Any) -> None:
    for name in ("a.csv", "deeper/b.csv", "folder/"):
        store.put("bucket", f"in/{name}", b"1")
    seen = transform(jobs, capture="s3://bucket/seen/", capture_key="alias/mine", began=BEGAN)
    assert end(seen)["event"] == "completed"
    assert captured(store, "input") == [[{"prefix": "s3://bucket/in/"}, "a.csv", "deeper/b.csv"]]
    assert captured(store, "output") == [[{"prefix": "s3://bucket/out/"}, "a.csv.out", "deeper/b.csv.out"]]
    assert {key.partition("/")[0]: value for (_, key), value in store.keys_of.items()} == {"seen": "alias/mine"}
    assert output(store, "a.csv") == "1!\n"  # and nothing else of the job changes


def test_outputs_and_manifests_have_keys_of_their_own(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a.csv", b"1")
    seen = transform(jobs, output_key="alias/out", capture="s3://bucket/seen/", capture_key="alias/seen", began=BEGAN)
    assert end(seen)["event"] == "completed"
    found = {key.partition("/")[0]: value for (_, key), value in store.keys_of.items()}
    assert found == {"seen": "alias/seen", "out": "alias/out"}


def test_manifests_of_inputs_of_other_kinds(jobs: Jobs, store: Any) -> None:
    for key in ("data/part-1", "data/part-2", "data/other"):
        store.put("bucket", key, b"1")
    source = Input("transform", "s3://bucket/data/part", sharded=True)
    transform(jobs, source=source, capture="s3://bucket/seen", began=BEGAN)
    assert captured(store, "input") == [[{"prefix": "s3://bucket/data/"}, "part-1", "part-2"]]
    assert not store.keys_of
    # What is not transformed is not captured: each host writes its own share.
    store.put("bucket", "manifest", json.dumps([{"prefix": "s3://bucket/data/pa"}, "rt-1", "rt-2"]).encode())
    source = Input("transform", "s3://bucket/manifest", kind="manifest", sharded=True)
    hosts = [f"algo-{number}" for number in (1, 2, 3)]
    for host in hosts:
        fields = {"hosts": hosts, "current_host": host, "id": f"job-of-{host}"}
        seen = transform(jobs, fields, source=source, capture="s3://bucket/seen", began=BEGAN)
        assert end(seen)["event"] == "completed"
    prefix = {"prefix": "s3://bucket/data/pa"}
    shares = [[prefix, "rt-1"], [prefix, "rt-2"]]
    assert [each for each in shares if each in captured(store, "input")] == shares
    assert len(captured(store, "input")) == 3


def test_nothing_is_captured_of_a_job_that_fails(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"good")
    store.put("bucket", "in/b", b"bad")
    assert end(transform(jobs, capture="s3://bucket/seen", began=BEGAN))["event"] == "failed"
    assert output(store, "a") == "good!\n" and not captured(store, "input")


def test_each_record_gets_an_id_and_the_time_of_the_job(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"1,2\n3,4\n")
    asked = {"content_type": "text/csv", "accept": "text/csv", "strategy": "SingleRecord", "output_filter": "$[1]"}
    transform(jobs, **asked, capture="s3://bucket/seen", began=BEGAN, inference_ids=True)
    rows = [line.split(",") for line in output(store, "a").splitlines()]
    assert [(row[0], row[2]) for row in rows] == [("2!", "2022-08-30T00:49:15Z"), ("4!", "2022-08-30T00:49:15Z")]
    assert len({UUID(row[1]) for row in rows}) == 2 and {UUID(row[1]).version for row in rows} == {4}
