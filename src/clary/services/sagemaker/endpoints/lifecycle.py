"""How an endpoint comes into service, changes its configuration, stays healthy and goes.

A deployment is the set of servers that one configuration asks for. The endpoint's document keeps under ``_serving`` the
deployment that answers now and, during an update, the one that shall replace it; the route changes in the transaction
that records the change.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.compute.admission import Admitted, Request, admit, this_machine
from clary.compute.images.catalog import ImageNotExact, ImageNotFound
from clary.compute.placement.base import Observation, PlacementError
from clary.core.errors import ServiceError
from clary.resources.context import Platform, Reconciliation
from clary.resources.lifecycle import Lifecycle
from clary.services.logs.api import register_stream
from clary.services.sagemaker.endpoints.server import server_spec
from clary.services.sagemaker.models.api import container_of
from clary.state.records import Key, Record
from clary.state.transaction import Transaction

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
"""For how long replaced servers finish the requests that they have."""
ATTEMPTS = 5
"""How often a server is launched whose agent dies before the deployment is in service."""
TICKET_SECONDS = 10 * 365 * 86_400.0
"""A server may run for years, and fetches its credentials by the hour."""

SERVING = "_serving"


class DeploymentFailed(Exception):
    """A deployment cannot come into service; the message is the endpoint's failure reason."""


def reconcile(look: Reconciliation) -> float | None:
    """Take the next step for an endpoint (see ``clary.resources.context.Reconciler``)."""
    serving = look.record.document.setdefault(SERVING, {"generation": 0, "current": None, "next": None, "old": []})
    steps = {"Creating": _deploy, "Updating": _deploy, "InService": _keep, "Failed": _rest, "Deleting": _delete}
    return steps[look.record.status](look, serving)


def _deploy(look: Reconciliation, serving: dict[str, Any]) -> float | None:
    record, platform = look.record, look.platform
    try:
        if serving["next"] is None:
            serving["next"] = _plan(platform, record, serving)
            look.save(lambda transaction: _register_logs(platform, transaction, record, serving["next"]))
        if not _start(platform, record, serving["next"]):
            return STARTING_SECONDS
    except DeploymentFailed as error:
        return _give_up(look, serving, str(error))
    if serving["current"] is not None:
        serving["old"].append({**serving["current"], "until": platform.clock() + DRAIN_SECONDS})
    serving["current"], serving["next"] = serving["next"], None
    record.document["EndpointConfigName"] = serving["current"]["config"]
    record.document.pop("FailureReason", None)
    ENDPOINT.move(record, "InService")
    _publish(look, serving)
    return SERVING_SECONDS


def _plan(platform: Platform, record: Record, serving: dict[str, Any]) -> dict[str, Any]:
    """The servers that the wanted configuration asks for, with all that is needed to start them."""
    serving["generation"] += 1
    config_name = record.document["_wanted"]
    key = record.key
    with platform.database.read() as transaction:
        config = transaction.get(key._replace(kind="EndpointConfig", name=config_name))
        if config is None:
            raise DeploymentFailed(f"The endpoint configuration {config_name!r} was deleted.")
        servers = []
        for number, variant in enumerate(config.document["ProductionVariants"]):
            model = transaction.get(Key(key.account, key.region, key.service, "Model", "", variant["ModelName"]))
            if model is None:
                raise DeploymentFailed(f"The model {variant['ModelName']!r} was deleted.")
            server = f"Endpoint-{record.id}-{serving['generation']}.{number}"
            servers.append({"id": server, "attempt": 1, "variant": variant, "model": _shown(model.document)})
    return {"config": config_name, "servers": servers}


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "CreatedBy"}


def _register_logs(platform: Platform, transaction: Transaction, record: Record, plan: Mapping[str, Any]) -> None:
    group = f"/aws/sagemaker/Endpoints/{record.name}"
    for server in plan["servers"]:
        stream = f"{server['variant']['VariantName']}/i-{server['id'].partition('-')[2].replace('.', '-')}"
        path = platform.placement.log(server["id"])
        register_stream(transaction, record.key.account, record.key.region, group, stream, path)


def _start(platform: Platform, record: Record, plan: Mapping[str, Any]) -> bool:
    """Start the servers of a deployment that are not started; whether all of them serve.

    Raises ``DeploymentFailed``.
    """
    # Every server is started before any is waited for.
    serving = [_start_server(platform, record, server) for server in plan["servers"]]
    return all(serving)


def _start_server(platform: Platform, record: Record, server: Mapping[str, Any]) -> bool:
    observed = platform.placement.observe(server["id"])
    name = server["variant"]["VariantName"]
    if observed.terminal is not None:
        raise DeploymentFailed(_why(name, observed.terminal))
    if observed.started and not observed.lost:
        return observed.address is not None
    if observed.attempt >= ATTEMPTS:
        raise DeploymentFailed(f"Variant {name}: the agent of its server died {observed.attempt} times.")
    _launch_when_ready(platform, record, server, observed)
    return False


def _why(variant: str, event: Mapping[str, Any]) -> str:
    """The failure reason of a server that ended, as SageMaker words it where it does."""
    if event.get("code") == "ping":
        return (
            f"The primary container for production variant {variant} did not pass the ping health check. "
            f"Please check CloudWatch logs for this endpoint. {event.get('detail') or event.get('message', '')}"
        )
    return f"Variant {variant}: {event.get('message') or 'the model server ended.'}"


