"""The documents of roles: each is a policy that IAM takes, and whatever is wrong with a wish is told of its member."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.core.errors import SerializationException, ServiceError, ValidationException
from clary.services.iam.documents import check_document
from clary.services.iam.policy import texts_of
from clary.services.iam.role_manager.api import described, documents_of
from clary.services.iam.role_manager.catalog import CUSTOMIZATIONS, activities, parameters, personas

ACCOUNT, REGION = "123456789012", "eu-west-1"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
EVERYTHING = {name: [parameter.example] for name, parameter in parameters().items()}
PERMISSIONS = {"iam:PassRole", "s3:ListBucket", "sagemaker-mlflow:*"}
"""Actions that are permissions only, with no operation of that name."""
SERVICES = {"sagemaker": ("sagemaker", "sagemaker-metrics")}
"""The service models that hold the operations of a prefix, where it is not the one of that name."""


def made(wish: dict[str, Any]) -> dict[str, Any]:
    return documents_of(json.dumps({"Name": "ada", **wish}).encode(), ACCOUNT, REGION)


def values_for(*names: str, customized: str = "") -> dict[str, list[str]]:
    """What the activities of these names need, and what is wished besides: all of a customization's parameters."""
    wanted = {each for name in names for each in (*activities()[name].parameters, *activities()[name].optional)}
    wanted.update(CUSTOMIZATIONS[customized] if customized else ())  # type: ignore[index]
    return {name: EVERYTHING[name] for name in sorted(wanted)}


def statements(document: dict[str, Any], action: str) -> list[dict[str, Any]]:
    return [each for each in document["Statement"] if action in each["Action"]]


VARIANTS = [
    (name, customized) for name, activity in activities().items() for customized in ("", *activity.customizations)
]


@pytest.mark.parametrize(("name", "customized"), VARIANTS, ids=lambda text: text or "plain")
def test_each_activity_is_a_policy_that_iam_takes(name: str, customized: str) -> None:
    (policy,) = made({"Activities": [name], "Parameters": values_for(name, customized=customized)})["Policies"]
    text = json.dumps(policy["Document"])
    check_document(text, "identity")
    assert not re.search(r"[{](?:Account|Region|[A-Z]\w+)[}]", text)
    assert policy["Activity"] == name
    assert re.fullmatch(r"[\w+=,.@-]{1,128}", policy["PolicyName"])
    assert policy["PolicyName"].endswith("_ada")
    assert len(policy["Description"]) <= 1000
    for statement in policy["Document"]["Statement"]:
        assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}
        assert statement["Effect"] == "Allow"


@cache
def operations(prefix: str) -> set[str]:
    session = botocore.session.get_session()
    names = SERVICES.get(prefix, (prefix,))
    return {name for each in names for name in session.get_service_model(each).operation_names}


@pytest.mark.parametrize("name", activities())
def test_each_action_is_an_operation(name: str) -> None:
    for action in sorted(
        {each for statement in activities()[name].statements for each in texts_of(statement["Action"])}
    ):
        prefix, _, operation = action.partition(":")
        assert action in PERMISSIONS or operation in operations(prefix), action


@pytest.mark.parametrize("name", activities())
def test_an_activity_says_what_it_needs(name: str) -> None:
    activity = activities()[name]
    said = {each for each in parameters() if f"{{{each}}}" in json.dumps(activity.statements)}
    narrowing = {each for needed in CUSTOMIZATIONS.values() for each in needed}
    assert said - narrowing == {*activity.parameters, *activity.optional}
    for missing in activity.parameters:
        with pytest.raises(ValidationException, match=f"^Value at '{missing}' failed"):
            made({"Activities": [name], "Parameters": {**values_for(name), missing: []}})


def test_personas_are_those_of_the_documentation() -> None:
    titles = {name: [activities()[each].title for each in persona.activities] for name, persona in personas().items()}
    assert titles == {
        "data-scientist": [
            "Run Studio Applications",
            "Manage ML Jobs",
            "Manage Models",
            "Manage Experiments",
            "Search and Visualize Experiments",
            "S3 Bucket Access",
        ],
        "mlops": [
            "Run Studio Applications",
            "Manage Models",
            "Manage Endpoints",
            "Manage Pipelines",
            "Search and Visualize Experiments",
        ],
        "compute": ["Access Required AWS Services"],
    }


def test_parameters_take_their_own_examples() -> None:
    for parameter in parameters().values():
        assert re.fullmatch(parameter.pattern, parameter.example), parameter.name


