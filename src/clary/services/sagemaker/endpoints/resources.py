"""The endpoint as a resource.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.traced import TRACE
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.endpoints.capture import summary
from clary.services.sagemaker.endpoints.configs import endpoint_configs
from clary.services.sagemaker.endpoints.deployment import KEPT
from clary.services.sagemaker.endpoints.lifecycle import ENDPOINT, SERVING, UPDATE, WANTED, reconcile
from clary.services.sagemaker.endpoints.lineage import draw_endpoint
from clary.services.sagemaker.endpoints.shifting import check_policy
from clary.services.sagemaker.endpoints.shown import pending, variants
from clary.services.sagemaker.endpoints.told import ENDPOINT_CHANGES
from clary.state.records import Record
from clary.state.transaction import Transaction

_HOW = ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties")


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    if "DeploymentConfig" in params:
        params["LastDeploymentConfig"] = params.pop("DeploymentConfig")
        check_policy(params["LastDeploymentConfig"])
    params[WANTED] = params["EndpointConfigName"]


def _amend(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    if record.status != "InService":
        raise ValidationException(f'Cannot update in-progress endpoint "{record.arn}".')
    policy, how = _policy(record, changes), {name: changes[name] for name in _HOW if name in changes}
    check_policy(policy)
    excluded = [each["VariantPropertyType"] for each in how.get("ExcludeRetainedVariantProperties", ())]
    if excluded and not how.get("RetainAllVariantProperties"):
        raise ValidationException(
            f"ExcludeRetainedVariantProperties ({', '.join(excluded)}) needs RetainAllVariantProperties, which keeps "
            f"{', '.join(KEPT)}."
        )
    wanted = changes["EndpointConfigName"]
    changes.clear()
    changes |= {WANTED: wanted, UPDATE: how}
    for member in ("LastDeploymentConfig", TRACE):
        record.document.pop(member, None)
    if context.trace:
        changes[TRACE] = context.trace  # what is done now is done for this request
    if policy:
        changes["LastDeploymentConfig"] = policy
    ENDPOINT.move(record, "Updating")


def _policy(record: Record, changes: dict[str, Any]) -> dict[str, Any]:
    if changes.get("RetainDeploymentConfig"):
        if "DeploymentConfig" in changes:
            raise ValidationException("DeploymentConfig cannot be given together with RetainDeploymentConfig.")
        return dict(record.document.get("LastDeploymentConfig", {}))
    return dict(changes.get("DeploymentConfig", {}))


def _remove(context: Context, _: Transaction, record: Record) -> bool:
    if record.status in ("Creating", "Updating"):
        raise ValidationException(f'Cannot delete in-progress endpoint "{record.arn}".')
    if record.status != "Deleting":
        ENDPOINT.move(record, "Deleting")
    record.wake_at = context.platform.clock()
    return False


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
    added=draw_endpoint,
    amend=_amend,
    computed={
        "ProductionVariants": lambda _, __, record: variants(record, record.document.get(SERVING, {}).get("current")),
        "DataCaptureConfig": lambda _, __, record: summary(
            (record.document.get(SERVING, {}).get("current") or {}).get("capture")
        ),
        "PendingDeploymentSummary": lambda _, __, record: pending(record),
    },
    remove=_remove,
    reconcile=reconcile,
    tells=ENDPOINT_CHANGES,
)
