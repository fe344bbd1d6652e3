"""A function as something to run: its environment, as the agents know it.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
"""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from clary.compute.functions.pool import Call
from clary.compute.spec import JobSpec, Limits
from clary.core.ids import token
from clary.resources.context import Platform
from clary.services.lambda_.code import TASK_ROOT, volume_of
from clary.services.lambda_.functions import image_of, log_group, variables_of
from clary.services.lambda_.names import LATEST
from clary.services.logs.api import register_stream
from clary.state.records import Record

TICKET_SECONDS = 3_600.0
"""As long as the credentials that an environment fetches when it starts."""
_OWN_MEMORY = 48 << 20
"""Bytes for the process beside the function's."""
_GRACE_SECONDS = 1.0
_PROCESSES = 1_024
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def call_of(platform: Platform, record: Record) -> Call:
    """How the function is called."""

    def make(id: str) -> tuple[JobSpec, str]:
        ticket = platform.identity.ticket(record.document["Role"], record.name, TICKET_SECONDS, 0)
        return _spec(platform, record, id), ticket

    return Call(record.id, record.document["RevisionId"], make, float(record.document["Timeout"]))


def _spec(platform: Platform, record: Record, id: str) -> JobSpec:
    document, key = record.document, record.key
    group, stream = log_group(record), _stream(platform)
    register_stream(platform, key.account, key.region, group, stream, platform.placement.log(id))
    image = platform.images.spec(image_of(record))
    return JobSpec(
        id=id,
        kind="server",
        image=image,
        command=["python", "-m", "clary_runtimes.functions"],
        environment={
            "_HANDLER": document["Handler"],
            "LAMBDA_TASK_ROOT": TASK_ROOT,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{document['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": record.name,
            "AWS_LAMBDA_FUNCTION_VERSION": LATEST,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(document["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "TZ": ":UTC",
            "CLARY_FUNCTION_TIMEOUT": str(document["Timeout"]),
            "CLARY_FUNCTION_VARIABLES": orjson.dumps(variables_of(platform, record)).decode(),
        },
        volumes={TASK_ROOT: volume_of(record)},
        fixed=[TASK_ROOT],
        limits=Limits(
            grace_s=_GRACE_SECONDS,
            memory_bytes=(document["MemorySize"] << 20) + _OWN_MEMORY,
            disk_bytes=document["EphemeralStorage"]["Size"] << 20,
            processes=_PROCESSES,
        ),
        endpoint_url=platform.settings.url,
        region=key.region,
        role_arn=document["Role"],
    )


def _stream(platform: Platform) -> str:
    """A name for a log stream, as AWS makes them."""
    day = datetime.fromtimestamp(platform.clock(), UTC).strftime("%Y/%m/%d")
    return f"{day}/[{LATEST}]{token(32)}"
