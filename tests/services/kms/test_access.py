"""Who may use a key: key policies, what they leave to IAM, grants, and other accounts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from clary.services.iam.api import Principal

ACCOUNT, OTHER = "123456789012", "210987654321"
Refused = Callable[..., str]
User = Callable[..., Principal]
EVERYTHING = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
DENIED = "AccessDeniedException"


def policy(*statements: dict[str, Any], root: bool = True) -> str:
    """A key policy; with ``root`` its account's IAM policies speak."""
    account = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
    whole = [*([{**account, "Resource": "*"}] if root else []), *({"Resource": "*", **each} for each in statements)]
    return json.dumps({"Version": "2012-10-17", "Statement": whole})


def test_by_default_iam_policies_speak(installation: Any, kms: Any, key: str, user: User, refused: Refused) -> None:
    reader = installation.client("kms", user("reader", {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}))
    nobody = installation.client("kms", user("nobody"))
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert reader.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert refused(reader.encrypt, KeyId=key, Plaintext=b"x") == DENIED
    assert refused(nobody.decrypt, CiphertextBlob=blob) == DENIED
    for call in (nobody.describe_key, nobody.disable_key, nobody.schedule_key_deletion, nobody.get_key_policy):
        assert refused(call, KeyId=key) == DENIED
    for call in (nobody.list_keys, nobody.list_aliases, nobody.create_key):
        assert refused(call) == DENIED
    assert refused(nobody.generate_random, NumberOfBytes=1) == DENIED
    other = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=other, Plaintext=b"x")["CiphertextBlob"]
    assert refused(reader.decrypt, CiphertextBlob=blob) == DENIED
    assert refused(reader.decrypt, CiphertextBlob=blob, KeyId=key) == "IncorrectKeyException"


def test_without_the_key_policy_iam_policies_do_nothing(
    installation: Any, kms: Any, key: str, user: User, refused: Refused
) -> None:
    mighty, named = user("mighty", EVERYTHING), user("named")
    use = {"Effect": "Allow", "Principal": {"AWS": named.arn}, "Action": ["kms:Encrypt", "kms:Decrypt"]}
    admin = {
        "Effect": "Allow",
        "Principal": {"AWS": installation.administrator.arn},
        "Action": ["kms:Put*", "kms:Get*"],
    }
    kms.put_key_policy(KeyId=key, Policy=policy(use, admin, root=False))
    own = installation.client("kms", named)
    blob = own.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert own.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert refused(own.describe_key, KeyId=key) == DENIED
    root = Principal(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, ACCOUNT, "root", "")
    for caller in (mighty, root, installation.administrator):
        assert refused(installation.client("kms", caller).decrypt, CiphertextBlob=blob) == DENIED
    assert json.loads(kms.get_key_policy(KeyId=key)["Policy"])["Statement"][0]["Principal"] == {"AWS": named.arn}
    kms.put_key_policy(KeyId=key, Policy=policy())
    assert installation.client("kms", mighty).decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert refused(own.decrypt, CiphertextBlob=blob) == DENIED


def test_a_deny_wins(installation: Any, kms: Any, key: str, user: User, refused: Refused) -> None:
    denied = user("denied", EVERYTHING)
    kms.create_grant(KeyId=key, GranteePrincipal=denied.arn, Operations=["Decrypt", "Encrypt"])
    client = installation.client("kms", denied)
    blob = client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    deny = {"Effect": "Deny", "Principal": {"AWS": denied.arn}, "Action": "kms:Decrypt"}
    kms.put_key_policy(KeyId=key, Policy=policy(deny))
    assert refused(client.decrypt, CiphertextBlob=blob) == DENIED
    kms.put_key_policy(KeyId=key, Policy=policy())
    statement = json.dumps({"Version": "2012-10-17", "Statement": {**EVERYTHING, "Effect": "Deny"}})
    installation.client("iam").put_user_policy(UserName="denied", PolicyName="no", PolicyDocument=statement)
    assert refused(client.decrypt, CiphertextBlob=blob) == DENIED


