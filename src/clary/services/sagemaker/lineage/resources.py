"""Artifacts, actions and contexts as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-entities.html
"""

from __future__ import annotations

from clary.core.ids import token
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER

_SOURCE = "Source.SourceUri"

artifacts = Resource(
    SAGEMAKER,
    "Artifact",
    arn="artifact/{name}",
    names=("ArtifactId",),
    generated=lambda *_: token(32),
    descending=True,
    paths={"SourceUri": _SOURCE},
)
actions = Resource(
    SAGEMAKER,
    "Action",
    arn="action/{name}",
    descending=True,
    paths={"SourceUri": _SOURCE},
)
contexts = Resource(
    SAGEMAKER,
    "Context",
    arn="context/{name}",
    descending=True,
    paths={"SourceUri": _SOURCE},
)
RESOURCES = (artifacts, actions, contexts)
