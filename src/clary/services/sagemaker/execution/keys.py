"""The keys of KMS that jobs and endpoints name: refused at Create where there is no such key, and looked at again
before anything is started, so that nobody trains for hours and then cannot store the result.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/encryption-at-rest.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clary.core.errors import ServiceError, ValidationException
from clary.resources.context import Context, Platform
from clary.services.iam.api import Identities, session_principal
from clary.services.kms.api import Key, Keys, check_symmetric, keys_of, keys_of_platform, managed_key
from clary.services.kms.errors import NotFoundException
from clary.state.records import Record

_SESSION = "SageMaker"
_MANAGED = "alias/aws/"


@dataclass(frozen=True)
class KeyUse:
    """A key that a request names, and what for."""

    member: str
    """Where the request names it."""
    key: str
    """Its id, an alias, or an ARN of either; empty for none."""
    role: str = ""
    """The ARN of the role that writes under it."""
    target: str = ""
    """The ``s3://`` URI of what is written, or the prefix of it; empty for a volume, of which nothing is written under
    the key."""


def check_keys(context: Context, uses: Iterable[KeyUse]) -> None:
    """Raise ``ValidationException`` for a key that is not there, or that cannot encrypt data."""
    for use in uses:
        # Those that AWS manages are made when they are first needed.
        if _is_ours(context.platform, use) and not _is_managed(use.key):
            try:
                _find(keys_of(context), context.account, context.region, use.key)
            except ServiceError as error:
                raise ValidationException(
                    f"The KMS key {use.key} in {use.member} is invalid: {error.message}"
                ) from error


def unusable_key(platform: Platform, record: Record, uses: Iterable[KeyUse]) -> str:
    """Why one of the keys of the resource in ``record`` cannot be used, as a failure reason; empty if all can be.

    What the role may do is decided for the objects of ``target``; a key's policy may well decide otherwise for others.
    """
    for use in uses:
        if _is_ours(platform, use):
            try:
                _try(platform, record, use)
            except ServiceError as error:
                whose = f' and that the role "{use.role}" has "kms:GenerateDataKey" and "kms:Decrypt" permissions on it'
                return (
                    f"The KMS key {use.key} in {use.member} cannot be used: {error.message.rstrip('.')}. Please ensure "
                    f"that the key is enabled{whose if use.target else ''}."
                )
    return ""


def _is_ours(platform: Platform, use: KeyUse) -> bool:
    """Whether there is a key, and it is one of this installation's: an S3 elsewhere encrypts with keys of its own."""
    return bool(use.key) and not (use.target and platform.settings.objects_url)


def _try(platform: Platform, record: Record, use: KeyUse) -> None:
    identities, account, region = platform.identity, record.key.account, record.key.region
    assert isinstance(identities, Identities)
    keys = keys_of_platform(platform)
    try:
        key = _find(keys, account, region, use.key)
    except NotFoundException:
        if not _is_managed(use.key):
            raise
        key = managed_key(platform, account, region, use.key.rpartition("/")[2])
    key.check_enabled()
    if not use.target:
        return
    identities.refresh()
    role = identities.role(use.role)
    if role is None:
        return  # whoever starts the job says so
    # An object's ARN is what S3 binds its data key to.
    bound = {"aws:s3:arn": f"arn:aws:s3:::{use.target.removeprefix('s3://')}"}
    keys.authorize(session_principal(role, _SESSION), key, "GenerateDataKey", bound, "s3")


def _find(keys: Keys, account: str, region: str, name: str) -> Key:
    key = keys.resolve(account, region, name)
    check_symmetric(key, "GenerateDataKey")
    return key


def _is_managed(name: str) -> bool:
    return name.startswith(_MANAGED) or f":{_MANAGED}" in name