def _launch_when_ready(platform: Platform, record: Record, server: Mapping[str, Any], observed: Observation) -> None:
    """Launch a server's next attempt, or have its image built first. Raises ``DeploymentFailed``."""
    uri = container_of(server["model"])["Image"]
    try:
        state = platform.images.ensure(uri)
    except (ImageNotFound, ImageNotExact) as error:
        raise DeploymentFailed(f"Cannot pull image {uri!r}: {error}") from error
    if state.state == "failed":
        raise DeploymentFailed(f"Cannot pull image {uri!r}: {state.message}")
    if state.state == "ready":
        _launch(platform, record, server, attempt=observed.attempt + 1)


def _launch(platform: Platform, record: Record, server: Mapping[str, Any], attempt: int) -> None:
    container = container_of(server["model"])
    image = platform.images.spec(container["Image"])
    request = Request(server["id"], "server", server["variant"]["InstanceType"])
    room = admit(request, (), this_machine(platform.settings), strict=platform.settings.strict)
    if not isinstance(room, Admitted):
        raise DeploymentFailed(room.reason)
    spec = server_spec(platform, record, server["variant"], server["model"], container, image, room)
    try:
        ticket = platform.identity.ticket(spec.role_arn, "SageMaker", TICKET_SECONDS, record.id)
        platform.placement.launch(replace(spec, id=server["id"], attempt=attempt), ticket)
    except ServiceError as error:
        # The role was deleted since the model was made.
        raise DeploymentFailed(f"Could not assume role {spec.role_arn}: {error.message}") from error
    except PlacementError as error:
        raise DeploymentFailed(str(error)) from error


def _give_up(look: Reconciliation, serving: dict[str, Any], reason: str) -> float | None:
    """End a deployment that failed: a new endpoint has failed with it, an updated one goes on as it was."""
    record = look.record
    record.document["FailureReason"] = reason[:1024]
    if serving["next"] is not None:
        # Recorded before it is done, so that its servers are ended even if the control plane is killed here.
        serving["old"].append({**serving["next"], "until": 0.0})
    serving["next"] = None
    if serving["current"] is not None:
        record.document["_wanted"] = serving["current"]["config"]
    ENDPOINT.move(record, "Failed" if serving["current"] is None else "InService")
    look.save()
    return 0.0


def _publish(look: Reconciliation, serving: Mapping[str, Any]) -> None:
    """Store the endpoint, and tell the edge where its variants answer."""
    record = look.record
    variants = []
    for server in serving["current"]["servers"]:
        address = server["address"] = look.platform.placement.observe(server["id"]).address
        variants.append(
            {
                "name": server["variant"]["VariantName"],
                "weight": server["variant"]["InitialVariantWeight"],
                "addresses": [address] if address else [],
            }
        )
    route = {"arn": record.arn, "variants": variants}
    look.save(lambda transaction: transaction.set_route(record.key.account, record.key.region, record.name, route))


def _keep(look: Reconciliation, serving: dict[str, Any]) -> float | None:
    """Look after servers in service: replaced ones are ended, lost ones started again, moves published."""
    platform, record = look.platform, look.record
    moved = False
    for server in serving["current"]["servers"]:
        observed = platform.placement.observe(server["id"])
        if _due_again(platform, observed):
            try:
                _launch_when_ready(platform, record, server, observed)
            except DeploymentFailed as error:
                # The others are served all the same; this one is tried again at the next look.
                log.warning("%s: %s", record.arn, error)
            observed = platform.placement.observe(server["id"])
        moved = moved or observed.address != server.get("address")
    ended = _end_replaced(platform, serving)
    if moved:
        _publish(look, serving)
    elif ended:
        look.save()
    return SERVING_SECONDS


def _due_again(platform: Platform, observed: Observation) -> bool:
    """Whether a server in service is to be launched again."""
    if observed.terminal is None:
        return observed.lost or not observed.started
    # It gave up. The pause grows each time, for the cause may be lasting.
    pause: int = min(60, 2 ** min(observed.attempt, 6))
    return platform.clock() >= float(observed.terminal["time"]) + pause


def _end_replaced(platform: Platform, serving: dict[str, Any]) -> bool:
    """End the servers of deployments that serve no more; whether there were any."""
    over = [old for old in serving["old"] if old["until"] <= platform.clock()]
    for old in over:
        for server in old["servers"]:
            platform.placement.remove(server["id"], keep_log=True)
    serving["old"] = [old for old in serving["old"] if old not in over]
    return bool(over)


def _rest(look: Reconciliation, serving: dict[str, Any]) -> None:
    """A failed endpoint waits to be deleted, without servers."""
    _end_replaced(look.platform, serving)
    look.record.wake_at = None
    look.save()


def _delete(look: Reconciliation, serving: dict[str, Any]) -> None:
    key = look.record.key
    deployments = [serving["current"], serving["next"], *serving["old"]]
    with look.platform.database.write() as transaction:
        transaction.set_route(key.account, key.region, key.name, None)
    for deployment in deployments:
        for server in (deployment or {"servers": []})["servers"]:
            look.platform.placement.remove(server["id"], keep_log=True)
    look.delete()
