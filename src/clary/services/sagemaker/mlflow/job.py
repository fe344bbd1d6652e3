"""A tracking server as a server to run.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-create-tracking-server.html
"""

from __future__ import annotations

from clary.compute.admission import GIB, this_machine
from clary.compute.spec import ImageSpec, JobSpec, Limits
from clary.resources.context import Platform
from clary.state.records import Record

FOLDER = "/var/lib/mlflow"
"""Where the server finds its volume: the database is in it."""
START_SECONDS = 300
GRACE_SECONDS = 15
MEMORY = {"Small": 2 * GIB, "Medium": 4 * GIB, "Large": 8 * GIB}
"""Bytes that a server of each size may use. One process serves: SQLite takes one writer at a time."""


def image_of(version: str) -> str:
    """The image of a version of MLflow, as the catalogue has it."""
    return f"clary-mlflow:{version}"


def server_id(record: Record) -> str:
    """The id of a server's job, and the name of its volume."""
    return f"{record.key.kind}-{record.id}"


def server_spec(platform: Platform, record: Record, image: ImageSpec, attempt: int) -> JobSpec:
    """The server as its record wants it."""
    wanted = record.document
    environment = {
        "CLARY_TRACKING_FOLDER": FOLDER,
        "CLARY_TRACKING_ARTIFACTS": wanted["ArtifactStoreUri"].rstrip("/"),
    }
    if wanted["S3BucketOwnerVerification"]:
        environment["MLFLOW_S3_EXPECTED_BUCKET_OWNER"] = wanted["S3BucketOwnerAccountId"]
    return JobSpec(
        id=server_id(record),
        attempt=attempt,
        kind="server",
        image=image,
        environment=environment,
        volumes={FOLDER: server_id(record)},
        health="/health",
        limits=Limits(
            grace_s=GRACE_SECONDS,
            start_s=START_SECONDS,
            memory_bytes=min(MEMORY[wanted["TrackingServerSize"]], this_machine(platform.settings).memory),
        ),
        endpoint_url=platform.settings.url,
        region=record.key.region,
        role_arn=wanted["RoleArn"],
    )
