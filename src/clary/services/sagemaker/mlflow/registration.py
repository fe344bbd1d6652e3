"""Models that are registered with a tracking server, as model packages of the registry.

While a server with ``AutomaticModelRegistration`` is up it is asked every few seconds for new model versions. Each
becomes a package, of a group that is made for its model; the role of the server must be allowed to make them. What is
asked for twice is made once, so that a control plane killed in between just continues.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-track-experiments-model-registration.html
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from clary.compute.agent.http import Connection
from clary.core.errors import ServiceError, ValidationException
from clary.core.ids import request_id
from clary.resources import changes
from clary.resources.context import Context, Platform, Reconciliation
from clary.services.iam.api import Identities, Principal, session_principal
from clary.services.sagemaker.registry.api import model_package_groups, model_packages
from clary.state.records import Record

log = logging.getLogger(__name__)

POLL_SECONDS = 3.0
REGISTERED = "_registered"
"""In the server's document: the time of the newest version that is in the registry, in milliseconds."""
OVERLAP_MS = 10_000
"""A version may be seen after a newer one: MLflow takes the time before it stores it."""
_PAGE = 100
_TIMEOUT_S = 10.0
_LONGEST_GROUP = 63
_LONGEST_DESCRIPTION = 1024
_LONGEST_VALUE = 256


def is_wanted(record: Record) -> bool:
    """Whether the server's models go to the registry."""
    return bool(record.document["AutomaticModelRegistration"])


def group_name(server: str, model: str) -> str:
    """The model package group of a registered model: its name, as far as a group can have it, and six digits that tell
    the tracking servers of an account apart, as AWS makes it."""
    suffix = hashlib.sha256(server.encode()).hexdigest()[:6]
    name = re.sub(r"[^A-Za-z0-9]+", "-", model).strip("-")[: _LONGEST_GROUP - 7].rstrip("-") or "model"
    return f"{name}-{suffix}"


def register(look: Reconciliation, address: str) -> None:
    """Register the model versions of the server at ``address`` that are new."""
    record = look.record
    known: int = record.document[REGISTERED]
    connection = Connection(address, _TIMEOUT_S)
    try:
        new = sorted(_versions_since(connection, known - OVERLAP_MS), key=_time)
        for version in new:
            _register(look.platform, record, version, _location(connection, record, version))
    except (OSError, ValueError, KeyError) as error:
        log.warning("%s: its models cannot be listed: %s", record.arn, error)
        return
    except ServiceError as error:
        log.warning("%s: a model cannot be registered: %s", record.arn, error.message)
        return
    finally:
        connection.close()
    if new and _time(new[-1]) > known:
        record.document[REGISTERED] = _time(new[-1])
        look.save()


def _time(version: Mapping[str, Any]) -> int:
    return int(version["creation_timestamp"])


def _versions_since(connection: Connection, since: int) -> Iterator[Mapping[str, Any]]:
    token = ""
    while True:
        asked = {"max_results": _PAGE, "order_by": "creation_timestamp DESC", "page_token": token}
        answer = _ask(connection, f"/api/2.0/mlflow/model-versions/search?{urlencode(asked)}")
        for version in answer.get("model_versions", ()):
            if _time(version) < since:
                return
            yield version
        if not (token := answer.get("next_page_token", "")):
            return


def _location(connection: Connection, record: Record, version: Mapping[str, Any]) -> str:
    """The S3 URI of a version's files, or what MLflow says of them otherwise."""
    source = str(version.get("source", ""))
    if source.startswith("models:/m-"):
        model = quote(source.removeprefix("models:/"), safe="")
        source = _ask(connection, f"/api/2.0/mlflow/logged-models/{model}")["model"]["info"]["artifact_uri"]
    if source.startswith("mlflow-artifacts:"):
        path = source.removeprefix("mlflow-artifacts:").lstrip("/")
        return f"{record.document['ArtifactStoreUri'].rstrip('/')}/{path}"
    return source


def _ask(connection: Connection, target: str) -> dict[str, Any]:
    """Raises ``OSError`` and ``ValueError``."""
    answer = connection.request("GET", target, {"host": "localhost"})
    body = answer.read()
    if answer.status != 200:
        raise ValueError(f"MLflow answered {answer.status}: {body[:200].decode('utf-8', 'replace')}")
    document = json.loads(body)
    assert isinstance(document, dict)
    return document


def _register(platform: Platform, record: Record, version: Mapping[str, Any], location: str) -> None:
    """Make the package of a version, unless it is there. Raises ``ServiceError``."""
    identities = platform.identity
    assert isinstance(identities, Identities)
    role = _role(identities, record)
    token = f"{record.arn}/{version['name']}/{version['version']}/{_time(version)}"
    context = Context(role, record.key.account, record.key.region, request_id(), platform, token, token_given=True)
    group = group_name(record.name, version["name"])
    with platform.database.read() as transaction:
        there = transaction.get(model_package_groups.key(context, group)) is not None
        if transaction.find(model_packages.query(context).within(group).where(changes.TOKEN, token)):
            return
    if not there:
        identities.authorize(role, "sagemaker:CreateModelPackageGroup", model_package_groups.make_arn(context, group))
    identities.authorize(role, "sagemaker:CreateModelPackage", model_packages.make_arn(context, "*", group))
    with platform.database.write() as transaction:
        if transaction.get(model_package_groups.key(context, group)) is None:
            what = {
                "ModelPackageGroupName": group,
                "ModelPackageGroupDescription": f"The model {version['name']} of the tracking server {record.name}",
            }
            changes.add(model_package_groups, context, transaction, what)
        changes.add(model_packages, context, transaction, _package(record, group, version, location))


def _role(identities: Identities, record: Record) -> Principal:
    arn = record.document["RoleArn"]
    subject = identities.role(arn)
    if subject is None:
        raise ValidationException(f"Could not assume role {arn}: it is gone.")
    return session_principal(subject, "SageMaker")


def _package(record: Record, group: str, version: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The members of the ``CreateModelPackage`` request for a version."""
    known = {
        "mlflow.model": version["name"],
        "mlflow.version": str(version["version"]),
        "mlflow.run_id": version.get("run_id", ""),
        "mlflow.model_id": version.get("model_id", ""),
    }
    text = version.get("description") or f"Version {version['version']} of the MLflow model {version['name']}"
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": text[:_LONGEST_DESCRIPTION],
        "SourceUri": location,
        "CustomerMetadataProperties": {name: value[:_LONGEST_VALUE] for name, value in known.items() if value},
        "MetadataProperties": {"GeneratedBy": record.arn},
    }
