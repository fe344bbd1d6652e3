"""The services that the control plane offers."""

from __future__ import annotations

from clary.resources.context import ServiceApp
from clary.services.application_autoscaling.service import app as application_autoscaling
from clary.services.cloudtrail.service import SERVICE as CLOUDTRAIL
from clary.services.cloudwatch.service import SERVICE as CLOUDWATCH
from clary.services.ecr.service import app as ecr
from clary.services.events.service import app as events
from clary.services.glue.service import app as glue
from clary.services.iam.service import SERVICE as IAM
from clary.services.kms.service import SERVICE as KMS
from clary.services.lambda_.service import SERVICE as LAMBDA
from clary.services.logs.service import SERVICE as LOGS
from clary.services.organizations.service import SERVICE as ORGANIZATIONS
from clary.services.resource_groups.service import app as resource_groups
from clary.services.sagemaker.service import app as sagemaker
from clary.services.sagemaker_metrics.service import SERVICE as METRICS
from clary.services.scheduler.service import app as scheduler
from clary.services.sns.service import SERVICE as SNS
from clary.services.sqs.service import SERVICE as SQS
from clary.services.sts.service import SERVICE as STS
from clary.services.tagging_api.service import SERVICE as TAGGING


def services() -> dict[str, ServiceApp]:
    """Every service by its name in botocore."""
    declared = (sagemaker(), glue(), ecr(), events(), application_autoscaling(), resource_groups(), scheduler())
    plain = (METRICS, CLOUDTRAIL, CLOUDWATCH, IAM, KMS, STS, LOGS, ORGANIZATIONS, TAGGING, SQS, SNS, LAMBDA)
    return {app.name: app for app in (*declared, *plain)}
