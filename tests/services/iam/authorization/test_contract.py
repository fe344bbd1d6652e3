"""What every operation is authorised against, held against AWS's Service Authorization Reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import reference
from asked_for import SERVICES, Asked, every

from clary.control.authorization import told_by

UNKNOWN: Mapping[str, str] = {
    "sagemaker:DescribeClusterOperation": "newer than the reference",
    "sagemaker:ListClusterOperations": "newer than the reference",
    "kms:Decapsulate": "newer than the reference; not there",
    "kms:Encapsulate": "newer than the reference; not there",
    "kms:ReEncrypt": "two actions, ReEncryptFrom and ReEncryptTo, of which each key is asked one",
}
"""Operations whose action the reference does not have, with the reason."""

OWN: Mapping[str, str] = {
    "sagemaker:DescribeJobSchemaVersion": "a noun that is not there yet",
    "logs:DescribeLogGroups": "AWS asks for the group with no name, as its refusals show",
    "logs:ListLogGroups": "as DescribeLogGroups",
}
"""Actions with no type of resource that are authorised against an ARN all the same, with the reason."""

ALTERNATIVES: Mapping[str, str] = {
    "sagemaker:AddAssociation": "two of them, whatever they are",
    "sagemaker:DeleteAssociation": "two of them, whatever they are",
    "sagemaker:DisassociateTrialComponent": "a trial component is of a trial, with a job or without",
    "sagemaker:BatchPutMetrics": "a trial component is what this client names",
    "sagemaker:BatchGetMetrics": "those that the queries name",
}
"""Actions of which the reference demands more types of resource than a request can name, with the reason."""

WITHOUT: Mapping[str, str] = {
    "cloudwatch:PutMetricData": "metrics are in no data set here, and so have no ARN",
    "cloudwatch:GetMetricData": "as PutMetricData",
    "cloudwatch:ListMetrics": "as PutMetricData",
}
"""Actions that are authorised against ``*`` although the reference has a type of resource, with the reason."""

UNTOLD: Mapping[str, str] = {
    "sagemaker:DirectGatedModelAccess": "no model is gated here",
    "sagemaker:OwnerUserProfileArn of DeleteSpace": "what the space has: see test_stories",
    "sagemaker:OwnerUserProfileArn of UpdateSpace": "what the space has: see test_stories",
    "sagemaker:SpaceSharingType of DeleteSpace": "what the space has: see test_stories",
    "sagemaker:SpaceSharingType of UpdateSpace": "what the space has: see test_stories",
    "sagemaker:TaggingAction": "only where tags are given to what is made: see test_stories",
    "aws:RequestTag/${TagKey} of CreateEdgeDeploymentStage": "its requests have no tags",
    "aws:TagKeys of CreateEdgeDeploymentStage": "its requests have no tags",
    "aws:RequestTag/${TagKey} of ListTagsForResource": "its requests have no tags",
    "aws:TagKeys of ListTagsForResource": "its requests have no tags",
    "aws:ResourceTag/${TagKey}": "what the resource has: see test_stories",
    "organizations:PolicyType of TagResource": "only policies have a type, and the request does not say it",
    "organizations:PolicyType of UntagResource": "as TagResource",
    "organizations:PolicyType of ListTagsForResource": "as TagResource",
    "cloudwatch:HasAccessGrant": "there are no access grants",
    "events:ManagedBy": "no service makes rules here",
    "events:SystemMetadata": "events carry none",
    "glue:FederatedAuthorizationSource": "there are no federated catalogues",
    "glue:LakeFormationPermissions": "there is no Lake Formation",
    "iam:RoleTemplateARN": "there are no templates of roles",
    "lambda:CodeSigningConfigArn": "code is not signed",
    "lambda:EventSourceToken": "no partner calls functions",
    "lambda:FunctionArn of DeleteEventSourceMapping": "what the mapping has",
    "lambda:FunctionArn of GetEventSourceMapping": "what the mapping has",
    "lambda:FunctionArn of UpdateEventSourceMapping": "what the mapping has",
    "lambda:FunctionUrlAuthType": "functions have no URLs",
    "lambda:InvokedViaFunctionUrl": "functions have no URLs",
    "lambda:Layer": "there are no layers",
    "lambda:Principal of RemovePermission": "what the statement says, and not the request",
    "lambda:SecurityGroupIds": "functions have no network of a VPC",
    "lambda:SubnetIds": "functions have no network of a VPC",
    "lambda:VpcIds": "functions have no network of a VPC",
    "iam:PermissionsBoundary": "what the user or the role has, if the request gives it none: see test_stories",
}
"""Condition keys, of all operations or of one, that a request does not give, with the reason."""

OPERATIONS = [asked for asked in every() if asked.operation not in asked.app.open_operations]


@pytest.fixture(scope="module")
def context(make_installation: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made = make_installation(Path(tmp_path_factory.mktemp("authorization")) / "home")
    yield made.context()
    made.database.close()


def _name(asked: Asked) -> str:
    return f"{asked.app.action_prefix or asked.service}:{asked.operation}"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_actions_are_aws_s(service: str) -> None:
    missing = [_name(asked) for asked in every() if asked.service == service and asked.told is None]
    opened = {f"{service}:{operation}" for operation in SERVICES[service].open_operations if service == "sts"}
    assert set(missing) - opened == {name for name in UNKNOWN if name.split(":")[0] == service}


@pytest.mark.parametrize("whole", [False, True], ids=["required", "whole"])
@pytest.mark.parametrize("service", sorted({asked.service for asked in OPERATIONS}))
def test_each_is_authorised_against_what_it_acts_on(context: Any, service: str, whole: bool) -> None:
    wrong = {}
    for asked in OPERATIONS:
        name, told = _name(asked), asked.told
        if asked.service != service or told is None or name in OWN:
            continue
        params = asked.request(whole=whole)
        if name == "sagemaker:CreateModel":
            params.pop("Containers", None)  # Packages of other accounts are asked for CreateModel, by their policies.
        arns = asked.arns(context, params)
        if name in WITHOUT or not told.resources:
            fits = arns == ("*",)
        else:
            fits = all(any(reference.fits(each, arn) for each in told.resources.values()) for arn in arns)
        absent = [each for each in told.required.values() if not any(reference.fits(each, arn) for arn in arns)]
        if not fits or (absent and name not in ALTERNATIVES):
            wrong[name] = (arns, told.resources)
    assert not wrong


def test_no_exception_is_one_without_need(context: Any) -> None:
    for asked in OPERATIONS:
        name, told = _name(asked), asked.told
        if told is None:
            continue
        arns = asked.arns(context, asked.request())
        if name in OWN:
            assert not told.resources and "*" not in arns
        if name in WITHOUT:
            assert told.resources
        if name in ALTERNATIVES:
            assert not all(any(reference.fits(each, arn) for arn in arns) for each in told.required.values())


@pytest.mark.parametrize("service", sorted({asked.service for asked in OPERATIONS}))
def test_a_request_gives_the_condition_keys_that_it_can_express(context: Any, service: str) -> None:
    untold = set()
    for asked in OPERATIONS:
        if asked.service == service and asked.told is not None:
            params = asked.request(whole=True)
            keys = [key.lower() for key in told_by(asked.app, asked.operation, context, params)]
            for wanted in asked.told.keys:
                start = wanted.split("${")[0].lower()
                if not any(key.startswith(start) if "${" in wanted else key == start for key in keys):
                    untold.add(f"{wanted} of {asked.operation}")
    assert {name for name in untold if not name.startswith(tuple(UNTOLD))} == set()
