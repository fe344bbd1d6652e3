"""Artifacts, actions and contexts as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-entities.html
"""

from __future__ import annotations

from clary.resources.resource import Resource

_SOURCE = "Source.SourceUri"

artifacts = Resource(
    service="sagemaker",
    noun="Artifact",
    arn="artifact/{name}",
    generated=True,
    descending=True,
    filters={"SourceUri": _SOURCE, "ArtifactType": "ArtifactType"},
)
actions = Resource(
    service="sagemaker",
    noun="Action",
    arn="action/{name}",
    descending=True,
    filters={"SourceUri": _SOURCE, "ActionType": "ActionType"},
)
contexts = Resource(
    service="sagemaker",
    noun="Context",
    arn="context/{name}",
    descending=True,
    filters={"SourceUri": _SOURCE, "ContextType": "ContextType"},
)
RESOURCES = (artifacts, actions, contexts)
