"""Starting and ending the servers of deployments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.compute.admission import Refused, admit, this_machine
from clary.compute.images.catalog import ImageNotExact, ImageNotFound
from clary.compute.placement.base import Observation, PlacementError
from clary.core.errors import ServiceError
from clary.resources.context import Platform
from clary.resources.traced import variables
from clary.services.logs.api import register_stream
from clary.services.sagemaker.endpoints.deployment import Deployment, DeploymentFailed, Server, variant_of
from clary.services.sagemaker.endpoints.server import GRACE_SECONDS, server_spec
from clary.services.sagemaker.endpoints.traced import deployment_place
from clary.services.sagemaker.models.api import containers_of
from clary.state.records import Record
from clary.state.transaction import Transaction

ATTEMPTS = 5
"""How often a server is launched whose agent dies before the deployment is in service."""
TICKET_SECONDS = 10 * 365 * 86_400.0
"""A server may run for years, and fetches its credentials by the hour."""
AGENT_SECONDS = 5
"""What an agent may take beyond the time that its server has to end."""


def register_logs(platform: Platform, transaction: Transaction, record: Record, deployment: Deployment) -> None:
    """Let the logs of a deployment's servers be read."""
    group = f"/aws/sagemaker/Endpoints/{record.name}"
    for server in deployment["servers"]:
        instance = f"i-{deployment['prefix'].partition('-')[2]}-{server['instance']}"
        container = f"/container-{server['container'] + 1}" if server["container"] else ""
        stream = f"{server['variant']}/{instance}{container}"
        path = platform.placement.log(server["id"])
        register_stream(transaction, record.key.account, record.key.region, group, stream, path)


def start(platform: Platform, record: Record, deployment: Deployment) -> bool:
    """Start the servers of a deployment that are not started; whether all of them serve.

    Raises ``DeploymentFailed``.
    """
    # Every server is started before any is waited for.
    serving = [_start(platform, record, deployment, server) for server in deployment["servers"]]
    return all(serving)


def _start(platform: Platform, record: Record, deployment: Deployment, server: Server) -> bool:
    observed = platform.placement.observe(server["id"])
    if observed.terminal is not None:
        raise DeploymentFailed(_why(server["variant"], observed.terminal))
    if observed.started and not observed.lost:
        return observed.address is not None
    if observed.attempt >= ATTEMPTS:
        raise DeploymentFailed(f"Variant {server['variant']}: the agent of its server died {observed.attempt} times.")
    launch_when_ready(platform, record, deployment, server, observed)
    return False


def _why(variant: str, event: Mapping[str, Any]) -> str:
    """The failure reason of a server that ended, as SageMaker words it where it does."""
    if event.get("code") == "ping":
        return (
            f"The primary container for production variant {variant} did not pass the ping health check. "
            f"Please check CloudWatch logs for this endpoint. {event.get('detail') or event.get('message', '')}"
        )
    return f"Variant {variant}: {event.get('message') or 'the model server ended.'}"


def launch_when_ready(
    platform: Platform, record: Record, deployment: Deployment, server: Server, observed: Observation
) -> None:
    """Launch a server's next attempt, or have its image built first. Raises ``DeploymentFailed``."""
    variant = variant_of(deployment, server)
    uri = containers_of(variant["model"])[server["container"]]["Image"]
    try:
        state = platform.images.ensure(uri)
    except (ImageNotFound, ImageNotExact) as error:
        raise DeploymentFailed(f"Cannot pull image {uri!r}: {error}") from error
    if state.state == "failed":
        raise DeploymentFailed(f"Cannot pull image {uri!r}: {state.message}")
    if state.state == "ready":
        _launch(platform, record, deployment, server, attempt=observed.attempt + 1)


def _launch(platform: Platform, record: Record, deployment: Deployment, server: Server, attempt: int) -> None:
    variant = variant_of(deployment, server)
    wanted, container = variant["variant"], containers_of(variant["model"])[server["container"]]
    image = platform.images.spec(container["Image"])
    machine = this_machine(platform.settings)
    room = admit(wanted.get("InstanceType", ""), 1, machine, strict=platform.settings.strict)
    if isinstance(room, Refused):
        raise DeploymentFailed(room.reason)
    if serverless := wanted.get("ServerlessConfig"):
        room = replace(room, memory=min(room.memory, serverless["MemorySizeInMB"] << 20))
    spec = server_spec(platform, record, wanted, variant["model"], container, image, room)
    spec = replace(
        spec,
        id=server["id"],
        attempt=attempt,
        environment={**variables(deployment_place(deployment)), **spec.environment},
    )
    try:
        ticket = platform.identity.ticket(spec.role_arn, "SageMaker", TICKET_SECONDS, record.id)
        platform.placement.launch(spec, ticket)
    except ServiceError as error:
        # The role was deleted since the model was made.
        raise DeploymentFailed(f"Could not assume role {spec.role_arn}: {error.message}") from error
    except PlacementError as error:
        raise DeploymentFailed(str(error)) from error


def finish(platform: Platform, servers: list[Server], seconds: float) -> bool:
    """Tell servers that get no requests any more to end when they have answered those that they have; whether all have
    ended, and are forgotten. They were first told ``seconds`` ago."""
    at_work = [server for server in servers if _told(platform, server)]
    if at_work and seconds < GRACE_SECONDS + AGENT_SECONDS:
        return False
    end(platform, servers)
    return True


def _told(platform: Platform, server: Server) -> bool:
    """Whether a server was there to be told."""
    observed = platform.placement.observe(server["id"])
    if not observed.alive or observed.terminal is not None:
        return False
    platform.placement.stop(server["id"])
    return True


def end(platform: Platform, servers: list[Server]) -> None:
    """End servers and forget everything of them but their logs."""
    for server in servers:
        platform.placement.remove(server["id"], keep_log=True)
