"""What other capabilities need of lineage."""

from clary.services.sagemaker.lineage.groups import group_arn, join_group
from clary.services.sagemaker.lineage.persons import BY_PERSONS

__all__ = ["BY_PERSONS", "group_arn", "join_group"]
