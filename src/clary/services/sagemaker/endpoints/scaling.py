"""How many instances a variant has and which share of the traffic, changed while the endpoint serves.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpointWeightsAndCapacities.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.services.sagemaker.endpoints.deployment import instances
from clary.services.sagemaker.endpoints.lifecycle import ENDPOINT, SERVING
from clary.services.sagemaker.endpoints.resources import endpoints
from clary.services.sagemaker.execution.hosts import check_count
from clary.state.records import Key, Record
from clary.state.transaction import Transaction


class Capacity(NamedTuple):
    """How many instances of a variant are wanted, and how many serve."""

    desired: int
    current: int


class VariantKey(NamedTuple):
    """The name of a variant in the installation."""

    account: str
    region: str
    endpoint: str
    variant: str


def variant_capacity(transaction: Transaction, key: VariantKey) -> Capacity | None:
    """What a variant in service has; none if there is no such variant."""
    record = _endpoint(transaction, key)
    current: dict[str, Any] | None = record.document.get(SERVING, {}).get("current") if record is not None else None
    if current is None:
        return None
    for each in current["variants"]:
        if each["variant"]["VariantName"] == key.variant and "ServerlessConfig" not in each["variant"]:
            there = instances(current, key.variant).values()
            return Capacity(each["count"], sum(all(server.get("address") for server in chain) for chain in there))
    return None


def set_desired(transaction: Transaction, key: VariantKey, count: int, now: float) -> None:
    """Have ``count`` instances of a variant. Raises ``ValidationException`` if the endpoint is not in service or has no
    such variant."""
    record = _endpoint(transaction, key)
    if record is None:
        raise ValidationException(f'Could not find endpoint "{key.endpoint}".')
    _change(record, [{"VariantName": key.variant, "DesiredInstanceCount": count}], now)
    transaction.update(record)


def update_weights_and_capacities(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateEndpointWeightsAndCapacities``."""
    with context.platform.database.write() as transaction:
        record = endpoints.named(context, transaction, params)
        wanted = params["DesiredWeightsAndCapacities"]
        _check_names(transaction, record, [change["VariantName"] for change in wanted])
        _change(record, wanted, context.platform.clock())
        transaction.update(record)
    context.platform.wake(record.id)
    return {"EndpointArn": record.arn}


def _endpoint(transaction: Transaction, key: VariantKey) -> Record | None:
    return transaction.get(Key(key.account, key.region, "sagemaker", "Endpoint", "", key.endpoint))


def _check_names(transaction: Transaction, record: Record, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValidationException(f'The variant name "{name}" was non-unique within the request.')
    config_name = record.document["EndpointConfigName"]
    current = record.document.get(SERVING, {}).get("current")
    config = transaction.get(record.key._replace(kind="EndpointConfig", name=config_name))
    if current is not None:
        known = [each["variant"]["VariantName"] for each in current["variants"]]
    else:
        known = [] if config is None else [each["VariantName"] for each in config.document["ProductionVariants"]]
    if unknown := [name for name in names if name not in known]:
        shown = ", ".join(f'"{name}"' for name in unknown)
        raise ValidationException(
            f'The variant name(s) {shown} is/are not present within endpoint configuration "{config_name}".'
        )


def _change(record: Record, wanted: list[Mapping[str, Any]], now: float) -> None:
    if record.status != "InService":
        raise ValidationException(f'Cannot update in-progress endpoint "{record.arn}".')
    variants = {each["variant"]["VariantName"]: each for each in record.document[SERVING]["current"]["variants"]}
    for change in wanted:
        name = change["VariantName"]
        if name not in variants:
            raise ValidationException(f'The endpoint "{record.arn}" has no variant "{name}".')
        _check(change, variants[name]["variant"])
    for change in wanted:
        each = variants[change["VariantName"]]
        each["weight"] = change.get("DesiredWeight", each["weight"])
        each["count"] = change.get("DesiredInstanceCount", each["count"])
        if "ServerlessUpdateConfig" in change:
            each["variant"]["ServerlessConfig"].update(change["ServerlessUpdateConfig"])
    ENDPOINT.move(record, "Updating")
    record.wake_at = now


def _check(change: Mapping[str, Any], variant: Mapping[str, Any]) -> None:
    name, serverless = change["VariantName"], "ServerlessConfig" in variant
    if "ServerlessUpdateConfig" in change and not serverless:
        raise ValidationException(f"ServerlessUpdateConfig is only supported by serverless variants, unlike {name}.")
    if "DesiredInstanceCount" in change:
        if serverless:
            raise ValidationException(f"DesiredInstanceCount is not supported by the serverless variant {name}.")
        if change["DesiredInstanceCount"] < 1:
            raise ValidationException(f"The DesiredInstanceCount of variant {name} must be at least 1.")
        check_count(change["DesiredInstanceCount"], variant["InstanceType"], "endpoint")


OPERATIONS = {"UpdateEndpointWeightsAndCapacities": update_weights_and_capacities}
