"""The resources of a record: by their ARNs, with the types that CloudFormation gives them."""

from __future__ import annotations

from functools import lru_cache

from clary.core.names import parse_arn

_SERVICES = {
    "application-autoscaling": "ApplicationAutoScaling", "cloudwatch": "CloudWatch", "ecr": "ECR", "events": "Events",
    "glue": "Glue", "iam": "IAM", "kms": "KMS", "logs": "Logs", "s3": "S3", "sagemaker": "SageMaker", "sns": "SNS",
    "sqs": "SQS", "sts": "STS", "cloudtrail": "CloudTrail", "resource-groups": "ResourceGroups",
    "organizations": "Organizations", "scheduler": "Scheduler", "lambda": "Lambda",
}  # fmt: skip
_ONE_KIND = {"sns": "Topic", "sqs": "Queue"}


@lru_cache(maxsize=4096)
def type_of(arn: str) -> str:
    """``AWS::SageMaker::TrainingJob``, of the ARN of one; empty for what is no ARN."""
    try:
        parts = parse_arn(arn)
    except ValueError:
        return ""
    service = _SERVICES.get(parts.service, parts.service)
    if parts.service == "s3":
        return "AWS::S3::Object" if "/" in parts.resource else "AWS::S3::Bucket"
    word = _ONE_KIND.get(parts.service) or parts.resource.replace(":", "/").partition("/")[0]
    kind = "".join(piece[:1].upper() + piece[1:] for piece in word.split("-"))
    return f"AWS::{service}::{kind}"


def name_of(arn: str) -> str:
    """The name by which a resource is looked up: the last part of its ARN; a key of KMS by all of it."""
    if arn.startswith("arn:aws:kms:"):
        return arn
    if arn.startswith("arn:aws:s3:::"):
        return arn.removeprefix("arn:aws:s3:::")
    resource = arn.split(":", 5)[-1]
    return resource.replace(":", "/").rpartition("/")[2]
