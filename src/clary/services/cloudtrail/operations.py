"""What the trail must know of an operation: whose it is, whether it changes anything, and whether it is one of data.

Reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
"""

from __future__ import annotations

from functools import lru_cache

_SOURCES = {
    "application-autoscaling": "autoscaling.amazonaws.com",
    "sagemaker-metrics": "sagemaker.amazonaws.com",
    "sagemaker-runtime": "sagemaker.amazonaws.com",
    "sagemaker-featurestore-runtime": "sagemaker.amazonaws.com",
    "clary": "clary",
    "cloudwatch": "monitoring.amazonaws.com",
    "resourcegroupstaggingapi": "tagging.amazonaws.com",
}
_READING = (
    "BatchCheck", "BatchDescribe", "BatchGet", "Check", "Describe", "Estimate", "Filter", "Get", "Head", "Invoke",
    "List", "Lookup", "Query", "Receive", "Render", "Search", "Select", "Simulate", "Test", "Validate", "Verify",
)  # fmt: skip
_READ_ONLY = frozenset((
    # They change nothing that anybody could look at afterwards.
    "kms:Decrypt", "kms:DeriveSharedSecret", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext", "kms:GenerateDataKeyWithoutPlaintext", "kms:GenerateMac",
    "kms:GenerateRandom", "kms:ReEncrypt", "kms:Sign", "sts:AssumeRole", "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity", "sts:DecodeAuthorizationMessage",
))  # fmt: skip
_NOT_READ_ONLY = frozenset(("sqs:ReceiveMessage", "iam:GenerateCredentialReport"))
_DATA = frozenset((
    "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:GetMetricWidgetImage",
    "cloudwatch:ListMetrics", "cloudwatch:PutMetricData", "events:PutEvents", "lambda:Invoke", "logs:FilterLogEvents",
    "logs:GetLogEvents", "logs:PutLogEvents", "sns:Publish", "sns:PublishBatch", "sqs:ChangeMessageVisibility",
    "sqs:ChangeMessageVisibilityBatch", "sqs:DeleteMessage", "sqs:DeleteMessageBatch", "sqs:ReceiveMessage",
    "sqs:SendMessage", "sqs:SendMessageBatch",
))  # fmt: skip
_DATA_SERVICES = frozenset(
    ("sagemaker-featurestore-runtime", "sagemaker-metrics", "sagemaker-mlflow", "sagemaker-runtime")
)
_ANSWER_SHOWN = frozenset(("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
                           "sts:GetSessionToken", "sts:GetFederationToken"))  # fmt: skip
"""Operations that change nothing and whose answers tell which key they have given."""


def source(service: str) -> str:
    """The event source of a service that botocore calls ``service``."""
    return _SOURCES.get(service) or f"{service}.amazonaws.com"


@lru_cache(maxsize=4096)
def is_read_only(service: str, operation: str) -> bool:
    """Whether an operation changes nothing."""
    name = f"{service}:{operation}"
    return name in _READ_ONLY or (operation.startswith(_READING) and name not in _NOT_READ_ONLY)


def is_data(service: str, operation: str) -> bool:
    """Whether an operation is one of the data plane; those of S3 are for its own table."""
    return service in _DATA_SERVICES or f"{service}:{operation}" in _DATA


@lru_cache(maxsize=4096)
def shows_answer(service: str, operation: str) -> bool:
    """Whether a record has what an operation answered: where something was changed or a key was given."""
    return f"{service}:{operation}" in _ANSWER_SHOWN or not is_read_only(service, operation)
