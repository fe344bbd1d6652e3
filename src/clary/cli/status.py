"""What runs in an installation, its processes, jobs and endpoints, and what is wrong with them."""

from __future__ import annotations

import json
import time
from typing import Any

from clary import __version__
from clary.cli import objects
from clary.cli.client import ApiError
from clary.cli.installation import Installation
from clary.cli.mistakes import Mistake

_KINDS = (
    ("training jobs", "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", "InProgress"),
    ("processing jobs", "ListProcessingJobs", "ProcessingJobSummaries", "ProcessingJobName", "InProgress"),
    ("transform jobs", "ListTransformJobs", "TransformJobSummaries", "TransformJobName", "InProgress"),
    ("endpoints", "ListEndpoints", "Endpoints", "EndpointName", "InService"),
)


_MARKS = {"error": "✗", "warning": "!"}
_PATIENCE_S = 30.0
"""The platform asks each of its processes, and waits for one that does not answer."""


def work(installation: Installation) -> dict[str, list[str]]:
    """The names of the jobs that run and of the endpoints in service, by kind. Raises ``ApiError`` and ``OSError``."""
    client = installation.client(timeout=5)
    found: dict[str, list[str]] = {}
    for kind, operation, member, name, state in _KINDS:
        try:
            answer = client.call("sagemaker", operation, StatusEquals=state, MaxResults=100)
        except ApiError as error:
            # A kind that this version does not have yet.
            if error.code == "UnknownOperationException":
                continue
            raise
        found[kind] = [summary[name] for summary in answer.get(member, [])]
    return found


def at_work(installation: Installation) -> str:
    """``2 training jobs and 1 endpoints``, as far as it can be found out; empty if nothing runs."""
    try:
        found = work(installation)
    except (ApiError, OSError, Mistake):
        return ""
    return " and ".join(
        f"{len(names)} {kind if len(names) > 1 else kind[:-1]}" for kind, names in found.items() if names
    )


def problems(installation: Installation) -> list[dict[str, Any]]:
    """What is wrong, the worst first: ``severity``, ``code``, ``text``, ``remedy`` and ``resources`` of each.

    Raises ``ApiError`` and ``OSError``.
    """
    status, body = installation.client(timeout=_PATIENCE_S).send("GET", "/_clary/health/problems", "clary")
    document: dict[str, Any] = json.loads(body)
    if status != 200:
        raise ApiError(str(document.get("code", "Unknown")), str(document.get("message", "")), status)
    found: list[dict[str, Any]] = document["problems"]
    return found


def collect(installation: Installation) -> dict[str, Any]:
    """The document that ``clary status --json`` prints."""
    running = installation.running
    document: dict[str, Any] = {
        "running": running is not None,
        "ready": False,
        "problems": [],
        "home": str(installation.home),
        "version": __version__,
    }
    if running is None:
        return document
    document |= {
        "ready": running.ready,
        "version": running.version,
        "url": running.url,
        "port": running.port,
        "region": installation.settings.region,
        "account": installation.settings.account,
        "uptime_s": round(time.time() - running.started, 1),
        "processes": {
            "supervisor": {"pid": running.pid, "restarts": 0},
            **{name: {"pid": child["pid"], "restarts": child["restarts"]} for name, child in running.children.items()},
        },
    }
    document["objects"] = objects.describe(installation)
    try:
        # First, for they are told also while the control plane does not answer.
        document["problems"] = problems(installation)
        document["work"] = work(installation)
    except (ApiError, OSError) as error:
        document["ready"] = False
        document["problem"] = f"the API does not answer: {error}"
    return document


def render(document: dict[str, Any], installation: Installation) -> str:
    """The same for people."""
    if not document["running"]:
        state = "is starting or stopping" if installation.held else "is not running"
        return f"Clary {state} in {document['home']}.\nStart it with: {installation.command('up --detach')}"
    lines = [
        f"Clary {document['version']} {'runs' if document['ready'] else 'is not ready'} on {document['url']}",
        f"  Home       {document['home']}",
        f"  Account    {document['account']}, region {document['region']}",
        f"  Up         {_duration(document['uptime_s'])}",
    ]
    kept = document["objects"]
    if kept["store"] == "external":
        lines.append(f"  Objects    {kept['place']}, {kept['problem'] or 'which answers'}")
    for name, process in document["processes"].items():
        restarts = f", started again {process['restarts']} times" if process["restarts"] else ""
        lines.append(f"  {name.capitalize():<10} process {process['pid']}{restarts}")
    for kind, names in document.get("work", {}).items():
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        lines.append(f"  {kind.capitalize():<16} {len(names)}{': ' + shown if names else ''}")
    lines.append("")
    if "problem" in document:
        lines += [
            f"{_MARKS['error']} {document['problem']}",
            f"  The ends of the logs in {installation.settings.log} say why.",
        ]
    for problem in document["problems"]:
        lines += [f"{_MARKS[problem['severity']]} {problem['text']}", f"  {problem['remedy']}"]
    if not document["problems"] and document["ready"]:
        lines.append("Everything works.")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {int(seconds % 60)} s" if minutes else f"{seconds:.0f} s"
