"""What other capabilities need of lineage."""

from clary.services.sagemaker.lineage.drawing import (
    activity,
    artifact,
    connect,
    containers_artifacts,
    logical_group,
)
from clary.services.sagemaker.lineage.edges import KIND, MADE_BY_HAND, MEMBER, SOURCE, TRIAL
from clary.services.sagemaker.lineage.groups import group_arn, join_group
from clary.services.sagemaker.lineage.persons import BY_PERSONS

__all__ = [
    "BY_PERSONS",
    "KIND",
    "MADE_BY_HAND",
    "MEMBER",
    "SOURCE",
    "TRIAL",
    "activity",
    "artifact",
    "connect",
    "containers_artifacts",
    "group_arn",
    "join_group",
    "logical_group",
]
