"""How an endpoint comes into service, changes, stays healthy and goes.

The endpoint's document keeps under ``_serving`` the deployment that answers now (``current``), during an update the one
that shall replace it (``next``) and how far its traffic has been shifted (``shift``), and servers that only finish what
they have (``old``). What clients shall reach changes in the transaction that records the change.
"""

from __future__ import annotations

import logging
from typing import Any

from clary.resources.context import Reconciliation
from clary.resources.lifecycle import Lifecycle
from clary.services.sagemaker.endpoints import servers
from clary.services.sagemaker.endpoints.deployment import (
    Deployment,
    DeploymentFailed,
    Server,
    fill,
    plan,
    retain,
    unplanned,
)
from clary.services.sagemaker.endpoints.shifting import Alarmed, Shift, begin, further, policy_of
from clary.services.sagemaker.endpoints.traced import deployment_spans, end_span, ending, traffic_span
from clary.services.sagemaker.endpoints.traffic import route

log = logging.getLogger(__name__)

ENDPOINT = Lifecycle(
    {
        "Creating": ("InService", "Failed", "Deleting"),
        "Updating": ("InService", "Failed", "Deleting"),
        "InService": ("Updating", "Deleting"),
        "Failed": ("Deleting",),
    }
)

STARTING_SECONDS = 0.5
"""How often a deployment that is starting is looked at, even if no agent says anything."""
SERVING_SECONDS = 2.0
"""How often servers in service are looked at."""
DRAIN_SECONDS = 3.0
"""For how long replaced servers are left alone: until nothing is sent to them any more. Then they finish what they have
and end."""

SERVING = "_serving"
WANTED = "_wanted"
"""In the endpoint's document: the configuration that is to be deployed; absent while none is."""
UPDATE = "_update"
"""In the endpoint's document: the members of the ``UpdateEndpoint`` request that say how."""


def reconcile(look: Reconciliation) -> float | None:
    """Take the next step for an endpoint (see ``clary.resources.context.Reconciler``)."""
    beginning: dict[str, Any] = {"generation": 0, "current": None, "next": None, "shift": None, "old": []}
    serving = look.record.document.setdefault(SERVING, beginning)
    steps = {"Creating": _deploy, "Updating": _deploy, "InService": _keep, "Failed": _rest, "Deleting": _delete}
    return steps[look.record.status](look, serving)


def _deploy(look: Reconciliation, serving: dict[str, Any]) -> float | None:
    if _end_replaced(look, serving):
        look.save()
    if serving["next"] is None and WANTED not in look.record.document:
        return _scale(look, serving)
    try:
        if serving["next"] is None:
            serving["next"] = _plan(look, serving)
            look.save(
                lambda transaction: servers.register_logs(look.platform, transaction, look.record, serving["next"])
            )
        if not servers.start(look.platform, look.record, serving["next"]):
            if serving["shift"] is not None:
                _heal(look, serving["current"])
            return STARTING_SECONDS
        if serving["current"] is None:
            return _adopt(look, serving)
        return _shift(look, serving)
    except (DeploymentFailed, Alarmed) as error:
        return _give_up(look, serving, str(error))


def _plan(look: Reconciliation, serving: dict[str, Any]) -> Deployment:
    document = look.record.document
    serving["generation"] += 1
    deployment = plan(look.platform, look.record, document[WANTED], serving["generation"])
    how = document.get(UPDATE, {})
    if how.get("RetainAllVariantProperties") and serving["current"] is not None:
        excluded = {each["VariantPropertyType"] for each in how.get("ExcludeRetainedVariantProperties", ())}
        retain(deployment, serving["current"], excluded)
    return deployment


def _shift(look: Reconciliation, serving: dict[str, Any]) -> float | None:
    """Move the traffic to the next deployment, step by step. Raises ``Alarmed``."""
    platform, record = look.platform, look.record
    policy = policy_of(record.document)
    now = platform.clock()
    shift: Shift = serving["shift"] or begin(now)
    if serving["shift"] is None:
        serving["shift"] = shift
        _publish(look, serving, policy.share(shift, serving["next"]))
    with platform.database.read() as transaction:
        policy.check(transaction, record, now - serving["next"]["since"])
    left = policy.left(shift, now)
    if left > 0:
        _heal(look, serving["current"])
        return min(left, STARTING_SECONDS)
    share = policy.share(shift, serving["next"])
    look.trace(traffic_span(serving["next"], shift, share, now))
    if share < 1:
        serving["shift"] = further(shift, now)
        _publish(look, serving, policy.share(serving["shift"], serving["next"]))
        return 0.0
    _retire(look, serving, serving["current"]["servers"], serving["next"], policy.termination_wait)
    return _adopt(look, serving)


def _adopt(look: Reconciliation, serving: dict[str, Any]) -> float:
    """The next deployment is the current one from now on."""
    record = look.record
    look.trace(deployment_spans(look.platform, serving["next"], look.platform.clock()))
    serving["current"], serving["next"], serving["shift"] = serving["next"], None, None
    record.document["EndpointConfigName"] = serving["current"]["config"]
    for member in ("FailureReason", WANTED, UPDATE):
        record.document.pop(member, None)
    ENDPOINT.move(record, "InService")
    _publish(look, serving)
    return SERVING_SECONDS


