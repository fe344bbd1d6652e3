"""Managed spot training: how long a job may wait, and interruptions on request.

A machine of one's own is not taken away, so a job says itself when it is to be interrupted, to see that it survives
that: ``CLARY_SPOT_INTERRUPTIONS`` in its environment, ``"30,60+10"`` for an interruption 30 seconds after its first
start, and one 60 seconds after its second start with capacity again 10 seconds later.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.core.errors import ValidationException
from clary.services.sagemaker.execution.api import interruptions_of
from clary.state.records import Record

VARIABLE = "CLARY_SPOT_INTERRUPTIONS"
_FORM = re.compile(r"\s*([0-9]{1,7}(?:\.[0-9]{1,3})?)\s*(?:\+\s*([0-9]{1,7}(?:\.[0-9]{1,3})?)\s*)?")


@dataclass(frozen=True)
class Interruption:
    """One interruption that a job asks for."""

    after: float
    """Seconds from the start of its process."""
    back: float
    """Seconds from the interruption until there is capacity again."""


def check_spot(params: Mapping[str, Any]) -> None:
    """Refuse a ``CreateTrainingJob`` request, whose ``StoppingCondition`` has its defaults, that contradicts itself.

    Raises ``ValidationException``.
    """
    stopping = params["StoppingCondition"]
    wait = stopping.get("MaxWaitTimeInSeconds")
    if not params.get("EnableManagedSpotTraining"):
        if wait is not None:
            raise ValidationException(
                "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
            )
        return
    if wait is None or wait < stopping["MaxRuntimeInSeconds"]:
        raise ValidationException(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )
    asked_interruptions(params)


def asked_interruptions(document: Mapping[str, Any]) -> list[Interruption]:
    """The interruptions that a job asks for, one for each start. Raises ``ValidationException`` if they cannot be
    read."""
    text = document.get("Environment", {}).get(VARIABLE, "")
    if not document.get("EnableManagedSpotTraining") or not text.strip():
        return []
    matches = [_FORM.fullmatch(part) for part in text.split(",")]
    if None in matches:
        raise ValidationException(
            f"The environment variable {VARIABLE} must hold seconds separated by commas, such as 30,60 or 30+5, and it "
            f"is {text!r}."
        )
    return [Interruption(float(match[1]), float(match[2] or 0)) for match in matches if match is not None]


def next_interruption(record: Record) -> Interruption | None:
    """What interrupts the attempt of a job that starts now."""
    asked, had = asked_interruptions(record.document), interruptions_of(record)
    return asked[had] if had < len(asked) else None


def wait_ends(record: Record) -> float | None:
    """When a job has used up its ``MaxWaitTimeInSeconds``: seconds since the epoch, none without spot instances."""
    if not record.document.get("EnableManagedSpotTraining"):
        return None
    return record.created + float(record.document["StoppingCondition"]["MaxWaitTimeInSeconds"])


def time_left(document: Mapping[str, Any]) -> float:
    """Seconds of its ``MaxRuntimeInSeconds`` that a job has left: they are for all of its attempts together."""
    most = float(document["StoppingCondition"]["MaxRuntimeInSeconds"])
    return max(1.0, most - _spent(document, "Training"))


def times(document: Mapping[str, Any], end: float) -> dict[str, int]:
    """``TrainingTimeInSeconds`` and ``BillableTimeInSeconds`` of a job that began to train and ended at ``end``.

    What it waited for capacity after an interruption is not billed. The price of spot instances is nobody's guess.
    """
    whole = end - document["TrainingStartTime"]
    seconds = max(1, round(whole))
    billed = min(seconds, max(1, round(whole - _spent(document, "Interrupted"))))
    return {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": billed}


def _spent(document: Mapping[str, Any], status: str) -> float:
    """Seconds that a job has been in a secondary status which it has left."""
    return float(
        sum(
            step["EndTime"] - step["StartTime"]
            for step in document.get("SecondaryStatusTransitions", ())
            if step["Status"] == status and "EndTime" in step
        )
    )
