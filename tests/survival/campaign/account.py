"""The account of a campaign: whether everything that was promised is there, and nothing that is not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from botocore import xform_name
from sqlalchemy import create_engine, text

from clary.cli.deep import examine

from .jobs import TRIALS
from .outcomes import MOST, outcome
from .serving import ENDPOINT
from .site import KINDS, PRESENT, Job, Site
from .writers import QUEUE, digest, experiment_state

DRAFTS = ("*.new", "*.draft", ".*")
"""Files that are written aside and renamed: none is left when nothing is written."""
REST_S = 60.0
AT_WORK = "SELECT kind, name, status FROM resources WHERE wake_at IS NOT NULL AND service = 'sagemaker'"
"""The resources that something is to be done for."""


def account(site: Site) -> list[str]:
    """What is wrong, a line each; the platform has been at rest, stopped and started again since."""
    wrong = [*_jobs(site), *_endpoint(site), *_rest(site)]
    wrong += [
        f"{check.name}: {check.text}"
        for check in examine(site.plant.installation, lambda *_: None)
        if check.state != "ok"
    ]
    site.plant.down()
    wrong += [f"runs on: {command}" for command in site.plant.processes().values()]
    site.plant.up()
    return [*wrong, *_kept(site), *_left(site)]


def _jobs(site: Site) -> Iterator[str]:
    for job in site.jobs:
        described = site.await_end(job)
        if described is None:
            continue  # it was never made, was deleted, or is told as not having ended
        if job.kind == "HyperParameterTuningJob":
            yield from _tuned(site, job, described)
        else:
            yield from outcome(site, job, described)


def _tuned(site: Site, job: Job, described: dict[str, Any]) -> Iterator[str]:
    """A tuning job has all of its trials and no other, each of which ran as any training job."""
    sagemaker = site.client("sagemaker")
    trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=job.name)
    names = [each["TrainingJobName"] for each in trials["TrainingJobSummaries"]]
    found = sagemaker.list_training_jobs(NameContains=f"{job.name}-", MaxResults=100)["TrainingJobSummaries"]
    if {each["TrainingJobName"] for each in found} != set(names):
        yield f"{job.name} knows {names} and there are {[each['TrainingJobName'] for each in found]}"
    hit = any(site.hits[name].total() for name in (job.name, *names))
    status = job.status(described)
    if not hit and (status != "Completed" or len(names) != TRIALS):
        yield f"{job.name} was not hit and is {status} with {len(names)} trials: {str(described)[:MOST]}"
    for name in names:
        site.hits[name]["disk"] += site.hits[job.name]["disk"]
        trial = Job("TrainingJob", name)
        if (ended := site.ended(trial)) is None:
            yield f"{name} has not ended: {site.described(trial)}"
        else:
            yield from outcome(site, trial, ended)


def _endpoint(site: Site) -> Iterator[str]:
    """The endpoint is in service as it was last told, and can be deleted."""
    for name, word in site.ledger.known("endpoint"):
        described = site.client("sagemaker").describe_endpoint(EndpointName=name)
        if (described["EndpointStatus"], described["EndpointConfigName"]) != ("InService", word):
            yield f"{name} is not in service as {word}: {str(described)[:MOST]}"
        answers = {site.plant.invoke(name, "last")[0] for _ in range(3)}
        if answers != {word}:
            yield f"{name} answers {answers} and was told {word}"
        site.plant.delete_endpoint(ENDPOINT)


def _rest(site: Site) -> Iterator[str]:
    """Until nothing of any job is left, nor of what was kept for the next."""
    plant, pools = site.plant, site.plant.home / "pools"
    until = time.monotonic() + REST_S
    for what, look in {
        "runs": lambda: list(plant.job_processes().values()),
        "is on the machine": lambda: list(plant.placement.list()),
        "is to be worked on": lambda: _rows(site, AT_WORK),
        "is kept": lambda: sorted(map(str, pools.glob("*/*"))),
    }.items():
        while (left := look()) and time.monotonic() < until:
            site.pause(0.1)
        yield from (f"still {what} after {REST_S:g} s: {each}" for each in left)


def _kept(site: Site) -> Iterator[str]:
    """What was acknowledged is there as it was written, and nothing is back."""
    found: dict[str, dict[str, Any]] = {
        "object": _objects(site),
        "experiment": _experiments(site),
        "Model": {
            name: name for name in _names(site, "list_models", "Models", "ModelName") if name.startswith("transform")
        },
    }
    for kind, found_of in found.items():
        yield from site.ledger.breaches(kind, found_of)
    for kind in KINDS:
        names = _names(site, f"list_{xform_name(kind)}s", f"{kind}Summaries", f"{kind}Name")
        yield from site.ledger.breaches(
            kind, {name: PRESENT for name in names if not name.startswith("tuned-") or kind != "TrainingJob"}
        )
    yield from _messages(site)


def _names(site: Site, operation: str, member: str, name: str) -> Sequence[str]:
    pages = site.client("sagemaker").get_paginator(operation).paginate()
    return [each[name] for page in pages for each in page[member]]


def _objects(site: Site) -> dict[str, Any]:
    s3, found = site.client("s3"), {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=site.bucket, Prefix="objects/"):
        for each in page.get("Contents", []):
            body = s3.get_object(Bucket=site.bucket, Key=each["Key"])["Body"].read()
            found[each["Key"].removeprefix("objects/")] = digest(body)
    return found


def _experiments(site: Site) -> dict[str, Any]:
    sagemaker, found = site.client("sagemaker"), {}
    for name in _names(site, "list_experiments", "ExperimentSummaries", "ExperimentName"):
        if name.startswith("experiment-"):
            described = sagemaker.describe_experiment(ExperimentName=name)
            tags = sagemaker.list_tags(ResourceArn=described["ExperimentArn"])["Tags"]
            found[name] = experiment_state(described["Description"], {each["Key"]: each["Value"] for each in tags})
    return found


def _messages(site: Site) -> Iterator[str]:
    sqs = site.client("sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    found = {}
    # Those that were received and not deleted are seen again after two seconds.
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=4).get("Messages"):
        for each in received:
            found[each["MessageId"]] = each["Body"]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    yield from site.ledger.breaches("message", {body: body for body in found.values()})
    deleted = site.ledger.changed("deleted message")
    yield from (f"message {body} was deleted and is back" for id, body in found.items() if id in deleted)


def _left(site: Site) -> Iterator[str]:
    """What nobody needs any more: folders of jobs, drafts, leases."""
    home: Path = site.plant.home
    for folder in (home / "jobs").iterdir():
        if extra := {each.name for each in folder.iterdir()} - {"log", "data-log", "metrics.jsonl"}:
            yield f"left in {folder}: {extra}"
    for pattern in DRAFTS:
        yield from (f"a draft is left: {file}" for file in home.rglob(pattern) if file.is_file())
    held = _rows(site, "SELECT kind, name FROM resources WHERE wake_at IS NULL AND lease_owner IS NOT NULL")
    yield from (f"a lease is held for nothing: {each}" for each in held)
    places = _rows(site, 'SELECT CAST("row" AS TEXT) FROM places')
    yield from (f"a place is kept for nothing: that of row {each}" for each in places)
    for upload in site.client("s3").list_multipart_uploads(Bucket=site.bucket).get("Uploads", []):
        if not upload["Key"].startswith("objects/"):
            yield f"an upload of a job is left: {upload['Key']}"


def _rows(site: Site, question: str) -> list[str]:
    """What the database answers."""
    engine = create_engine(site.plant.installation.settings.database_url)
    with engine.connect() as connection:
        rows = connection.execute(text(question)).all()
    engine.dispose()
    return [" ".join(row) for row in rows]