@pytest.mark.parametrize(
    ("condition", "fits", "fails"),
    [
        ({"kms:EncryptionContext:tenant": "a"}, {"tenant": "a", "more": "1"}, {"tenant": "b"}),
        ({"kms:EncryptionContext:TENANT": "a"}, {"tenant": "a"}, {}),
        ({"kms:ResourceAliases": "alias/app"}, {}, None),
        ({"kms:CallerAccount": ACCOUNT}, {}, None),
        ({"kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, {}, None),
        ({"aws:ResourceTag/team": "a"}, {}, None),
        ({"kms:RequestAlias": "alias/app"}, {}, None),
        ({"kms:ViaService": "s3.us-east-1.amazonaws.com"}, None, {}),
        ({"kms:CallerAccount": OTHER}, None, {}),
    ],
)
def test_condition_keys(
    installation: Any,
    kms: Any,
    user: User,
    refused: Refused,
    condition: dict[str, str],
    fits: dict[str, str] | None,
    fails: dict[str, str] | None,
) -> None:
    key = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "a"}])["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    # A key may have several aliases, and such a condition key needs a set operator.
    operator = "ForAnyValue:StringEquals" if "kms:ResourceAliases" in condition else "StringEquals"
    caller = installation.client("kms", user("caller", {**EVERYTHING, "Condition": {operator: condition}}))
    if fits is not None:
        assert caller.encrypt(KeyId="alias/app", Plaintext=b"x", EncryptionContext=fits)["KeyId"] == key
    if fails is not None:
        assert refused(caller.encrypt, KeyId="alias/app", Plaintext=b"x", EncryptionContext=fails) == DENIED


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        '{"Statement": []}',
        '{"Version": "2020-01-01", "Statement": [{}]}',
        json.dumps({"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}),
        json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*"}]}),
        json.dumps({"Statement": [{"Effect": "Maybe", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}),
        json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "decrypt", "Resource": "*"}]}),
        json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": 1}, "Action": "kms:*", "Resource": "*"}]}),
        json.dumps({"Statement": [{"Effect": "Allow", "Principal": "x", "Action": "kms:*", "Resource": "*"}]}),
        policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/none"}, "Action": "kms:*"}),
        policy({"Effect": "Allow", "Principal": {"AWS": "nobody"}, "Action": "kms:*"}),
        policy({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Condition": {"StringEqual": {"a": "b"}}}),
        # Its author could not change it again.
        policy({"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "kms:*"}, root=False),
    ],
)
def test_what_is_no_key_policy(kms: Any, key: str, refused: Refused, wrong: str) -> None:
    before = kms.get_key_policy(KeyId=key)["Policy"]
    assert refused(kms.put_key_policy, KeyId=key, Policy=wrong) == "MalformedPolicyDocumentException"
    assert refused(kms.create_key, Policy=wrong) == "MalformedPolicyDocumentException"
    assert kms.get_key_policy(KeyId=key)["Policy"] == before


def test_key_policies(kms: Any, key: str, refused: Refused) -> None:
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    assert json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Id"] == "key-default-1"
    assert refused(kms.get_key_policy, KeyId=key, PolicyName="other") == "NotFoundException"
    long = policy({"Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Sid": "x" * 32_768})
    assert refused(kms.put_key_policy, KeyId=key, Policy=long) == "LimitExceededException"
    nobody = policy({"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "kms:*"}, root=False)
    kms.put_key_policy(KeyId=key, Policy=nobody, BypassPolicyLockoutSafetyCheck=True)
    assert refused(kms.get_key_policy, KeyId=key) == DENIED


def test_what_is_remembered_of_one_request_is_not_used_for_another(
    installation: Any, kms: Any, key: str, user: User, refused: Refused
) -> None:
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    for number, condition in enumerate(
        (
            {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/${kms:EncryptionContext:tenant}"}},
            {"StringEquals": {"kms:EncryptionContext:tenant": "a"}},
        )
    ):
        caller = user(f"caller-{number}", {**EVERYTHING, "Condition": condition})
        client = installation.client("kms", caller)
        for _ in range(2):
            assert client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a"})["KeyId"] == key
            assert refused(client.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "b"}) == DENIED
    steady = user("steady", EVERYTHING)
    client = installation.client("kms", steady)
    assert client.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
    installation.client("iam").delete_user_policy(UserName="steady", PolicyName="own")
    assert refused(client.encrypt, KeyId=key, Plaintext=b"x") == DENIED


# Grants


def test_a_grant_allows_its_operations(installation: Any, kms: Any, key: str, user: User, refused: Refused) -> None:
    grantee = user("grantee")
    client = installation.client("kms", grantee)
    asked = {"KeyId": key, "GranteePrincipal": grantee.arn, "Operations": ["Encrypt", "Decrypt"], "Name": "g"}
    made = kms.create_grant(**asked)
    assert kms.create_grant(**asked)["GrantId"] == made["GrantId"]
    blob = client.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[made["GrantToken"]])["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert refused(client.generate_data_key, KeyId=key, KeySpec="AES_256") == DENIED
    shown = kms.list_grants(KeyId=key)["Grants"]
    assert [(each["GrantId"], sorted(each["Operations"])) for each in shown] == [
        (made["GrantId"], ["Decrypt", "Encrypt"])
    ]
    assert (shown[0]["KeyId"], shown[0]["IssuingAccount"]) == (key, f"arn:aws:iam::{ACCOUNT}:root")
    assert kms.list_grants(KeyId=key, GranteePrincipal=installation.administrator.arn)["Grants"] == []
    assert refused(client.revoke_grant, KeyId=key, GrantId=made["GrantId"]) == DENIED
    assert refused(client.retire_grant, GrantToken=made["GrantToken"]) == DENIED
    assert refused(kms.revoke_grant, KeyId=key, GrantId=made["GrantId"], DryRun=True) == "DryRunOperationException"
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    assert refused(kms.revoke_grant, KeyId=key, GrantId=made["GrantId"]) == "InvalidGrantIdException"
    assert refused(client.decrypt, CiphertextBlob=blob) == DENIED


@pytest.mark.parametrize(
    ("constraints", "fits", "fails"),
    [
        ({"EncryptionContextEquals": {"a": "1"}}, {"a": "1"}, {"a": "1", "b": "2"}),
        ({"EncryptionContextSubset": {"a": "1"}}, {"a": "1", "b": "2"}, {"a": "2"}),
        ({"EncryptionContextSubset": {"a": "1"}}, {"a": "1"}, {}),
    ],
)
def test_constraints(
    installation: Any,
    kms: Any,
    key: str,
    user: User,
    refused: Refused,
    constraints: dict[str, Any],
    fits: dict[str, str],
    fails: dict[str, str],
) -> None:
    grantee = user("grantee")
    operations = ["Encrypt", "GenerateDataKey", "DescribeKey"]
    kms.create_grant(KeyId=key, GranteePrincipal=grantee.arn, Operations=operations, Constraints=constraints)
    client = installation.client("kms", grantee)
    assert client.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=fits)["KeyId"] == key
    assert refused(client.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=fails) == DENIED
    assert client.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key


def test_a_grantee_hands_on_no_more_than_it_has(
    installation: Any, kms: Any, key: str, user: User, refused: Refused
) -> None:
    first, second = user("first"), user("second")
    kms.create_grant(
        KeyId=key,
        GranteePrincipal=first.arn,
        Operations=["CreateGrant", "Decrypt"],
        Constraints={"EncryptionContextSubset": {"a": "1"}},
    )
    client = installation.client("kms", first)
    asked = {"KeyId": key, "GranteePrincipal": second.arn, "Operations": ["Decrypt"]}
    assert refused(client.create_grant, **asked) == DENIED
    assert refused(client.create_grant, **{**asked, "Operations": ["Encrypt"]}) == DENIED
    assert client.create_grant(**asked, Constraints={"EncryptionContextSubset": {"a": "1", "b": "2"}})["GrantId"]
    assert client.create_grant(**asked, Constraints={"EncryptionContextEquals": {"a": "1"}})["GrantId"]
    assert refused(installation.client("kms", second).create_grant, **asked) == DENIED


def test_grants_are_retired(installation: Any, kms: Any, key: str, user: User, refused: Refused) -> None:
    grantee, retiring = user("grantee"), user("retiring")
    asked = {"KeyId": key, "GranteePrincipal": grantee.arn, "RetiringPrincipal": retiring.arn}
    by_token = kms.create_grant(**asked, Operations=["Decrypt"])
    by_id = kms.create_grant(**asked, Operations=["Encrypt"])
    by_grantee = kms.create_grant(**asked, Operations=["RetireGrant"])
    found = kms.list_retirable_grants(RetiringPrincipal=retiring.arn)["Grants"]
    assert {each["GrantId"] for each in found} == {each["GrantId"] for each in (by_token, by_id, by_grantee)}
    client = installation.client("kms", retiring)
    client.retire_grant(GrantToken=by_token["GrantToken"])
    client.retire_grant(KeyId=key, GrantId=by_id["GrantId"])
    installation.client("kms", grantee).retire_grant(KeyId=key, GrantId=by_grantee["GrantId"])
    assert kms.list_grants(KeyId=key)["Grants"] == []
    assert refused(client.retire_grant, GrantToken="none") == "InvalidGrantTokenException"
    assert refused(client.retire_grant) == "ValidationException"
    assert refused(client.retire_grant, KeyId=key, GrantId=by_id["GrantId"]) == DENIED
    assert refused(kms.retire_grant, KeyId=key, GrantId=by_id["GrantId"]) == "InvalidGrantIdException"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"Operations": ["Sign"]}, "ValidationException"),
        ({"Operations": ["Fly"]}, "ValidationException"),
        ({"Operations": []}, "ValidationException"),
        ({"GranteePrincipal": "nobody"}, "InvalidArnException"),
        ({"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:user/none"}, "InvalidArnException"),
        ({"RetiringPrincipal": f"arn:aws:iam::{ACCOUNT}:role/none"}, "InvalidArnException"),
        ({"KeyId": "none"}, "NotFoundException"),
        ({"DryRun": True}, "DryRunOperationException"),
    ],
)
def test_what_is_no_grant(
    installation: Any, kms: Any, key: str, refused: Refused, arguments: dict[str, Any], code: str
) -> None:
    asked = {"KeyId": key, "GranteePrincipal": installation.administrator.arn, "Operations": ["Decrypt"], **arguments}
    assert refused(kms.create_grant, **asked) == code
    assert kms.list_grants(KeyId=key)["Grants"] == []


