"""A plugin for botocore that sends calls of AWS STS to the platform.

The SageMaker SDKs name the public STS address in their code, so that ``AWS_ENDPOINT_URL`` does not reach it. ``clary
env`` puts a copy of this file on ``PYTHONPATH`` and names it in ``BOTOCORE_EXPERIMENTAL__PLUGINS``. It needs botocore
alone.
"""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import urlsplit

AWS_STS = re.compile(r"sts([.-][a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|api\.aws)", re.IGNORECASE)


def platform_url() -> str | None:
    """The platform's address: from the environment, else from the profile that the environment names."""
    url = os.environ.get("AWS_ENDPOINT_URL_STS") or os.environ.get("AWS_ENDPOINT_URL")
    if url:
        return url
    from botocore.session import Session

    # A session of its own has no plugin, and reads nothing but the configuration files.
    url = Session().get_scoped_config().get("endpoint_url")
    return url if isinstance(url, str) else None


def redirect(request: Any, **_: Any) -> None:
    """Put the platform's address in the place of AWS's, before the request is signed."""
    parts = urlsplit(request.url)
    if AWS_STS.fullmatch(parts.hostname or ""):
        url = platform_url()
        if url:
            request.url = url.rstrip("/") + (parts.path or "/") + ("?" + parts.query if parts.query else "")


def initialize_client_plugin(client: Any) -> None:
    """Called by botocore for every client that is made."""
    if client.meta.service_model.service_name == "sts":
        client.meta.events.register("before-sign.sts", redirect)
