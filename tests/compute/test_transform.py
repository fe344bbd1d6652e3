"""Batch transform as the agent does it, with a model server of the standard library and each isolation."""

from __future__ import annotations

import gzip
import json
import os
import signal
from typing import Any

from transform_trial import MODEL, calls, data_log, output, outputs, spec, transform

from clary.compute.spec import Input, JobSpec, Transform
from clary.testing.contracts.jobs import Jobs, end
from clary.testing.contracts.waiting import log_text, wait_for, wait_for_end


def test_objects_become_outputs(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a.csv", b"1,2\n3,4\n")
    store.put("bucket", "in/deeper/b.csv", b"5,6")
    store.put("bucket", "in/empty", b"")
    store.put("bucket", "in/folder/", b"")
    seen = transform(jobs, content_type="text/csv", accept="text/plain")
    assert end(seen)["event"] == "completed", log_text(jobs.placement, seen.id)
    assert outputs(store) == ["out/a.csv.out", "out/deeper/b.csv.out", "out/empty.out"]
    assert (output(store, "a.csv"), output(store, "deeper/b.csv"), output(store, "empty")) == (
        "1,2!\n3,4!\n",
        "5,6!\n",
        "",
    )
    assert [call[2:4] for call in calls(jobs, seen.id)] == [["text/csv", "text/plain"]] * 2
    assert data_log(jobs, seen.id) == "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"
    assert jobs.placement.usage(seen.id)
    assert not [each for each in jobs.placement.folder(seen.id).iterdir() if each.name.startswith("output-")]  # type: ignore[attr-defined]


def test_order_is_kept_while_requests_overtake_each_other(jobs: Jobs, store: Any) -> None:
    lines = ["first", *(f"line {number}" for number in range(40))]
    store.put("bucket", "in/lines", "\n".join(lines).encode())
    store.put("bucket", "in/other", b"x")
    seen = transform(jobs, strategy="SingleRecord", max_concurrent=4, assemble_lines=False)
    assert end(seen)["event"] == "completed"
    assert output(store, "lines") == "".join(f"{line}!" for line in lines)
    assert output(store, "other") == "x!"


def test_so_many_requests_at_once_and_no_more(jobs: Jobs, store: Any) -> None:
    for number in range(9):
        store.put("bucket", f"in/{number}", b"meet %d" % number)
    seen = transform(jobs, max_concurrent=3)
    assert end(seen)["event"] == "completed"
    assert max(int(call[0]) for call in calls(jobs, seen.id)) == 3


def test_the_container_says_how_it_wants_to_be_called(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/lines", b"a\nb\nc")
    asked = {"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 50}
    variables = {"environment": {"PARAMETERS": json.dumps(asked)}}
    seen = transform(jobs, variables, max_concurrent=0, max_payload_mb=None)
    assert len(calls(jobs, seen.id)) == 3
    assert data_log(jobs, seen.id) == "MaxConcurrentTransforms=3, MaxPayloadInMB=33, BatchStrategy=SINGLE_RECORD"
    # What the request says has precedence, and without both there are defaults.
    seen = transform(jobs, variables, max_concurrent=2, max_payload_mb=1, strategy="MultiRecord")
    assert data_log(jobs, seen.id) == "MaxConcurrentTransforms=2, MaxPayloadInMB=1, BatchStrategy=MULTI_RECORD"
    seen = transform(jobs, max_concurrent=0, max_payload_mb=None)
    assert data_log(jobs, seen.id) == "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"


def test_payloads_have_a_limit_or_none(jobs: Jobs, store: Any) -> None:
    line = b"x" * 99 + b"\n"
    store.put("bucket", "in/large", line * 25_000)
    seen = transform(jobs, max_payload_mb=1)
    sizes = [int(call[4]) for call in calls(jobs, seen.id)]
    assert sizes == [1_048_499, 1_048_499, 402_999]
    assert output(store, "large") == "".join([line.decode().strip() + "!\n"] * 25_000)
    # As a whole it is too large, unless it is streamed.
    seen = transform(jobs, max_payload_mb=1, split="None")
    assert end(seen)["message"] == "ClientError: See job logs for more information"
    assert data_log(jobs, seen.id).endswith("bucket/in/large: Too much data for max payload size")
    store.put("bucket", "out/large.out", b"old")
    seen = transform(jobs, max_payload_mb=0, split="None")
    assert end(seen)["event"] == "completed"
    assert "chunks 10" in log_text(jobs.placement, seen.id)
    assert output(store, "large").count("!\n") == 25_000
    store.objects.pop(("bucket", "in/large"))
    store.put("bucket", "in/zipped", gzip.compress(line * 25_000))
    seen = transform(jobs, max_payload_mb=0, split="None", unzip=True)
    assert output(store, "zipped").count("!\n") == 25_000


def test_a_bad_record_fails_its_object_and_the_job(jobs: Jobs, store: Any) -> None:
    for name, text in (("a", b"good"), ("b", b"fine\nbad\nfine"), ("c", b"broken"), ("d", b"good too")):
        store.put("bucket", f"in/{name}", text)
    seen = transform(jobs, strategy="SingleRecord")
    assert end(seen)["event"] == "failed" and end(seen)["reason"] == "client"
    assert end(seen)["message"] == "ClientError: See job logs for more information"
    assert outputs(store) == ["out/a.out", "out/d.out"]
    assert data_log(jobs, seen.id).splitlines()[1:] == [
        "bucket/in/b: ClientError: 400",
        "bucket/in/b: ",
        "bucket/in/b: Message:",
        "bucket/in/b: this is bad",
        "bucket/in/b: very bad",
        "bucket/in/c: Bad HTTP status received from algorithm: 500",
        "bucket/in/c: ",
        "bucket/in/c: Message:",
        "bucket/in/c: broken",
    ]


def test_requests_are_made_again_as_often_as_asked(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/flaky", b"flaky")
    seen = transform(jobs, retries=1)
    assert end(seen)["message"] == "AlgorithmError: See job logs for more information"
    assert len(calls(jobs, seen.id)) == 2 and not outputs(store)
    seen = transform(jobs, retries=2)
    assert end(seen)["event"] == "completed" and output(store, "flaky") == "flaky!\n"
    store.put("bucket", "in/flaky", b"bad")
    seen = transform(jobs, retries=3)
    assert len(calls(jobs, seen.id)) == 1  # the request's fault stays


def test_a_model_that_takes_too_long(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"good")
    store.put("bucket", "in/late", b"late")
    seen = transform(jobs, timeout_s=0.3, retries=1)
    assert end(seen)["message"] == "AlgorithmError: See job logs for more information"
    assert [call[1] for call in calls(jobs, seen.id)] == ["1", "1", "2"]
    assert data_log(jobs, seen.id).endswith("bucket/in/late: Unable to get response from algorithm")
    assert outputs(store) == ["out/a.out"]


def test_a_model_server_that_dies(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"die")
    seen = transform(jobs)
    assert end(seen)["message"] == "AlgorithmError: ValueError: dead, exit code: 3"


def test_a_model_server_that_never_answers(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"good")
    started = jobs.start(
        jobs.python("raise ValueError('no model')", kind="server", transform=spec(jobs).transform),
    )
    seen = wait_for_end(jobs.placement, started.id)
    assert end(seen)["message"] == (
        "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and "
        "responds with an HTTP 200 status code: ValueError: no model"
    )


def test_nothing_to_transform(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "elsewhere", b"x")
    seen = transform(jobs)
    assert end(seen)["message"].startswith('ClientError: Data download failed: No S3 objects found under S3 URL "s3://')
    store.put("bucket", "in/manifest", b"no JSON")
    seen = transform(jobs, source=Input("transform", "s3://bucket/in/manifest", kind="manifest", sharded=True))
    assert 'The manifest "s3://bucket/in/manifest" cannot be used: line 1' in end(seen)["message"]


def test_a_manifest_names_the_objects(jobs: Jobs, store: Any) -> None:
    for name in ("a", "b/c", "d"):
        store.put("bucket", f"data/{name}", name.encode())
    store.put("bucket", "manifest", json.dumps([{"prefix": "s3://bucket/data/"}, "a", "b/c", "missing"]).encode())
    seen = transform(jobs, source=Input("transform", "s3://bucket/manifest", kind="manifest", sharded=True))
    assert end(seen)["message"] == "ClientError: See job logs for more information"
    assert outputs(store) == ["out/a.out", "out/b/c.out"]
    assert 'The object "s3://bucket/data/missing" that the manifest' in data_log(jobs, seen.id)


def test_hosts_share_the_objects(jobs: Jobs, store: Any) -> None:
    for number in range(5):
        store.put("bucket", f"in/{number}", b"%d" % number)
    hosts = ["algo-1", "algo-2"]
    for host in hosts:
        seen = transform(jobs, {"hosts": hosts, "current_host": host})
        assert end(seen)["event"] == "completed"
    assert outputs(store) == [f"out/{number}.out" for number in range(5)]
    # A host for which there is nothing has nothing to do, which is fine.
    seen = transform(jobs, {"hosts": [f"algo-{number}" for number in range(1, 8)], "current_host": "algo-7"})
    assert end(seen)["event"] == "completed" and not calls(jobs, seen.id)


def test_a_stop_ends_it_early(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"good")
    store.put("bucket", "in/late", b"late")
    started = jobs.start(spec(jobs))
    jobs.says(started.id, "'late'")
    jobs.placement.stop(started.id)
    seen = wait_for_end(jobs.placement, started.id)
    assert end(seen)["event"] == "stopped"
    assert outputs(store) in ([], ["out/a.out"])


def test_the_next_attempt_goes_on_where_a_killed_one_was(jobs: Jobs, store: Any) -> None:
    for name, text in (("a", b"good"), ("b", b"fine"), ("late", b"late"), ("z", b"more")):
        store.put("bucket", f"in/{name}", text)
    store.put("bucket", "out/z.out", b"of an earlier job")
    started = jobs.start(spec(jobs))
    jobs.says(started.id, "'late'")
    folder = jobs.placement.folder(started.id)  # type: ignore[attr-defined]
    wait_for(
        lambda: (folder / "done").exists() and len((folder / "done").read_text().splitlines()) == 2, what="two are done"
    )
    os.kill(int((folder / "lock").read_text().split()[0]), signal.SIGKILL)
    wait_for(lambda: jobs.placement.observe(started.id).lost, what="the agent is dead")
    with (folder / "done").open("a") as done:
        done.write('["bucket", "in/')  # as if it had been killed in the middle of a line
    store.put("bucket", "in/late", b"soon")
    before = len(calls(jobs, started.id))
    again = JobSpec.from_json(started.to_json().replace('"attempt":1', '"attempt":2'))
    jobs.placement.launch(again, store.ticket)
    seen = wait_for_end(jobs.placement, started.id)
    assert end(seen)["event"] == "completed"
    assert [call[-1] for call in calls(jobs, started.id)[before:]] == ["'soon'", "'more'"]
    assert (output(store, "a"), output(store, "late"), output(store, "z")) == ("good!\n", "soon!\n", "more!\n")


def test_the_stores_own_files_are_read_where_they_lie(jobs: Jobs, store: Any, tmp_path: Any) -> None:
    file = tmp_path / "blob"
    file.write_bytes(b"from a file")
    store.put("bucket", "in/a", b"from the store")
    store.local[("bucket", "in/a")] = file
    assert end(transform(jobs))["event"] == "completed"
    assert output(store, "a") == "from a file!\n"
    assert file.read_bytes() == b"from a file"


def test_an_output_that_cannot_be_stored(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"good")
    asked = spec(jobs).transform
    assert asked is not None
    started = jobs.start(
        jobs.python(MODEL, kind="server", transform=Transform(asked.source, "s3://no-such-bucket/out", split="Line"))
    )
    seen = wait_for_end(jobs.placement, started.id)
    assert "Data upload failed" in end(seen)["message"] or end(seen)["event"] == "completed"
