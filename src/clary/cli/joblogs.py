"""The logs of jobs and endpoints, as CloudWatch Logs gives them.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clary.cli.client import ApiError, Client
from clary.cli.mistakes import Mistake


@dataclass(frozen=True)
class Source:
    """Where a kind of job logs, and how to see whether it is over."""

    kind: str
    group: str
    describe: str
    member: str
    status: str
    over: tuple[str, ...]


_OVER = ("Completed", "Failed", "Stopped")
SOURCES = (
    Source(
        "training", "/aws/sagemaker/TrainingJobs", "DescribeTrainingJob", "TrainingJobName", "TrainingJobStatus", _OVER
    ),
    Source(
        "processing",
        "/aws/sagemaker/ProcessingJobs",
        "DescribeProcessingJob",
        "ProcessingJobName",
        "ProcessingJobStatus",
        _OVER,
    ),
    Source(
        "transform",
        "/aws/sagemaker/TransformJobs",
        "DescribeTransformJob",
        "TransformJobName",
        "TransformJobStatus",
        _OVER,
    ),
    Source("endpoint", "/aws/sagemaker/Endpoints/{name}", "DescribeEndpoint", "EndpointName", "EndpointStatus", ()),
)
KINDS = tuple(source.kind for source in SOURCES)


@dataclass(frozen=True)
class Line:
    """One line of a log: ``time`` in seconds since the epoch, the host or variant that wrote it."""

    time: float
    stream: str
    text: str


class JobLog:
    """The log of the job or endpoint ``name``; ``kind`` is one of ``KINDS``, or empty to look for it."""

    def __init__(self, client: Client, name: str, kind: str = "") -> None:
        self._client = client
        self.name = name
        self.source = self._find(kind)
        self._tokens: dict[str, str] = {}

    def _find(self, kind: str) -> Source:
        if kind and kind not in KINDS:
            raise Mistake(f"not a kind: {kind!r}; it is one of {', '.join(KINDS)}", 2)
        for source in SOURCES:
            # The log of a kind that is named outlives the endpoint that wrote it.
            if kind in ("", source.kind) and (self._status(source) is not None or (kind and self._streams(source))):
                return source
        wanted = {"": "training, processing or transform job and no endpoint", "endpoint": "endpoint"}
        raise Mistake(f"there is no {wanted.get(kind, f'{kind} job')} named {self.name!r}")

    def _status(self, source: Source) -> str | None:
        try:
            answer = self._client.call("sagemaker", source.describe, **{source.member: self.name})
        except ApiError as error:
            # A kind that the platform does not know yet has no job of that name either.
            if error.code in ("ValidationException", "ResourceNotFound", "UnknownOperationException"):
                return None
            raise
        return str(answer[source.status])

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        status = self._status(self.source)
        return status is None or status in self.source.over

    def read(self) -> Iterator[Line]:
        """The lines that came since the last call, in the order of their times."""
        lines: list[Line] = []
        group = self.source.group.format(name=self.name)
        for stream in self._streams(self.source):
            lines += self._read_stream(group, stream)
        yield from sorted(lines, key=lambda line: line.time)

    def follow(self, pause: float = 0.5) -> Iterator[Line]:
        """The lines from the first on, until the job is over."""
        while True:
            over = self.is_over
            yield from self.read()
            if over:
                return
            time.sleep(pause)

    def _streams(self, source: Source) -> list[str]:
        names: list[str] = []
        wanted: dict[str, Any] = {"logGroupName": source.group.format(name=self.name)}
        if source.kind != "endpoint":
            wanted["logStreamNamePrefix"] = f"{self.name}/"
        while True:
            try:
                answer = self._client.call("logs", "DescribeLogStreams", **wanted)
            except ApiError as error:
                if error.code == "ResourceNotFoundException":
                    return names
                raise
            names += [stream["logStreamName"] for stream in answer.get("logStreams", [])]
            if not answer.get("nextToken"):
                return names
            wanted["nextToken"] = answer["nextToken"]

    def _read_stream(self, group: str, stream: str) -> Iterator[Line]:
        while True:
            wanted: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
            token = self._tokens.get(stream)
            if token:
                wanted["nextToken"] = token
            answer = self._client.call("logs", "GetLogEvents", **wanted)
            for event in answer["events"]:
                yield Line(event["timestamp"] / 1000, stream.removeprefix(f"{self.name}/"), event["message"])
            self._tokens[stream] = answer["nextForwardToken"]
            # The same token twice means the end of what there is now.
            if answer["nextForwardToken"] == token or not answer["events"]:
                return
