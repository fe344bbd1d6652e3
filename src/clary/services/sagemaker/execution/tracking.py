"""Every job tells of itself: its trial component, and the lineage of what went into it and came out of it.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-auto-creation.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clary.resources.context import Context, Platform, on_behalf
from clary.services.sagemaker.experiments.api import Ending, Story, begin_job, end_job
from clary.services.sagemaker.lineage.api import artifact, connect
from clary.state.records import Record
from clary.state.transaction import Transaction

_KINDS = {"SageMaker.ImageUri": "Image", "SageMaker.ModelArtifact": "Model"}
"""The types of the artifacts that are no data, by what trial components call them."""
_DATA = "DataSet"
_CHECKPOINT = "Checkpoint"


def tracked(tell: Callable[[Mapping[str, Any]], Story]) -> Callable[[Context, Transaction, Record], None]:
    """What is stored with a new job of a kind that tells its story so: for ``Resource.added``."""

    def begin(context: Context, transaction: Transaction, job: Record) -> None:
        story = tell(job.document)
        component = begin_job(context, transaction, job, story)
        for name, each in story.inputs.items():
            source = artifact(context, transaction, _KINDS.get(name, _DATA), each["Value"])
            connect(context, transaction, source, component, "ContributedTo")

    return begin


def end_tracking(platform: Platform, job: Record, story: Story, ending: Ending) -> None:
    """Tell how a job ended, whose status has been set, and what it produced. Doing so again comes to the same."""
    context = on_behalf(platform, job)
    with platform.database.write() as transaction:
        component = end_job(platform, transaction, job, story, ending)
        if component is None:
            return
        if story.checkpoints:
            made = artifact(context, transaction, _CHECKPOINT, story.checkpoints)
            connect(context, transaction, component, made, "Produced")
        if job.status == "Failed":
            return
        for name, each in story.outputs.items():
            made = artifact(context, transaction, _KINDS.get(name, _DATA), each["Value"])
            connect(context, transaction, component, made, "Produced")