# Other accounts


def test_another_account_needs_the_consent_of_both(
    installation: Any, kms: Any, key: str, user: User, refused: Refused
) -> None:
    stranger = user("stranger", EVERYTHING, account=OTHER)
    client = installation.client("kms", stranger)
    assert refused(client.encrypt, KeyId=key, Plaintext=b"x") == DENIED
    assert refused(client.encrypt, KeyId=f"{key[:-1]}x", Plaintext=b"x") == DENIED
    assert refused(client.describe_key, KeyId=f"{key[:-1]}x") == DENIED
    use = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, "Action": ["kms:Encrypt"]}
    kms.put_key_policy(KeyId=key, Policy=policy(use))
    assert client.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
    powerless = user("powerless", account=OTHER)
    assert refused(installation.client("kms", powerless).encrypt, KeyId=key, Plaintext=b"x") == DENIED
    named = {"Effect": "Allow", "Principal": {"AWS": powerless.arn}, "Action": ["kms:Encrypt", "kms:PutKeyPolicy"]}
    kms.put_key_policy(KeyId=key, Policy=policy(named))
    assert refused(installation.client("kms", powerless).encrypt, KeyId=key, Plaintext=b"x") == DENIED
    everything = {"Effect": "Allow", "Principal": {"AWS": stranger.arn}, "Action": ["kms:*"]}
    kms.put_key_policy(KeyId=key, Policy=policy(everything))
    assert client.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
    # It can use the key, and not administer it.
    assert refused(client.put_key_policy, KeyId=key, Policy=policy()) == DENIED
    assert refused(client.disable_key, KeyId=key) == DENIED
    assert refused(client.create_alias, AliasName="alias/theirs", TargetKeyId=key) == DENIED
    assert client.list_keys()["Keys"] == []
