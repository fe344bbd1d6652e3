"""How objects leave the job: under which key of KMS, and what the user reads where the store refuses them.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html
"""

from __future__ import annotations

from clary.compute.agent.channel import DataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clary.compute.agent.s3 import StoreError
    from clary.compute.spec import JobSpec


def encrypted(key: str) -> dict[str, str]:
    """The headers of an upload that is to lie encrypted under ``key``; none without a key, so that the default of the
    bucket holds."""
    if not key:
        return {}
    return {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": key}


def refused(spec: JobSpec, uri: str, key: str, error: StoreError, what: str = "Data") -> DataError:
    """What to raise if the store does not take an object below ``uri`` that was to lie under ``key``."""
    if key and ("kms:" in str(error) or error.code.startswith("KMS.")):
        return DataError(
            f'{what} upload failed: {error}. Please ensure that the KMS key "{key}" exists in the region {spec.region},'
            f' that it is enabled, and that the role "{spec.role_arn}" has "kms:GenerateDataKey" and "kms:Decrypt"'
            " permissions on it."
        )
    return DataError(
        f'{what} upload failed: {error}. Please ensure that the bucket of "{uri}" exists in the region {spec.region}'
        f' and that the role "{spec.role_arn}" has "s3:PutObject" permissions on it.'
    )
