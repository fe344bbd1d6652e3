"""What the processes that listen and think need of tracking servers."""

from __future__ import annotations

from clary.core.names import parse_arn
from clary.services.sagemaker.mlflow.actions import OPEN, action_of
from clary.services.sagemaker.mlflow.addresses import KIND, PATH, pages_url, server_of
from clary.services.sagemaker.mlflow.resources import tracking_servers
from clary.services.sagemaker.mlflow.sessions import Sessions
from clary.state.records import Key

__all__ = ["KIND", "OPEN", "PATH", "Sessions", "action_of", "key_of", "pages_url", "server_of"]


def key_of(arn: str) -> Key:
    """Where the tracking server with this ARN is kept. Raises ``ValueError`` for what is no ARN."""
    parts = parse_arn(arn)
    name = parts.resource.partition("/")[2]
    return Key(parts.account, parts.region, tracking_servers.service, tracking_servers.noun, "", name)
