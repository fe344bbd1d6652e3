"""What the entities of the lineage graph are called and of which type they are.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Vertex.html
"""

from __future__ import annotations

from typing import Any

from clary.services.sagemaker.lineage.edges import KIND, MADE_BY_HAND
from clary.state.graph import Entity, Places

TYPES: Places = {
    "Artifact": ("ArtifactType",),
    "Action": ("ActionType",),
    "Context": ("ContextType",),
    "TrialComponent": (KIND,),
}
"""Where the type of an entity stands in its document."""
NAMES: Places = {
    "Artifact": ("ArtifactName",),
    "Action": ("ActionName",),
    "Context": ("ContextName",),
    "TrialComponent": ("TrialComponentName",),
    "Experiment": ("ExperimentName",),
}
PROPERTIES: Places = dict.fromkeys(("Artifact", "Action", "Context"), ("Properties",))
_OF_JOBS = "SageMaker"


def vertex(entity: Entity) -> dict[str, Any]:
    """An entity as ``QueryLineage`` shows it: a job's trial component is of the type ``TrainingJob``."""
    # An experiment is a logical grouping of other entities, as contexts are.
    lineage_type = "Context" if entity.kind == "Experiment" else entity.kind
    type_ = entity.kind if entity.kind == "Experiment" else entity.type
    if entity.kind == "TrialComponent":
        type_ = None if type_ == MADE_BY_HAND else (type_ or "").removeprefix(_OF_JOBS)
    return {"Arn": entity.arn, "LineageType": lineage_type} | ({"Type": type_} if type_ else {})
