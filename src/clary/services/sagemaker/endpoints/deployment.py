"""Deployments: the servers that a configuration asks for, and how many of them are wanted.

A deployment is a document: ``variants``, each with its part of the configuration, its model, the ``count`` of instances
and the ``weight`` that are wanted now; and ``servers``, of which every instance of a variant has one for each container
of the model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from clary.resources.context import Platform
from clary.resources.traced import TRACE
from clary.services.sagemaker.endpoints.capture import endpoint_keys
from clary.services.sagemaker.execution.keys import unusable_key
from clary.services.sagemaker.models.api import containers_of
from clary.state.records import Key, Record

Deployment = dict[str, Any]
Server = dict[str, Any]

KEPT = ("DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig")
"""What ``RetainAllVariantProperties`` keeps, of variants that stay, unless it is excluded."""


class DeploymentFailed(Exception):
    """A deployment cannot come into service; the message is the endpoint's failure reason."""


def plan(platform: Platform, record: Record, config_name: str, generation: int) -> Deployment:
    """The deployment of a configuration, with all that is needed to start its servers. Raises ``DeploymentFailed``."""
    key, deployment = record.key, unplanned(record, config_name, generation, platform.clock())
    with platform.database.read() as transaction:
        config = transaction.get(key._replace(kind="EndpointConfig", name=config_name))
        if config is None:
            raise DeploymentFailed(f"The endpoint configuration {config_name!r} was deleted.")
        for variant in config.document["ProductionVariants"]:
            model = transaction.get(Key(key.account, key.region, key.service, "Model", "", variant["ModelName"]))
            if model is None:
                raise DeploymentFailed(f"The model {variant['ModelName']!r} was deleted.")
            deployment["variants"].append(
                {
                    "variant": variant,
                    "model": {name: value for name, value in model.document.items() if name != "CreatedBy"},
                    "count": variant.get("InitialInstanceCount", 1),
                    "weight": variant["InitialVariantWeight"],
                }
            )
    roles = {each["model"]["ExecutionRoleArn"] for each in deployment["variants"]}
    if why := unusable_key(platform, record, endpoint_keys(config.document, sorted(roles))):
        raise DeploymentFailed(why)
    deployment["capture"] = config.document.get("DataCaptureConfig")
    fill(deployment)
    return deployment


def unplanned(record: Record, config_name: str, generation: int, now: float) -> Deployment:
    """A deployment of which nothing is known yet but what it is of, and the trace of the request that asked for it."""
    return {
        "config": config_name,
        "capture": None,
        "since": now,
        "variants": [],
        "servers": [],
        "prefix": f"Endpoint-{record.id}-{generation}",
        "serial": 0,
        **({"trace": record.document[TRACE]} if TRACE in record.document else {}),
    }


def retain(deployment: Deployment, before: Mapping[str, Any], excluded: Collection[str]) -> None:
    """Let the variants that ``before`` has, too, keep their counts and weights, except for what is ``excluded``."""
    if KEPT[2] not in excluded:
        deployment["capture"] = before["capture"]
    known = {each["variant"]["VariantName"]: each for each in before["variants"]}
    for each in deployment["variants"]:
        old = known.get(each["variant"]["VariantName"])
        if old is not None and KEPT[0] not in excluded:
            each["count"] = old["count"]
        if old is not None and KEPT[1] not in excluded:
            each["weight"] = old["weight"]
    fill(deployment)


def fill(deployment: Deployment) -> list[Server]:
    """Have as many servers as are wanted, and give those that are too many, the newest instances first."""
    surplus = []
    for each in deployment["variants"]:
        name, containers = each["variant"]["VariantName"], len(containers_of(each["model"]))
        there = instances(deployment, name)
        for number in sorted(there)[each["count"] :]:
            surplus += there.pop(number)
        for _ in range(len(there), each["count"]):
            number = deployment["serial"]
            deployment["serial"] += 1
            deployment["servers"] += [
                {
                    "id": f"{deployment['prefix']}.{number}" + (f".{container}" if container else ""),
                    "variant": name,
                    "instance": number,
                    "container": container,
                }
                for container in range(containers)
            ]
    deployment["servers"] = [server for server in deployment["servers"] if server not in surplus]
    return surplus


def instances(deployment: Mapping[str, Any], variant: str) -> dict[int, list[Server]]:
    """The servers of a variant by the numbers of its instances, those of each in the order of the containers."""
    found: dict[int, list[Server]] = {}
    for server in deployment["servers"]:
        if server["variant"] == variant:
            found.setdefault(server["instance"], []).append(server)
    return found


def variant_of(deployment: Mapping[str, Any], server: Mapping[str, Any]) -> Mapping[str, Any]:
    """The variant that a server is of."""
    return next(each for each in variants_of(deployment) if each["variant"]["VariantName"] == server["variant"])


def variants_of(deployment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The variants of a deployment."""
    yield from deployment["variants"]
