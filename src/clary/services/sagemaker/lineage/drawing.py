"""Entities and associations that the platform draws by itself.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-auto-creation.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.resources import changes
from clary.resources.changes import author
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.lineage.resources import actions, artifact_key, artifacts, contexts
from clary.state.records import Association, Record
from clary.state.transaction import Transaction


def artifact(context: Context, transaction: Transaction, kind: str, uri: str) -> Record:
    """The artifact of what lies at ``uri``, which is made unless there is one: a source is one artifact."""
    source = {"SourceUri": uri}
    there = transaction.get(artifact_key(context, source))
    made = {"ArtifactType": kind, "Source": source}
    return there or changes.add(artifacts, context, transaction, made)


def containers_artifacts(
    context: Context, transaction: Transaction, containers: Sequence[Mapping[str, Any]]
) -> list[Record]:
    """The artifacts of the images and of the model data of containers."""
    found = []
    for each in containers:
        source = each.get("ModelDataSource", {}).get("S3DataSource", {})
        for kind, uri in (("Image", each.get("Image")), ("Model", each.get("ModelDataUrl") or source.get("S3Uri"))):
            if uri:
                found.append(artifact(context, transaction, kind, uri))
    return found


def logical_group(context: Context, transaction: Transaction, kind: str, name: str, uri: str) -> Record:
    """The context of this name, which is made unless there is one."""
    return _named(contexts, "Context", context, transaction, kind, name, uri)


def activity(context: Context, transaction: Transaction, kind: str, name: str, uri: str) -> Record:
    """The action of this name, which is made unless there is one."""
    return _named(actions, "Action", context, transaction, kind, name, uri)


def _named(
    resource: Resource, noun: str, context: Context, transaction: Transaction, kind: str, name: str, uri: str
) -> Record:
    there = transaction.get(resource.key(context, name))
    made = {f"{noun}Name": name, f"{noun}Type": kind, "Source": {"SourceUri": uri}}
    return there or changes.add(resource, context, transaction, made)


def connect(context: Context, transaction: Transaction, source: Record, destination: Record, kind: str) -> None:
    """Draw an association between two entities, unless there is one."""
    edge = Association(source.arn, destination.arn, kind, context.platform.clock(), {"CreatedBy": author(context)})
    transaction.associate(context.account, context.region, edge)
