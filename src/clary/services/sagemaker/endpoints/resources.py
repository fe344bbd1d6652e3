"""The endpoint as a resource.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import NotAvailableYet, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.endpoints.configs import endpoint_configs
from clary.services.sagemaker.endpoints.lifecycle import ENDPOINT, SERVING, reconcile
from clary.state.records import Record
from clary.state.transaction import Transaction


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    _check_deployment(params)
    params["_wanted"] = params["EndpointConfigName"]


def _amend(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    _check_deployment(changes)
    if record.status != "InService":
        raise ValidationException(f'Cannot update in-progress endpoint "{record.arn}".')
    wanted = changes.pop("EndpointConfigName")
    changes.clear()
    changes["_wanted"] = wanted
    ENDPOINT.move(record, "Updating")


def _check_deployment(params: dict[str, Any]) -> None:
    if "DeploymentConfig" in params:
        raise NotAvailableYet("Deployment policies (DeploymentConfig) are not available in Clary yet.")


def _remove(context: Context, _: Transaction, record: Record) -> bool:
    if record.status in ("Creating", "Updating"):
        raise ValidationException(f'Cannot delete in-progress endpoint "{record.arn}".')
    if record.status != "Deleting":
        ENDPOINT.move(record, "Deleting")
    record.wake_at = context.platform.clock()
    return False


def _variants(_: Context, __: Transaction, record: Record) -> list[dict[str, Any]]:
    """What runs now, as ``ProductionVariantSummary``."""
    current = record.document.get(SERVING, {}).get("current")
    if current is None:
        return []
    return [
        {
            "VariantName": server["variant"]["VariantName"],
            "DeployedImages": [
                {
                    "SpecifiedImage": image,
                    "ResolvedImage": image,
                    "ResolutionTime": record.created,
                }
                for image in [server["model"].get("PrimaryContainer", {}).get("Image")]
                if image
            ],
            "CurrentWeight": server["variant"]["InitialVariantWeight"],
            "DesiredWeight": server["variant"]["InitialVariantWeight"],
            "CurrentInstanceCount": 1,
            "DesiredInstanceCount": 1,
        }
        for server in current["servers"]
    ]


endpoints = Resource(
    SAGEMAKER,
    "Endpoint",
    arn="endpoint/{name}",
    status="EndpointStatus",
    initial="Creating",
    descending=True,
    missing=lambda name, arn: ValidationException(f'Could not find endpoint "{arn}".'),
    present=lambda name, arn: ValidationException(f'Cannot create already existing endpoint "{arn}".'),
    references={"EndpointConfigName": endpoint_configs},
    prepare=_prepare,
    amend=_amend,
    computed={"ProductionVariants": _variants},
    remove=_remove,
    reconcile=reconcile,
)
