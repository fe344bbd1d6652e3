"""Workforces, their teams, and what human tasks are made of."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.services.sagemaker.labeling.workforces import SECRET, SECRET_PURPOSE, workforces
from clary.services.sagemaker.service import app
from clary.testing.server import Server

CLIENT_SECRET = "correct-horse-battery-staple"
OIDC = {
    "ClientId": "client",
    "ClientSecret": CLIENT_SECRET,
    **{
        name: f"https://idp.example.com/{name}"
        for name in (
            "Issuer",
            "AuthorizationEndpoint",
            "TokenEndpoint",
            "UserInfoEndpoint",
            "LogoutEndpoint",
            "JwksUri",
        )
    },
}
COGNITO = {"UserPool": "us-east-1_abc", "ClientId": "client"}


def cognito_member(**changes: str) -> dict[str, Any]:
    return {"CognitoMemberDefinition": {**COGNITO, "UserGroup": "group", **changes}}


def oidc_member(*groups: str) -> dict[str, Any]:
    return {"OidcMemberDefinition": {"Groups": list(groups)}}


def refusal(operation: Any, match: str, **arguments: Any) -> str:
    with pytest.raises(ClientError, match=match) as refused:
        operation(**arguments)
    return str(refused.value.response["Error"]["Code"])


@pytest.fixture
def sagemaker(clary_aws: Server) -> Any:
    return clary_aws.client("sagemaker")


def test_a_client_secret_is_shown_to_nobody(clary_aws: Server, sagemaker: Any) -> None:
    sagemaker.create_workforce(WorkforceName="people", OidcConfig=OIDC)
    changed = {**OIDC, "ClientId": "other", "ClientSecret": f"{CLIENT_SECRET}-2"}
    answers = [
        sagemaker.describe_workforce(WorkforceName="people"),
        sagemaker.update_workforce(WorkforceName="people", OidcConfig=changed),
        sagemaker.list_workforces(),
    ]
    assert all("OidcConfig" in str(answer) and CLIENT_SECRET not in str(answer) for answer in answers)
    refused = {**OIDC, "ClientSecret": f"{CLIENT_SECRET}\n"}
    with pytest.raises(ClientError, match="clientSecret") as invalid:
        sagemaker.update_workforce(WorkforceName="people", OidcConfig=refused)
    assert CLIENT_SECRET not in str(invalid.value)
    written = [path for path in clary_aws.home.rglob("*") if path.is_file()]
    assert any(path.name.startswith("clary.db") for path in written)
    assert [path for path in written if CLIENT_SECRET.encode() in path.read_bytes()] == []


def test_a_client_secret_is_sealed(installation: Any) -> None:
    context = installation.context()
    app().operations["CreateWorkforce"](context, {"WorkforceName": "people", "OidcConfig": dict(OIDC)})
    with installation.database.read() as transaction:
        document = transaction.get(workforces.key(context, "people")).document
    assert "ClientSecret" not in document["OidcConfig"]
    vault = installation.identities.vault
    assert vault.open(SECRET_PURPOSE, document[SECRET], f"{context.account}/people").decode() == CLIENT_SECRET


def test_one_workforce_a_region(clary_aws: Server, sagemaker: Any) -> None:
    sagemaker.create_workforce(WorkforceName="people", CognitoConfig=COGNITO)
    assert (
        refusal(
            sagemaker.create_workforce,
            "Cannot create more than one workforce",
            WorkforceName="b",
            CognitoConfig=COGNITO,
        )
        == "ValidationException"
    )
    elsewhere = clary_aws.client("sagemaker", region_name="eu-west-1")
    elsewhere.create_workforce(WorkforceName="people", CognitoConfig=COGNITO)
    [workforce] = sagemaker.list_workforces()["Workforces"]
    assert workforce["WorkforceArn"].endswith(":workforce/people")
    assert (workforce["Status"], workforce["CognitoConfig"]) == ("Active", COGNITO)
    assert workforce["SourceIpConfig"] == {"Cidrs": []}
    assert workforce["SubDomain"].endswith(".labeling.us-east-1.localhost")


def test_workforces_that_make_no_sense(sagemaker: Any) -> None:
    for match, arguments in (
        ("exactly one of CognitoConfig and OidcConfig", {}),
        ("exactly one of CognitoConfig and OidcConfig", {"CognitoConfig": COGNITO, "OidcConfig": OIDC}),
        ("sourceIpConfig.cidrs", {"CognitoConfig": COGNITO, "SourceIpConfig": {"Cidrs": ["10.0.0.0/99"]}}),
        ("at most 10", {"CognitoConfig": COGNITO, "SourceIpConfig": {"Cidrs": ["10.0.0.0/8"] * 11}}),
    ):
        assert refusal(sagemaker.create_workforce, match, WorkforceName="w", **arguments) == "ValidationException"
    sagemaker.create_workforce(WorkforceName="w", CognitoConfig=COGNITO)
    assert refusal(sagemaker.update_workforce, "not created with OidcConfig", WorkforceName="w", OidcConfig=OIDC)
    updated = sagemaker.update_workforce(WorkforceName="w", SourceIpConfig={"Cidrs": ["10.0.0.0/8", "2001:db8::/32"]})
    assert updated["Workforce"]["SourceIpConfig"]["Cidrs"] == ["10.0.0.0/8", "2001:db8::/32"]


def test_a_workforce_with_teams_stays_as_it_is(sagemaker: Any) -> None:
    sagemaker.create_workforce(WorkforceName="w", OidcConfig=OIDC)
    sagemaker.create_workteam(
        WorkteamName="t", WorkforceName="w", MemberDefinitions=[oidc_member("a")], Description="d"
    )
    assert refusal(sagemaker.update_workforce, "no work teams", WorkforceName="w", OidcConfig=OIDC) == (
        "ConflictException"
    )
    assert refusal(sagemaker.delete_workforce, "contains work teams", WorkforceName="w") == "ResourceInUse"
    assert sagemaker.delete_workteam(WorkteamName="t")["Success"] is True
    sagemaker.update_workforce(WorkforceName="w", OidcConfig=OIDC)
    sagemaker.delete_workforce(WorkforceName="w")
    assert refusal(sagemaker.describe_workforce, "No workforce", WorkforceName="w") == "ValidationException"


def test_the_first_cognito_team_makes_the_workforce(sagemaker: Any) -> None:
    arguments = {"WorkteamName": "t", "Description": "d"}
    assert (
        refusal(sagemaker.create_workteam, "No workforce exists", MemberDefinitions=[oidc_member("a")], **arguments)
        == "ValidationException"
    )
    arn = sagemaker.create_workteam(MemberDefinitions=[cognito_member()], **arguments)["WorkteamArn"]
    assert arn.endswith(":workteam/private-crowd/t")
    workforce = sagemaker.describe_workforce(WorkforceName="default")["Workforce"]
    assert workforce["CognitoConfig"] == COGNITO
    team = sagemaker.describe_workteam(WorkteamName="t")["Workteam"]
    assert (team["WorkforceArn"], team["SubDomain"]) == (workforce["WorkforceArn"], workforce["SubDomain"])
    changed = sagemaker.update_workteam(WorkteamName="t", MemberDefinitions=[cognito_member(UserGroup="other")])
    assert changed["Workteam"]["MemberDefinitions"] == [cognito_member(UserGroup="other")]
    assert changed["Workteam"]["Description"] == "d"


def test_members_are_of_the_workforce(sagemaker: Any) -> None:
    sagemaker.create_workforce(WorkforceName="w", CognitoConfig=COGNITO)
    for match, members in (
        ("takes members with CognitoMemberDefinition", [oidc_member("a")]),
        ("takes members with CognitoMemberDefinition", [cognito_member() | oidc_member("a")]),
        ("UserPool and ClientId", [cognito_member(), cognito_member(ClientId="another")]),
    ):
        assert (
            refusal(sagemaker.create_workteam, match, WorkteamName="t", MemberDefinitions=members, Description="d")
            == "ValidationException"
        )
    assert refusal(
        sagemaker.create_workteam,
        "No workforce",
        WorkteamName="t",
        WorkforceName="other",
        MemberDefinitions=[cognito_member()],
        Description="d",
    )
    for number in range(25):
        sagemaker.create_workteam(WorkteamName=f"t{number}", MemberDefinitions=[cognito_member()], Description="d")
    assert (
        refusal(
            sagemaker.create_workteam,
            "more than 25",
            WorkteamName="t",
            MemberDefinitions=[cognito_member()],
            Description="d",
        )
        == "ResourceLimitExceeded"
    )
    assert (
        refusal(sagemaker.update_workteam, "takes members", WorkteamName="t1", MemberDefinitions=[oidc_member("a")])
        == "ValidationException"
    )
    assert refusal(sagemaker.delete_workteam, "The work team .* does not exist", WorkteamName="none")


def test_flow_definitions_refer_to_what_is_there(clary_aws: Server, sagemaker: Any) -> None:
    team = sagemaker.create_workteam(WorkteamName="t", MemberDefinitions=[cognito_member()], Description="d")
    template = sagemaker.create_human_task_ui(HumanTaskUiName="ui", UiTemplate={"Content": "<p>label</p>"})

    def create(**changes: Any) -> Any:
        config = {
            "WorkteamArn": team["WorkteamArn"],
            "HumanTaskUiArn": template["HumanTaskUiArn"],
            "TaskTitle": "title",
            "TaskDescription": "description",
            "TaskCount": 1,
            **changes,
        }
        return sagemaker.create_flow_definition(
            FlowDefinitionName="flow",
            HumanLoopConfig=config,
            OutputConfig={"S3OutputPath": "s3://bucket/reviews"},
            RoleArn=clary_aws.role_arn,
        )

    nobody = team["WorkteamArn"].replace("/t", "/nobody")
    assert refusal(create, f"The specified Workteam '{nobody}' does not exist", WorkteamArn=nobody) == (
        "ValidationException"
    )
    missing = template["HumanTaskUiArn"] + "x"
    assert refusal(create, "The specified HumanTaskUi .* does not exist", HumanTaskUiArn=missing)
    assert refusal(create, "does not exist", HumanTaskUiArn=missing.replace(":human-task-ui/", ":human-task-ui/z/"))
    public = "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default"
    assert refusal(create, "Mechanical Turk", WorkteamArn=public)
    create()
    described = sagemaker.describe_flow_definition(FlowDefinitionName="flow")
    assert described["FlowDefinitionStatus"] == "Active"
    assert described["HumanLoopConfig"]["TaskTimeLimitInSeconds"] == 3600


def test_labeling_comes_later(clary_aws: Server, sagemaker: Any) -> None:
    team = sagemaker.create_workteam(WorkteamName="t", MemberDefinitions=[cognito_member()], Description="d")
    arn = team["WorkteamArn"]
    assert sagemaker.list_labeling_jobs_for_workteam(WorkteamArn=arn)["LabelingJobSummaryList"] == []
    assert (
        refusal(sagemaker.list_labeling_jobs_for_workteam, "does not exist", WorkteamArn=f"{arn}x")
        == "ResourceNotFound"
    )
    assert sagemaker.list_subscribed_workteams()["SubscribedWorkteams"] == []
    assert refusal(sagemaker.describe_subscribed_workteam, "does not exist", WorkteamArn=arn)
    rendering = {"Task": {"Input": "{}"}, "RoleArn": clary_aws.role_arn}
    unknown = arn.split(":workteam/")[0] + ":human-task-ui/none"
    assert refusal(sagemaker.render_ui_template, "does not exist", HumanTaskUiArn=unknown, **rendering)
    template = sagemaker.create_human_task_ui(HumanTaskUiName="ui", UiTemplate={"Content": "<p>label</p>"})
    refusal(
        sagemaker.render_ui_template,
        "not available in Clary yet",
        HumanTaskUiArn=template["HumanTaskUiArn"],
        **rendering,
    )