def _scale(look: Reconciliation, serving: dict[str, Any]) -> float | None:
    """Have as many servers as are wanted now, and the weights that are."""
    current: Deployment = serving["current"]
    known = len(current["servers"])
    surplus = fill(current)
    if surplus:
        # First nobody sends anything to them, and then they end.
        _retire(look, serving, surplus, current)
        _publish(look, serving)
    elif len(current["servers"]) > known:
        look.save(lambda transaction: servers.register_logs(look.platform, transaction, look.record, current))
    try:
        if not servers.start(look.platform, look.record, current):
            return STARTING_SECONDS
        look.record.document.pop("FailureReason", None)
    except DeploymentFailed as error:
        # What is there goes on serving; the others are tried again with the pauses of servers in service.
        look.record.document["FailureReason"] = str(error)[:1024]
    ENDPOINT.move(look.record, "InService")
    _publish(look, serving)
    return SERVING_SECONDS


def _give_up(look: Reconciliation, serving: dict[str, Any], reason: str) -> float | None:
    """End a deployment that failed: a new endpoint has failed with it, an updated one goes on as it was."""
    record, now = look.record, look.platform.clock()
    record.document["FailureReason"] = reason[:1024]
    over, shifted = serving["next"], serving["shift"]
    if over is None:
        over = unplanned(record, record.document[WANTED], serving["generation"], now)
    if shifted is not None:
        share = policy_of(record.document).share(shifted, over)
        look.trace(traffic_span(over, shifted, share, now, reason))
    look.trace(deployment_spans(look.platform, over, now, reason))
    if over["servers"]:
        # Recorded before it is done, so that its servers are ended even if the control plane is killed here.
        _retire(look, serving, over["servers"], over)
    serving["next"] = serving["shift"] = None
    for member in (WANTED, UPDATE):
        record.document.pop(member, None)
    ENDPOINT.move(record, "Failed" if serving["current"] is None else "InService")
    if shifted is not None:
        _publish(look, serving)
    else:
        look.save()
    return 0.0


def _retire(
    look: Reconciliation, serving: dict[str, Any], over: list[Server], by: Deployment, seconds: float = 0.0
) -> None:
    """Have servers ended that the deployment ``by`` does without."""
    now = look.platform.clock()
    until = now + max(DRAIN_SECONDS, seconds)
    serving["old"].append({"servers": list(over), "until": until, **ending(by, now)})


def _publish(look: Reconciliation, serving: dict[str, Any], share: float = 0.0) -> None:
    """Store the endpoint, and tell the edge where it answers: the next deployment gets ``share`` of the traffic."""
    record = look.record
    shares = [(serving["current"], 1 - share)]
    if share:
        shares.append((serving["next"], share))
    document = route(look.platform.placement, record.arn, shares)
    look.save(lambda transaction: transaction.set_route(record.key.account, record.key.region, record.name, document))


def _keep(look: Reconciliation, serving: dict[str, Any]) -> float | None:
    """Look after servers in service: replaced ones are ended, lost ones started again, moves published."""
    ended = _end_replaced(look, serving)
    if _heal(look, serving["current"]):
        _publish(look, serving)
    elif ended:
        look.save()
    return SERVING_SECONDS


def _heal(look: Reconciliation, deployment: Deployment) -> bool:
    """Start lost servers again; whether any has another address than is known."""
    moved = False
    for server in deployment["servers"]:
        observed = look.platform.placement.observe(server["id"])
        if observed.due_again(look.platform.clock()):
            try:
                servers.launch_when_ready(look.platform, look.record, deployment, server, observed)
            except DeploymentFailed as error:
                # The others are served all the same; this one is tried again at the next look.
                log.warning("%s: %s", look.record.arn, error)
            observed = look.platform.placement.observe(server["id"])
        moved = moved or observed.address != server.get("address")
    return moved


def _end_replaced(look: Reconciliation, serving: dict[str, Any]) -> bool:
    """Let the servers whose time has come finish what they have, and forget those that did; whether there were any."""
    now = look.platform.clock()
    over = [
        old
        for old in serving["old"]
        if old["until"] <= now and servers.finish(look.platform, old["servers"], now - old["until"])
    ]
    serving["old"] = [old for old in serving["old"] if old not in over]
    for old in over:
        look.trace(end_span(old, now))
    return bool(over)


def _rest(look: Reconciliation, serving: dict[str, Any]) -> float | None:
    """A failed endpoint waits to be deleted, without servers."""
    for old in serving["old"]:
        servers.end(look.platform, old["servers"])
        look.trace(end_span(old, look.platform.clock()))
    serving["old"] = []
    look.record.wake_at = None
    look.save()
    return None


def _delete(look: Reconciliation, serving: dict[str, Any]) -> None:
    key = look.record.key
    with look.platform.database.write() as transaction:
        transaction.set_route(key.account, key.region, key.name, None)
    for deployment in (serving["current"], serving["next"], *serving["old"]):
        if deployment is not None:
            servers.end(look.platform, deployment["servers"])
    look.delete()
