"""How one job must have ended, given what its program was to do and what hit it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from .site import Job, Site

WANTED = {"complete": "Completed", "fail": "Failed", "stop": "Stopped"}
STEPS = 4
MOST = 1000
"""Characters of a description that are told."""


def outcome(site: Site, job: Job, described: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a job that has ended."""
    runs, hits, status = site.witness.runs(job.name), +site.hits[job.name], job.status(described)
    told = f"{job.kind} {job.name} ({job.fate}, {dict(hits) or 'not hit'}, {len(runs)} runs) is {status}"
    if reason := described.get("FailureReason"):
        told += f": {reason}"
    if any(run.beside for run in runs):
        yield f"{told}, and ran twice at the same time"
    if len(runs) > 1 + hits["agent"] + 2 * hits["disk"]:
        yield f"{told}, which is too many: {runs}"
    if status == "Failed" and not reason:
        yield f"{told} without a reason"
    wanted = WANTED[job.fate]
    # What kills the program itself is the program's failure; a full disk may be anything's.
    if status != wanted and not (hits["process"] and status == "Failed") and not hits["disk"]:
        yield f"{told} and was to be {wanted}: {str(described)[:MOST]}"
    elif not hits and job.fate != "stop" and len(runs) != 1:
        yield f"{told}, and was to run once: {runs}"
    if status == "Completed" and runs:
        yield from _left_behind(site, job, described, told)


def _left_behind(site: Site, job: Job, described: dict[str, Any], told: str) -> Iterator[str]:
    """What a job has made is that of its last attempt, whole."""
    runs = site.witness.runs(job.name)
    if job.kind == "TrainingJob":
        made = site.plant.model(described)
    else:
        made = _stored(site, f"{'processed' if job.kind == 'ProcessingJob' else 'transformed'}/{job.name}/")
    expected = job.expected or {f"part-{step}": (runs[-1].nonce * 10_000).encode() for step in range(STEPS)}
    if made != expected:
        sizes = {name: (len(body), body[:16]) for name, body in made.items()}
        yield f"{told} and has made {sizes}; its runs: {[run.nonce for run in runs]}"
    if job.kind == "TrainingJob" and not site.hits[job.name].total():
        printed = [f"step {step} {runs[-1].nonce}" for step in range(STEPS)]
        if site.plant.lines(job.name) != printed:
            yield f"{told} and has logged {site.plant.lines(job.name)}; its run: {runs[-1].nonce}"


def _stored(site: Site, prefix: str) -> dict[str, bytes]:
    s3 = site.client("s3")
    try:
        listed = s3.list_objects_v2(Bucket=site.bucket, Prefix=prefix).get("Contents", [])
        return {
            each["Key"].removeprefix(prefix): s3.get_object(Bucket=site.bucket, Key=each["Key"])["Body"].read()
            for each in listed
        }
    except ClientError as error:
        return {str(error): b""}