def test_a_role_is_named_and_trusted_as_documented() -> None:
    answer = made({"Persona": "compute", "Parameters": {"S3Buckets": ["one"]}})
    assert answer["RoleName"] == "sagemaker-ada"
    assert answer["TrustPolicy"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    check_document(json.dumps(answer["TrustPolicy"]), "trust")
    people = [f"arn:aws:iam::{ACCOUNT}:user/ada", f"arn:aws:iam::{ACCOUNT}:root"]
    trust = made({"Persona": "compute", "Parameters": {"S3Buckets": ["one"]}, "TrustedArns": people})["TrustPolicy"]
    assert trust["Statement"][1]["Principal"] == {"AWS": people}
    check_document(json.dumps(trust), "trust")


def test_activities_replace_those_of_the_persona() -> None:
    wish = {"Persona": "mlops", "Activities": ["search-experiments", "s3-full-access"]}
    assert [each["Activity"] for each in made(wish)["Policies"]] == wish["Activities"]


def test_every_value_has_its_resource() -> None:
    wish = {"Activities": ["s3-bucket-access"], "Parameters": {"S3Buckets": ["one", "two"]}}
    first, second = made(wish)["Policies"][0]["Document"]["Statement"]
    assert first["Resource"] == ["arn:aws:s3:::one", "arn:aws:s3:::two"]
    assert second["Resource"] == ["arn:aws:s3:::one/*", "arn:aws:s3:::two/*"]


def test_an_optional_parameter_leaves_its_statement_out() -> None:
    wish: dict[str, Any] = {"Persona": "compute", "Parameters": {"S3Buckets": ["one"]}}
    assert not statements(made(wish)["Policies"][0]["Document"], "ecr:BatchGetImage")
    wish["Parameters"]["ECRRepoArns"] = EVERYTHING["ECRRepoArns"]
    (pull,) = statements(made(wish)["Policies"][0]["Document"], "ecr:BatchGetImage")
    assert pull["Resource"] == EVERYTHING["ECRRepoArns"]


def test_networks_and_keys_narrow_the_activities_that_know_them() -> None:
    values = values_for("manage-jobs", "manage-endpoints", "manage-experiments")
    narrowed = {each: EVERYTHING[each] for needed in CUSTOMIZATIONS.values() for each in needed}
    chosen = ["manage-jobs", "manage-endpoints", "manage-experiments"]
    jobs, endpoints, experiments = made({"Activities": chosen, "Parameters": values | narrowed})["Policies"]
    assert jobs["PolicyName"] == "SM_CommonJobManagement_VPC_KMS_ada"
    assert endpoints["PolicyName"] == "SM_EndpointDeployment_KMS_ada"
    assert experiments["PolicyName"] == "SM_ExperimentsManagement_ada"
    (create,) = statements(jobs["Document"], "sagemaker:CreateTrainingJob")
    assert create["Condition"] == {
        "ForAllValues:StringEquals": {
            "sagemaker:VpcSubnets": EVERYTHING["VpcSubnets"],
            "sagemaker:VpcSecurityGroupIds": EVERYTHING["VpcSecurityGroups"],
        },
        "Null": {"sagemaker:VpcSubnets": "false", "sagemaker:VpcSecurityGroupIds": "false"},
        "StringEquals": {
            "sagemaker:VolumeKmsKey": EVERYTHING["VolumeKmsKeys"],
            "sagemaker:OutputKmsKey": EVERYTHING["DataKmsKeys"],
        },
    }
    (stop,) = statements(jobs["Document"], "sagemaker:StopTrainingJob")
    assert "Condition" not in stop
    (grant,) = statements(endpoints["Document"], "kms:CreateGrant")
    assert grant["Resource"] == EVERYTHING["VolumeKmsKeys"]
    plain = made({"Activities": chosen, "Parameters": values})["Policies"]
    assert not statements(plain[1]["Document"], "kms:CreateGrant")
    assert "Condition" not in statements(plain[0]["Document"], "sagemaker:CreateTrainingJob")[0]


ROLE = "arn:aws:iam::123456789012:role/x"
WRONG: dict[str, tuple[Any, str]] = {
    "no object": ([], "The request must be a JSON object"),
    "no name": ({"Name": None}, "at 'Name'"),
    "name with a blank": ({"Name": "a b"}, "Value 'a b' at 'Name'"),
    "name of another alphabet": ({"Name": "ädä"}, "at 'Name'"),
    "long name": ({"Name": "a" * 55}, "at 'Name'"),
    "unknown member": ({"Role": "x"}, "Unknown member 'Role'"),
    "unknown persona": ({"Persona": "boss"}, "at 'Persona'"),
    "persona of a wrong type": ({"Persona": ["mlops"]}, "at 'Persona'"),
    "nothing chosen": ({}, "at 'Activities'"),
    "unknown activity": ({"Activities": ["manage-everything"]}, "Value 'manage-everything' at 'Activities'"),
    "activities of a wrong type": ({"Activities": "s3-full-access"}, "at 'Activities'"),
    "activity twice": ({"Activities": ["s3-full-access"] * 2}, "at 'Activities'"),
    "too many activities": ({"Activities": list(activities())[:11], "Parameters": EVERYTHING}, "at most 10 policies"),
    "too many policies": (
        {"Activities": ["s3-full-access"], "PolicyArns": [f"arn:aws:iam::aws:policy/P{i}" for i in range(10)]},
        "at 'PolicyArns'",
    ),
    "policy that is no ARN": ({"Activities": ["s3-full-access"], "PolicyArns": ["ReadOnlyAccess"]}, "at 'PolicyArns'"),
    "trust of everybody": ({"Activities": ["s3-full-access"], "TrustedArns": ["*"]}, "at 'TrustedArns'"),
    "parameters of a wrong type": ({"Activities": ["s3-bucket-access"], "Parameters": []}, "at 'Parameters'"),
    "values of a wrong type": (
        {"Activities": ["s3-bucket-access"], "Parameters": {"S3Buckets": "one"}},
        "at 'S3Buckets'",
    ),
    "unknown parameter": (
        {"Activities": ["s3-full-access"], "Parameters": {"Buckets": ["one"]}},
        "Value 'Buckets' at 'Parameters'",
    ),
    "every bucket": (
        {"Activities": ["s3-bucket-access"], "Parameters": {"S3Buckets": ["*"]}},
        "Value '[*]' at 'S3Buckets'",
    ),
    "objects of a bucket": (
        {"Activities": ["s3-bucket-access"], "Parameters": {"S3Buckets": ["one/two"]}},
        "at 'S3Buckets'",
    ),
    "bucket with a line's end": (
        {"Activities": ["s3-bucket-access"], "Parameters": {"S3Buckets": ["one\n"]}},
        "at 'S3Buckets'",
    ),
    "bucket twice": (
        {"Activities": ["s3-bucket-access"], "Parameters": {"S3Buckets": ["one", "one"]}},
        "each must be named once",
    ),
    "every role": (
        {"Activities": ["manage-jobs"], "Parameters": {"PassRoles": ["arn:aws:iam::123456789012:role/*"]}},
        "at 'PassRoles'",
    ),
    "parameter that nothing takes": (
        {"Activities": ["s3-full-access"], "Parameters": {"PassRoles": [ROLE]}},
        "at 'PassRoles' .*no activity that is chosen takes 'Roles to pass'",
    ),
    "network that nothing knows": (
        {"Activities": ["s3-full-access"], "Parameters": {"VpcSubnets": ["s"], "VpcSecurityGroups": ["g"]}},
        "no activity that is chosen takes 'Subnets'",
    ),
    "half a network": (
        {"Activities": ["manage-jobs"], "Parameters": {"PassRoles": [ROLE], "VpcSubnets": ["subnet-1"]}},
        "at 'VpcSecurityGroups' .*given together",
    ),
    "half of the keys": (
        {"Activities": ["manage-jobs"], "Parameters": {"PassRoles": [ROLE], "VolumeKmsKeys": [KEY]}},
        "at 'DataKmsKeys' .*given together",
    ),
    "more values than fit": (
        {"Activities": ["s3-bucket-access"], "Parameters": {"S3Buckets": [f"bucket-{i}" for i in range(101)]}},
        "at most 100 values",
    ),
    "a policy that is too long": (
        {
            "Activities": ["s3-bucket-access"],
            "Parameters": {"S3Buckets": [f"{'long' * 15}{i:02}" for i in range(60)]},
        },
        "at 'S3Buckets' .*60 values .*longer than 6144 characters",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_of_its_member(case: str) -> None:
    wish, told = WRONG[case]
    body = wish if isinstance(wish, list) else {"Name": "ada", **wish}
    with pytest.raises(ValidationException, match=told) as refused:
        documents_of(json.dumps(body).encode(), ACCOUNT, REGION)
    assert len(refused.value.message) < 600


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"Name": "\\ud800"}', b"[" * 5000], ids=range(4))
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ServiceError) as refused:
        documents_of(body, ACCOUNT, REGION)
    assert isinstance(refused.value, SerializationException)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([*activities(), *parameters()]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*parameters(), "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["Name", "Persona", "Activities", "Parameters", "PolicyArns", "TrustedArns", "x"])


@given(st.dictionaries(MEMBERS, JSON, max_size=6) | JSON)
def test_nothing_that_is_wished_for_is_an_internal_failure(wish: Any) -> None:
    try:
        answer = documents_of(json.dumps(wish).encode(), ACCOUNT, REGION)
    except ServiceError as refused:
        assert refused.status == 400
    else:
        for policy in answer["Policies"]:
            check_document(json.dumps(policy["Document"]), "identity")


def test_what_is_offered_fits_together() -> None:
    said = described()
    names = {each["Name"] for each in said["Activities"]}
    known = {each["Name"] for each in said["Parameters"]}
    assert len(names) == 16
    for persona in said["Personas"]:
        assert names.issuperset(persona["Activities"])
    for activity in said["Activities"]:
        assert known.issuperset([*activity["Parameters"], *activity["OptionalParameters"]])
        assert set(said["Customizations"]).issuperset(activity["Customizations"])
    assert said["Customizations"] == {
        "Network": ["VpcSubnets", "VpcSecurityGroups"],
        "Encryption": ["DataKmsKeys", "VolumeKmsKeys"],
    }
    json.dumps(said)
