"""Keys as things: what they say of themselves, their states, aliases, tags and rotations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from clary.control.scheduler import Look
from clary.services.kms.lifecycle import reconcile

DAY = 86_400
NONE = str(uuid.UUID(int=0))
Refused = Callable[..., str]


def pass_days(installation: Any, days: float) -> int:
    """Let time pass and the scheduler do what is due; gives how many keys it looked at."""
    installation.now += days * DAY
    with installation.database.write() as transaction:
        due = transaction.claim("test", installation.now, installation.now + 30)
    for record in due:
        assert reconcile(Look(installation.platform, record, record.fence)) is None
    return len(due)


def test_what_a_key_says(kms: Any, refused: Refused) -> None:
    made = kms.create_key(Description="d", Tags=[{"TagKey": "team", "TagValue": "a"}])["KeyMetadata"]
    arn = f"arn:aws:kms:us-east-1:123456789012:key/{made['KeyId']}"
    assert (made["Arn"], made["KeyState"], made["Enabled"]) == (arn, "Enabled", True)
    assert (made["KeySpec"], made["KeyUsage"]) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    assert (made["KeyManager"], made["Origin"], made["MultiRegion"]) == ("CUSTOMER", "AWS_KMS", False)
    assert made["EncryptionAlgorithms"] == ["SYMMETRIC_DEFAULT"] and len(made["CurrentKeyMaterialId"]) == 64
    assert kms.describe_key(KeyId=arn)["KeyMetadata"] == made
    assert [each["KeyArn"] for each in kms.list_keys()["Keys"]] == [arn]
    assert kms.list_resource_tags(KeyId=arn)["Tags"] == [{"TagKey": "team", "TagValue": "a"}]
    kms.update_key_description(KeyId=made["KeyId"], Description="e")
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["Description"] == "e"
    for name in ("alias/none", NONE, arn.replace(made["KeyId"], NONE)):
        assert refused(kms.describe_key, KeyId=name) == "NotFoundException"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"KeySpec": "RSA_2048"}, "ValidationException"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "GENERATE_VERIFY_MAC"}, "ValidationException"),
        ({"KeySpec": "none"}, "ValidationException"),
        ({"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"}, "UnsupportedOperationException"),
        ({"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "HMAC_256"}, "ValidationException"),
        ({"MultiRegion": True}, "UnsupportedOperationException"),
        ({"Origin": "EXTERNAL"}, "UnsupportedOperationException"),
        ({"CustomKeyStoreId": "cks-1"}, "UnsupportedOperationException"),
        ({"Description": "x" * 8193}, "ValidationException"),
        ({"Tags": [{"TagKey": "aws:x", "TagValue": "y"}]}, "TagException"),
        ({"Tags": [{"TagKey": "x", "TagValue": "y"}] * 2}, "TagException"),
        ({"Tags": [{"TagKey": f"k{n}", "TagValue": ""} for n in range(51)]}, "LimitExceededException"),
        ({"Policy": "{"}, "MalformedPolicyDocumentException"),
    ],
)
def test_what_create_refuses(kms: Any, refused: Refused, arguments: dict[str, Any], code: str) -> None:
    assert refused(kms.create_key, **arguments) == code
    assert kms.list_keys()["Keys"] == []


def test_lists_come_in_pages(kms: Any, refused: Refused) -> None:
    made = sorted(kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5))
    first = kms.list_keys(Limit=2)
    assert first["Truncated"] and len(first["Keys"]) == 2
    pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
    assert [each["KeyId"] for page in pages for each in page["Keys"]] == made
    assert refused(kms.list_keys, Marker="?") == "InvalidMarkerException"
    assert refused(kms.list_keys, Limit=0) == "ValidationException"


def test_a_disabled_key_does_nothing(kms: Any, key: str, refused: Refused) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    for call, arguments in (
        (kms.encrypt, {"KeyId": key, "Plaintext": b"x"}),
        (kms.decrypt, {"CiphertextBlob": blob}),
        (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
        (kms.enable_key_rotation, {"KeyId": key}),
    ):
        assert refused(call, **arguments) == "DisabledException"
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_key_waits_for_its_deletion_and_then_is_gone(installation: Any, kms: Any, key: str, refused: Refused) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    kms.create_grant(KeyId=key, GranteePrincipal=installation.administrator.arn, Operations=["Decrypt"])
    for days in (6, 31):
        assert refused(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=days) == "ValidationException"
    told = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert (told["KeyState"], told["KeyId"]) == ("PendingDeletion", key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["DeletionDate"] == told["DeletionDate"]
    for call in (kms.enable_key, kms.disable_key, kms.schedule_key_deletion, kms.enable_key_rotation):
        assert refused(call, KeyId=key) == "KMSInvalidStateException"
    assert refused(kms.decrypt, CiphertextBlob=blob) == "KMSInvalidStateException"
    assert refused(kms.update_key_description, KeyId=key, Description="x") == "KMSInvalidStateException"
    assert refused(kms.create_alias, AliasName="alias/b", TargetKeyId=key) == "KMSInvalidStateException"

    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == key
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert refused(kms.cancel_key_deletion, KeyId=key) == "KMSInvalidStateException"
    assert pass_days(installation, 8) == 0

    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert pass_days(installation, 6.9) == 0
    assert kms.list_keys()["Keys"]
    installation.now += 0.2 * DAY
    # Nobody has deleted it yet, but its time is over.
    assert refused(kms.cancel_key_deletion, KeyId=key) == "NotFoundException"
    assert kms.list_keys()["Keys"] == []
    assert pass_days(installation, 0) == 1
    with installation.database.read() as transaction:
        assert not transaction.by_arn(key)
    assert kms.list_aliases()["Aliases"] == []
    assert refused(kms.describe_key, KeyId="alias/a") == "NotFoundException"
    assert refused(kms.decrypt, CiphertextBlob=blob) == "AccessDeniedException"


def test_material_lies_sealed_and_bound_to_its_key(installation: Any, kms: Any, key: str) -> None:
    other = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    from clary.services.iam.vault import SealBroken
    from clary.services.kms.keys import Material, open_material

    with installation.database.write() as transaction:
        record, target = transaction.by_arn(key), transaction.by_arn(other)
        assert record is not None and target is not None
        material = Material(**record.document["Materials"][0])
        secret = open_material(installation.identities.vault, key, material)
        assert len(secret) == 32
        for form in (secret.hex(), str(secret)[2:-1]):
            assert form not in json.dumps(record.document)
        with pytest.raises(SealBroken):
            open_material(installation.identities.vault, other, material)
    assert secret not in blob


# Rotation


def test_rotation_on_demand_keeps_the_old_ciphertexts(kms: Any, key: str, refused: Refused) -> None:
    old = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    before = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert kms.rotate_key_on_demand(KeyId=key)["KeyId"] == key
    after = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert before != after
    new = kms.encrypt(KeyId=key, Plaintext=b"new")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=old) | {"ResponseMetadata": 0} == {
        "KeyId": key,
        "Plaintext": b"old",
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": before,
        "ResponseMetadata": 0,
    }
    assert kms.decrypt(CiphertextBlob=new)["KeyMaterialId"] == after
    rotations = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert [(each["RotationType"], each["KeyMaterialId"]) for each in rotations] == [("ON_DEMAND", after)]
    everything = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [each["KeyMaterialState"] for each in everything] == ["NON_CURRENT", "CURRENT"]
    for _ in range(24):
        kms.rotate_key_on_demand(KeyId=key)
    assert refused(kms.rotate_key_on_demand, KeyId=key) == "LimitExceededException"
    assert kms.decrypt(CiphertextBlob=old)["Plaintext"] == b"old"


def test_rotation_by_itself(installation: Any, kms: Any, key: str, refused: Refused) -> None:
    old = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    for days in (89, 2561):
        assert refused(kms.enable_key_rotation, KeyId=key, RotationPeriodInDays=days) == "ValidationException"
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    told = kms.get_key_rotation_status(KeyId=key)
    assert (told["KeyRotationEnabled"], told["RotationPeriodInDays"]) == (True, 90)
    assert abs(told["NextRotationDate"].timestamp() - installation.now - 90 * DAY) < 1
    assert pass_days(installation, 89) == 0
    assert pass_days(installation, 2) == 1
    assert pass_days(installation, 90) == 1
    rotations = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert [each["RotationType"] for each in rotations] == ["AUTOMATIC", "AUTOMATIC"]
    assert kms.decrypt(CiphertextBlob=old)["Plaintext"] == b"old"
    # A disabled key waits until it is enabled again.
    kms.disable_key(KeyId=key)
    assert pass_days(installation, 100) == 0
    kms.enable_key(KeyId=key)
    assert pass_days(installation, 0) == 1
    kms.disable_key_rotation(KeyId=key)
    assert pass_days(installation, 1000) == 0
    assert len(kms.list_key_rotations(KeyId=key)["Rotations"]) == 3


def test_only_symmetric_keys_rotate(kms: Any, refused: Refused) -> None:
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    for call in (kms.enable_key_rotation, kms.rotate_key_on_demand, kms.get_key_rotation_status):
        assert refused(call, KeyId=key) == "UnsupportedOperationException"


# Aliases and tags


def test_aliases(kms: Any, key: str, refused: Refused) -> None:
    other = kms.create_key()["KeyMetadata"]["Arn"]
    arn = "arn:aws:kms:us-east-1:123456789012:alias/team/app"
    kms.create_alias(AliasName="alias/team/app", TargetKeyId=key)
    assert refused(kms.create_alias, AliasName="alias/team/app", TargetKeyId=other) == "AlreadyExistsException"
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["Arn"] == key
    shown = kms.list_aliases(KeyId=key)["Aliases"]
    assert [(each["AliasName"], each["AliasArn"], each["TargetKeyId"]) for each in shown] == [
        ("alias/team/app", arn, key.rsplit("/", 1)[-1])
    ]
    blob = kms.encrypt(KeyId="alias/team/app", Plaintext=b"x")["CiphertextBlob"]
    kms.update_alias(AliasName="alias/team/app", TargetKeyId=other)
    assert kms.describe_key(KeyId="alias/team/app")["KeyMetadata"]["Arn"] == other
    assert kms.decrypt(CiphertextBlob=blob)["KeyId"] == key
    mac = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    assert refused(kms.update_alias, AliasName="alias/team/app", TargetKeyId=mac) == "ValidationException"
    # Only a key itself can be administered.
    assert refused(kms.disable_key, KeyId="alias/team/app") == "NotFoundException"
    assert refused(kms.disable_key, KeyId=arn) == "NotFoundException"
    kms.delete_alias(AliasName="alias/team/app")
    assert refused(kms.delete_alias, AliasName="alias/team/app") == "NotFoundException"
    assert kms.describe_key(KeyId=other)["KeyMetadata"]["Enabled"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("alias/aws/s3", "InvalidAliasNameException"),
        ("alias/aws/mine", "InvalidAliasNameException"),
        ("alias/", "InvalidAliasNameException"),
        ("alias/a:b", "InvalidAliasNameException"),
        ("mine", "ValidationException"),
        ("alias/a b", "ValidationException"),
        ("alias/" + "x" * 251, "ValidationException"),
    ],
)
def test_names_that_no_alias_has(kms: Any, key: str, refused: Refused, name: str, code: str) -> None:
    assert refused(kms.create_alias, AliasName=name, TargetKeyId=key) == code


def test_tags(kms: Any, key: str, refused: Refused) -> None:
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}])
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "3"}])
    kms.untag_resource(KeyId=key, TagKeys=["b"])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "a", "TagValue": "3"}]
    assert refused(kms.tag_resource, KeyId=key, Tags=[{"TagKey": "AWS:x", "TagValue": ""}]) == "TagException"
    many = [{"TagKey": f"k{n}", "TagValue": ""} for n in range(50)]
    assert refused(kms.tag_resource, KeyId=key, Tags=many) == "LimitExceededException"


def test_what_clary_has_not(kms: Any, key: str, refused: Refused) -> None:
    wanted = {"KeyId": key, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    assert refused(kms.get_parameters_for_import, **wanted) == "UnsupportedOperationException"
    assert refused(kms.replicate_key, KeyId=key, ReplicaRegion="eu-west-1") == "UnsupportedOperationException"
    assert refused(kms.create_custom_key_store, CustomKeyStoreName="x") == "UnsupportedOperationException"
    assert kms.describe_custom_key_stores()["CustomKeyStores"] == []
