"""The variables that a function finds.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping

TASK_ROOT = "LAMBDA_TASK_ROOT"
_OURS = ("CLARY_", "SAGEMAKER_", "PIP_", "AWS_CONTAINER_", "OMP_", "OPENBLAS_", "MKL_")
"""How the names of those begin that are the platform's own affair."""
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId",
    "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
    "AWS_SESSION_TOKEN": "Token",
}
_TIMEOUT = 10.0


def of_function(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for the function's process, with credentials of its role. Raises ``OSError`` if there are none."""
    values = {name: value for name, value in environ.items() if not name.startswith(_OURS)}
    values |= credentials(environ)
    # What the function was given by its owner comes last: AWS lets nobody set those that it reserves.
    values.update(json.loads(environ.get("CLARY_FUNCTION_VARIABLES", "{}")))
    return values


def credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """Temporary credentials of the function's role, by the names that AWS's SDKs look for."""
    address = environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not address:
        return {}
    asked = urllib.request.Request(
        address, headers={"Authorization": environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")}
    )
    # The platform is never behind a proxy that the function's owner names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(asked, timeout=_TIMEOUT) as answer:
        told = json.load(answer)
    return {name: told[member] for name, member in _CREDENTIALS.items()}
