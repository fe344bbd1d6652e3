"""boto3 sessions whose clients reach a server without anything in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session

from clary.cli.sts_plugin import AWS_STS


class Session(boto3.Session):  # type: ignore[misc]
    """A boto3 session whose clients and resources have ``endpoint_url`` unless one is given."""

    def __init__(self, endpoint_url: str, **arguments: Any) -> None:
        # The caller's configuration files (profiles, proxies, other endpoints) are not meant for a test's server.
        own = botocore.session.Session()
        own.set_config_variable("config_file", "/dev/null")
        own.set_config_variable("credentials_file", "/dev/null")
        super().__init__(botocore_session=own, **arguments)
        self.endpoint_url = endpoint_url
        # The SageMaker SDKs name the public STS address in their code.
        self.events.register("before-sign.sts", self._to_the_server)

    def client(self, service_name: str, *positional: Any, **arguments: Any) -> Any:
        """A client of a service."""
        if arguments.get("endpoint_url") is None and len(positional) < 5:
            arguments["endpoint_url"] = self.endpoint_url
        return super().client(service_name, *positional, **arguments)

    def resource(self, service_name: str, *positional: Any, **arguments: Any) -> Any:
        """A resource of a service."""
        if arguments.get("endpoint_url") is None and len(positional) < 5:
            arguments["endpoint_url"] = self.endpoint_url
        return super().resource(service_name, *positional, **arguments)

    def _to_the_server(self, request: Any, **_: Any) -> None:
        parts = urlsplit(request.url)
        if AWS_STS.fullmatch(parts.hostname or ""):
            request.url = self.endpoint_url + (parts.path or "/") + ("?" + parts.query if parts.query else "")


def session(endpoint_url: str, keys: Mapping[str, str], region: str) -> Session:
    """A session that signs with ``keys`` (``AccessKeyId``, ``SecretAccessKey``, ``SessionToken``)."""
    return Session(
        endpoint_url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        region_name=region,
    )
