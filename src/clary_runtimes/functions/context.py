"""What a handler is given beside its event.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any


class CognitoIdentity:
    """Who authorized the request; nobody does so here."""

    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None


class Client:
    """The application that the client tells of itself."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.installation_id = told.get("installation_id")
        self.app_title = told.get("app_title")
        self.app_version_name = told.get("app_version_name")
        self.app_version_code = told.get("app_version_code")
        self.app_package_name = told.get("app_package_name")


class ClientContext:
    """What the caller of ``Invoke`` sent as ``ClientContext``."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.custom = told.get("custom")
        self.env = told.get("env")
        self.client = Client(told.get("client") or {})


class LambdaContext:
    """One invocation, with AWS's names for what is known of it."""

    def __init__(
        self, request_id: str, function_arn: str, deadline_ms: int, client_context: Mapping[str, Any] | None
    ) -> None:
        """``deadline_ms`` is when the invocation is ended, in milliseconds since the epoch."""
        self.aws_request_id = request_id
        self.invoked_function_arn = function_arn
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = CognitoIdentity()
        self.client_context = ClientContext(client_context) if client_context is not None else None
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out."""
        return max(self._deadline_ms - int(time.time() * 1000), 0)
