"""What of an endpoint Application Auto Scaling reads and changes: the one place where it meets SageMaker.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from clary.services.sagemaker.endpoints import scaling
from clary.services.sagemaker.endpoints.scaling import Capacity, VariantKey
from clary.state.records import Key
from clary.state.transaction import Transaction

NAMESPACE = "sagemaker"
INSTANCES = "sagemaker:variant:DesiredInstanceCount"
_VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")


class Endpoints(Protocol):
    """The endpoints' side."""

    def variant_capacity(self, transaction: Transaction, key: VariantKey) -> Capacity | None:
        """What a variant in service has; none if there is no such variant."""

    def set_desired(self, transaction: Transaction, key: VariantKey, count: int, now: float) -> None:
        """Have so many instances. Raises ``ValidationException``."""

    def is_busy(self, transaction: Transaction, key: VariantKey) -> bool:
        """Whether the endpoint takes no changes now, because one is under way."""


class _Endpoints:
    def variant_capacity(self, transaction: Transaction, key: VariantKey) -> Capacity | None:
        return scaling.variant_capacity(transaction, key)

    def set_desired(self, transaction: Transaction, key: VariantKey, count: int, now: float) -> None:
        scaling.set_desired(transaction, key, count, now)

    def is_busy(self, transaction: Transaction, key: VariantKey) -> bool:
        record = transaction.get(Key(key.account, key.region, "sagemaker", "Endpoint", "", key.endpoint))
        return record is not None and record.status != "InService"


endpoints: Endpoints = _Endpoints()


def variant_of(account: str, region: str, params: Mapping[str, Any]) -> VariantKey | None:
    """The variant whose instances the target that ``params`` name counts; none if it is something else."""
    match = _VARIANT.fullmatch(params["ResourceId"])
    if params["ScalableDimension"] != INSTANCES or match is None:
        return None
    return VariantKey(account, region, match[1], match[2])
