"""KMS by unmodified boto3: the story of a key, who may use it, and what is refused."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sqlite3
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.cli.installation import Installation
from clary.cli.mistakes import Mistake
from clary.core.settings import load
from clary.testing.server import Server, server

CONTEXT = {"tenant": "a"}


@pytest.fixture
def kms(clary_aws: Server) -> Any:
    return clary_aws.client("kms")


@pytest.fixture
def key(kms: Any) -> str:
    return str(kms.create_key(Description="parity")["KeyMetadata"]["Arn"])


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def client_of(clary_aws: Server, name: str, *statements: dict[str, Any]) -> Any:
    """KMS as a new user whose policy has these statements; its ARN is ``client.arn``."""
    iam = clary_aws.client("iam")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    client: Any = boto3.client(
        "kms",
        endpoint_url=clary_aws.url,
        region_name="us-east-1",
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
    )
    client.arn = arn
    return client


def test_the_story_of_a_key(clary_aws: Server, kms: Any, key: str) -> None:
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    blob = kms.encrypt(KeyId="alias/app", Plaintext=b"secret", EncryptionContext=CONTEXT)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"] == b"secret"
    assert refused(kms.decrypt, CiphertextBlob=blob) == "InvalidCiphertextException"
    changed = blob[:-1] + bytes([blob[-1] ^ 1])
    assert refused(kms.decrypt, CiphertextBlob=changed, EncryptionContext=CONTEXT) == "InvalidCiphertextException"
    data = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert kms.decrypt(CiphertextBlob=data["CiphertextBlob"])["Plaintext"] == data["Plaintext"]

    kms.rotate_key_on_demand(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"] == b"secret"
    assert [each["RotationType"] for each in kms.list_key_rotations(KeyId=key)["Rotations"]] == ["ON_DEMAND"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180

    other = kms.create_key()["KeyMetadata"]["Arn"]
    moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=other)
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])["KeyId"] == other
    assert refused(kms.decrypt, CiphertextBlob=blob, KeyId=other) == "IncorrectKeyException"

    kms.disable_key(KeyId=key)
    assert refused(kms.decrypt, CiphertextBlob=blob, EncryptionContext=CONTEXT) == "DisabledException"
    told = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert told["KeyState"] == "PendingDeletion"
    assert refused(kms.decrypt, CiphertextBlob=blob, EncryptionContext=CONTEXT) == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"] == b"secret"

    shown = [each for page in kms.get_paginator("list_aliases").paginate() for each in page["Aliases"]]
    assert [each["AliasName"] for each in shown] == ["alias/app"]
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "a"}])
    found = clary_aws.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "team"}])
    assert [each["ResourceARN"] for each in found["ResourceTagMappingList"]] == [key]


def test_signatures_and_codes(kms: Any) -> None:
    pair = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    asked = {"KeyId": pair, "SigningAlgorithm": "ECDSA_SHA_256", "Message": b"m"}
    signature = kms.sign(**asked)["Signature"]
    assert kms.verify(**asked, Signature=signature)["SignatureValid"]
    assert refused(kms.verify, **{**asked, "Message": b"n"}, Signature=signature) == "KMSInvalidSignatureException"
    mac = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
    asked = {"KeyId": mac, "MacAlgorithm": "HMAC_SHA_256", "Message": b"m"}
    code = kms.generate_mac(**asked)["Mac"]
    assert kms.verify_mac(**asked, Mac=code)["MacValid"]
    assert refused(kms.verify_mac, **{**asked, "Message": b"n"}, Mac=code) == "KMSInvalidMacException"


def test_policies_and_grants(clary_aws: Server, kms: Any, key: str) -> None:
    reader = client_of(clary_aws, "reader", {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key})
    nobody = client_of(clary_aws, "nobody")
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert reader.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    with pytest.raises(ClientError) as error:
        reader.encrypt(KeyId=key, Plaintext=b"x")
    assert error.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": f"User: {reader.arn} is not authorized to perform: kms:Encrypt on resource: {key} "
        "because no identity-based policy allows the kms:Encrypt action",
    }
    assert refused(nobody.decrypt, CiphertextBlob=blob) == "AccessDeniedException"

    asked = {"KeyId": key, "GranteePrincipal": nobody.arn, "Operations": ["Decrypt"]}
    grant = kms.create_grant(**asked, Constraints={"EncryptionContextSubset": CONTEXT})
    assert refused(nobody.decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    bound = kms.encrypt(KeyId=key, Plaintext=b"y", EncryptionContext=CONTEXT)["CiphertextBlob"]
    assert nobody.decrypt(CiphertextBlob=bound, EncryptionContext=CONTEXT)["Plaintext"] == b"y"
    kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    assert refused(nobody.decrypt, CiphertextBlob=bound, EncryptionContext=CONTEXT) == "AccessDeniedException"

    administrator = clary_aws.client("sts").get_caller_identity()["Arn"]
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": administrator}, "Action": "kms:PutKeyPolicy", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": nobody.arn}, "Action": "kms:Decrypt", "Resource": "*"},
    ]
    kms.put_key_policy(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    assert nobody.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    for client in (reader, kms):
        assert refused(client.decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    locked = json.dumps({"Version": "2012-10-17", "Statement": statements[1:]})
    assert refused(kms.put_key_policy, KeyId=key, Policy=locked) == "MalformedPolicyDocumentException"


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("encrypt", {"Plaintext": b"x" * 4097}, "ValidationException"),
        ("encrypt", {}, "ValidationException"),
        ("encrypt", {"Plaintext": b"x", "KeyId": ["a"]}, "SerializationException"),
        ("encrypt", {"Plaintext": b"x", "KeyId": "k" * 2049}, "ValidationException"),
        ("encrypt", {"Plaintext": b"x", "KeyId": "none"}, "NotFoundException"),
        ("encrypt", {"Plaintext": b"x", "DryRun": True}, "DryRunOperationException"),
        ("decrypt", {"CiphertextBlob": b"nothing"}, "InvalidCiphertextException"),
        ("decrypt", {"CiphertextBlob": b"x" * 6145}, "ValidationException"),
        ("generate_data_key", {"KeySpec": "AES_512"}, "ValidationException"),
        ("generate_data_key", {"NumberOfBytes": 1025}, "ValidationException"),
        ("generate_data_key", {"NumberOfBytes": "many"}, "SerializationException"),
        ("schedule_key_deletion", {"PendingWindowInDays": 6}, "ValidationException"),
        ("put_key_policy", {"Policy": "{}"}, "MalformedPolicyDocumentException"),
        ("create_alias", {"AliasName": "alias/aws/x", "TargetKeyId": "k"}, "InvalidAliasNameException"),
        ("create_grant", {"GranteePrincipal": "nobody", "Operations": ["Decrypt"]}, "InvalidArnException"),
        ("get_parameters_for_import", {}, "ValidationException"),
    ],
)
def test_bad_input(clary_aws: Server, key: str, operation: str, arguments: dict[str, Any], code: str) -> None:
    careless = clary_aws.client("kms", config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))
    named = {} if operation == "create_alias" else {"KeyId": key}
    assert refused(getattr(careless, operation), **{**named, **arguments}) == code


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Plaintext": 1}, "SerializationException"),
        ({"Plaintext": "not base64!"}, "SerializationException"),
        ({"Plaintext": "eA==", "EncryptionContext": "text"}, "SerializationException"),
        ({"Plaintext": "eA==", "EncryptionContext": {"a": {"b": "c"}}}, "SerializationException"),
        ({"Plaintext": None}, "ValidationException"),
        ([], "SerializationException"),
    ],
)
def test_wrong_types(clary_aws: Server, key: str, members: Any, code: str) -> None:
    client = Installation(load(clary_aws.home, {})).client()
    whole = {"KeyId": key, **members} if isinstance(members, dict) else members
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "TrentService.Encrypt"}
    status, body = client.send("POST", "/", "kms", json.dumps(whole).encode(), headers)
    assert (status, json.loads(body)["__type"].rpartition("#")[2]) == (400, code)


def test_managed_keys_are_made_when_asked_for(clary_aws: Server, kms: Any) -> None:
    found = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert (found["KeyManager"], found["Description"]) == (
        "AWS",
        "Default key that protects my s3 resources when no other key is defined",
    )
    assert refused(kms.encrypt, KeyId="alias/aws/s3", Plaintext=b"x") == "AccessDeniedException"


class OwnPages(http.client.HTTPConnection):
    """What the edge asks of control, over its socket."""

    def __init__(self, home: Path) -> None:
        super().__init__("control")
        self._path = home / "run" / "control.sock"

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def test_the_edge_asks_for_managed_keys(clary_aws: Server, kms: Any) -> None:
    def ask(members: dict[str, Any]) -> tuple[int, Any]:
        connection = OwnPages(clary_aws.home)
        headers = {"x-clary-service": "clary", "x-clary-request-id": "r", "x-clary-region": "us-east-1"}
        connection.request("POST", "/_clary/kms/managed", json.dumps(members), headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told

    asked = {"account": clary_aws.account, "region": "us-east-1", "service": "s3"}
    status, told = ask(asked)
    assert (status, ask(asked)) == (200, (200, told))
    assert kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"] == told["arn"]
    for wrong in ({**asked, "service": "none"}, {"account": clary_aws.account}, {**asked, "service": 1}):
        assert ask(wrong)[0] == 400


def test_the_master_key_in_a_file_of_its_own(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "master.key"
    with (
        pytest.raises(Mistake, match=f"master_key: {file} cannot be read: No such file"),
        server(home, master_key=str(file)),
    ):
        pass
    file.write_bytes(os.urandom(32))
    file.chmod(0o644)
    with pytest.raises(Mistake, match=f"others can read {file}"), server(home, master_key=str(file)):
        pass
    file.chmod(0o600)
    with server(home, master_key=str(file)) as running:
        kms = running.client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert not (home / "secrets" / "master.key").exists()
    with server(home, master_key=str(file)) as running:
        assert running.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_no_secret_lies_open(clary_aws: Server, kms: Any, key: str) -> None:
    plain = kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]
    kms.encrypt(KeyId=key, Plaintext=b"a most secret text")
    installation = Installation(load(clary_aws.home, {}))
    database = sqlite3.connect(f"file:{clary_aws.home / 'state' / 'clary.db'}?mode=ro", uri=True)
    document = database.execute("SELECT document FROM resources WHERE arn = ?", (key,)).fetchone()[0]
    database.close()
    material = json.loads(document)["Materials"][0]
    assert set(material) == {"id", "sealed", "created", "rotation"}
    logs = b"".join(file.read_bytes() for file in installation.settings.log.iterdir())
    for secret in (plain, plain.hex().encode(), b"a most secret text", material["sealed"].encode()):
        assert secret not in logs
