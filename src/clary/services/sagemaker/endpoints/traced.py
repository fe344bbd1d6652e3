"""The spans of a deployment: its own, those of its servers' starts, of the steps of its traffic, and of the end of the
servers that it does without.

All of it follows from what the endpoint's document keeps and from what the agents have said, so that it is the same
whichever process sees it. Of a deployment that was not asked for in a trace there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from clary.core.tracing import Span, Trace, read
from clary.resources.context import Platform

_STEPS = {"starting": "Starting", "downloading": "Downloading", "downloaded": "Starting", "running": "Loading"}
"""What a server does from an event of its agent to the next."""


def deployment_place(deployment: Mapping[str, Any]) -> Trace | None:
    """The place of a deployment's own span, which its servers are told."""
    trace = read(deployment.get("trace"))
    return trace.derived(deployment["prefix"]) if trace is not None else None


def deployment_spans(
    platform: Platform, deployment: Mapping[str, Any], ended: float, error: str = ""
) -> Iterator[Span]:
    """The spans of a deployment that has come into service, or with an ``error`` has failed, and of its servers."""
    place, parent = deployment_place(deployment), read(deployment.get("trace"))
    if place is None or parent is None:
        return
    yield Span(f"Deployment {deployment['config']}", place, parent, deployment["since"], ended, error)
    for server in deployment["servers"]:
        events = platform.placement.observe(server["id"]).events
        number = f"{server['instance']}" + (f".{server['container']}" if server["container"] else "")
        name = f"Server {server['variant']}/{number}"
        yield from _server_spans(name, place.derived(server["id"]), place, deployment["since"], events, ended)


def _server_spans(
    name: str, place: Trace, parent: Trace, since: float, events: Sequence[Mapping[str, Any]], ended: float
) -> Iterator[Span]:
    """The start of a server, from when it was wanted until it served, and what it did until then."""
    until, error = ended, ""
    for event in events:
        if event["event"] in ("serving", "failed"):
            until, error = event["time"], event.get("message", "")
    yield Span(name, place, parent, since, until, error)
    if events:
        yield Span("Pending", place.derived("Pending"), place, since, events[0]["time"])
    for event, following in pairwise(events):
        if (step := _STEPS.get(event["event"])) is not None:
            began = event["time"]
            yield Span(step, place.derived(f"{event['event']}{began}"), place, began, following["time"])


def traffic_span(
    deployment: Mapping[str, Any], shift: Mapping[str, Any], share: float, ended: float, error: str = ""
) -> Iterator[Span]:
    """A step in which a deployment had ``share`` of the traffic, from 0 to 1, is over."""
    if (parent := deployment_place(deployment)) is not None:
        place = parent.derived(f"traffic {shift['step']}")
        yield Span(f"Traffic {share:.0%}", place, parent, shift["since"], ended, error)


def ending(by: Mapping[str, Any], now: float) -> dict[str, Any]:
    """What is kept with servers that a deployment does without from ``now`` on."""
    place = deployment_place(by)
    return {"since": now, "trace": str(place)} if place is not None else {}


def end_span(old: Mapping[str, Any], ended: float) -> Iterator[Span]:
    """Servers that were done without have ended."""
    if (parent := read(old.get("trace"))) is not None:
        yield Span("Ending servers", parent.derived(f"end {old['since']}"), parent, old["since"], ended)
