"""What the configuration of a function may be: AWS's limits, and what there is not here.

Reference: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

from __future__ import annotations

import platform as machine
from collections.abc import Mapping
from typing import Any

import orjson

from clary.core.errors import AccessDenied, ValidationException
from clary.resources.context import Context
from clary.services.lambda_.errors import InvalidParameterValueException

PRINCIPAL = "lambda.amazonaws.com"
RUNTIMES = ("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
LONGEST_TIMEOUT = 900
LARGEST_MEMORY = 10_240
LARGEST_VARIABLES = 4_096
_UNAVAILABLE = {
    "VpcConfig": "functions have no network of a VPC",
    "Layers": "there are no layers: put what the function needs into its .zip file archive",
    "FileSystemConfigs": "there are no file systems to mount",
    "ImageConfig": "functions do not run from container images",
    "CodeSigningConfigArn": "code is not signed",
    "KMSKeyArn": "variables are encrypted under the installation's master key",
    "CapacityProviderConfig": "functions run on this machine",
    "TenancyConfig": "functions have no tenants",
    "DurableConfig": "there are no durable functions",
    "RuntimeConfig": "the runtime cannot be chosen more precisely",
    "AcceleratorConfig": "functions get no accelerator",
    "PublishTo": "a function has its newest version alone",
}
"""Members that ask for what functions do not have here, and why."""
_RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime"""


def check_configuration(context: Context, params: Mapping[str, Any], function_arn: str) -> None:
    """Check the members of a request that are a function's configuration.

    Raises ``InvalidParameterValueException``, ``ValidationException`` and ``AccessDenied``.
    """
    for member, why in _UNAVAILABLE.items():
        if _is_wanted(params.get(member)):
            raise InvalidParameterValueException(f"{member}: this is not available in Clary; {why}.")
    if params.get("PackageType", "Zip") != "Zip":
        raise InvalidParameterValueException(
            "PackageType: container images are not available for functions in Clary; give the code as a .zip file "
            "archive."
        )
    if params.get("Publish"):
        raise InvalidParameterValueException(
            "Publish: versions are not available in Clary; a function has its newest version, $LATEST, alone."
        )
    _check_most("timeout", params.get("Timeout"), LONGEST_TIMEOUT)
    _check_most("memorySize", params.get("MemorySize"), LARGEST_MEMORY)
    _check_most("ephemeralStorage.size", params.get("EphemeralStorage", {}).get("Size"), LARGEST_MEMORY)
    if params.get("Runtime", RUNTIMES[0]) not in RUNTIMES:
        raise InvalidParameterValueException(
            f"Runtime: {params['Runtime']} is not available in Clary; functions run on {', '.join(RUNTIMES)}."
        )
    if params.get("TracingConfig", {}).get("Mode", "PassThrough") != "PassThrough":
        raise InvalidParameterValueException("TracingConfig: there is no X-Ray in Clary; the mode must be PassThrough.")
    if params.get("SnapStart", {}).get("ApplyOn", "None") != "None":
        raise InvalidParameterValueException("SnapStart: this is not available in Clary; ApplyOn must be None.")
    if params.get("LoggingConfig", {}).get("LogFormat", "Text") != "Text":
        raise InvalidParameterValueException("LoggingConfig: logs are text in Clary; LogFormat must be Text.")
    _check_variables(params.get("Environment", {}).get("Variables", {}))
    _check_dead_letters(params.get("DeadLetterConfig", {}).get("TargetArn", ""))
    if "Role" in params:
        check_role(context, params["Role"], function_arn)


def _is_wanted(told: Any) -> bool:
    """Whether a member asks for anything: SDKs and tools send empty ones to say that they want nothing."""
    if isinstance(told, Mapping):
        return any(_is_wanted(each) for each in told.values())
    return bool(told)


def _check_most(member: str, value: int | None, most: int) -> None:
    if value is not None and value > most:
        raise ValidationException(
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must "
            f"have value less than or equal to {most}"
        )


def _check_variables(variables: Mapping[str, str]) -> None:
    if reserved := sorted(_RESERVED & variables.keys()):
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    if len(orjson.dumps(dict(variables))) > LARGEST_VARIABLES:
        # AWS repeats them here; they may be secrets.
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit."
        )
    if any("\0" in value for value in variables.values()):
        raise InvalidParameterValueException("Environment: a value has a character that no variable can have.")


def _check_dead_letters(target: str) -> None:
    if target and not target.startswith(("arn:aws:sqs:", "arn:aws:sns:")):
        raise InvalidParameterValueException(f"The provided target arn is invalid: {target}")
    if target.endswith(".fifo"):
        raise InvalidParameterValueException(
            "The provided target arn is invalid: it must be a standard queue or topic."
        )


def check_role(context: Context, role: str, function_arn: str) -> None:
    """See whether the caller may hand the role to Lambda, and Lambda may take it."""
    try:
        context.platform.identity.check_pass_role(context.caller, role, PRINCIPAL, function_arn, told=context.told)
    except ValidationException as error:
        if "Cross-account" in error.message:
            raise AccessDenied("Cross-account pass role is not allowed.") from error
        raise InvalidParameterValueException(
            "The role defined for the function cannot be assumed by Lambda."
        ) from error


def architecture() -> str:
    """That of this machine, by AWS's name."""
    return "arm64" if machine.machine() in ("aarch64", "arm64") else "x86_64"
