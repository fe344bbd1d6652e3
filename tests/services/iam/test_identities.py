from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from clary.core.errors import AccessDenied, ExpiredToken, InvalidClientTokenId, ValidationException
from clary.services.iam.api import Identities, Principal
from clary.services.iam.errors import NoSuchEntity
from clary.services.iam.policy import policies
from clary.services.iam.vault import SealBroken, Vault, master_key
from clary.state.database import Database
from clary.state.records import Key, Record

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_bootstrap_makes_private_files(installation: Any) -> None:
    secrets = installation.settings.secrets
    for name in ("master.key", "administrator.json"):
        assert stat.S_IMODE((secrets / name).stat().st_mode) == 0o600
    assert sorted(file.name for file in secrets.iterdir()) == ["administrator.json", "master.key"]
    pair = json.loads((secrets / "administrator.json").read_text())
    credential = installation.identities.resolve(pair["AccessKeyId"])
    assert credential.secret == pair["SecretAccessKey"]
    assert credential.principal.arn == f"arn:aws:iam::{ACCOUNT}:user/administrator"
    installation.identities.authorize(credential.principal, "iam:CreateUser", "*")


def test_bootstrap_happens_once(installation: Any, iam: Any) -> None:
    iam.detach_role_policy(RoleName="ClaryExecutionRole", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    before = (installation.settings.secrets / "administrator.json").read_text()
    installation.identities.bootstrap()
    assert (installation.settings.secrets / "administrator.json").read_text() == before
    attached = iam.list_attached_role_policies(RoleName="ClaryExecutionRole")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonS3FullAccess"]


def test_the_key_survives_a_reset_and_a_lost_file(installation: Any) -> None:
    file = installation.settings.secrets / "administrator.json"
    before = json.loads(file.read_text())
    with installation.database.write() as transaction:
        transaction.clear()
    installation.identities.bootstrap()
    assert installation.identities.resolve(before["AccessKeyId"]).secret == before["SecretAccessKey"]
    file.unlink()
    installation.identities.bootstrap()
    assert json.loads(file.read_text()) == before


def test_test_mode_knows_the_keys_of_public_suites(in_test_mode: Any) -> None:
    credential = in_test_mode.identities.resolve("FOOBARKEY")
    assert credential.secret == "FOOBARSECRET"
    in_test_mode.identities.check_pass_role(
        credential.principal,
        f"arn:aws:iam::{ACCOUNT}:role/service-role/AmazonSageMaker-TestExecutionRole",
        "sagemaker.amazonaws.com",
    )


def test_without_test_mode_they_are_unknown(installation: Any) -> None:
    for key in ("FOOBARKEY", "testing", "test", "", "AKIAIOSFODNN7EXAMPLE"):
        with pytest.raises(InvalidClientTokenId, match="The security token included in the request is invalid"):
            installation.identities.resolve(key)


def test_processes_agree_on_the_master_key(tmp_path: Path) -> None:
    keys: list[bytes] = []
    start = threading.Barrier(8)

    def read() -> None:
        start.wait()
        keys.append(master_key(tmp_path / "secrets"))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1 and len(keys[0]) == 32
    assert [file.name for file in (tmp_path / "secrets").iterdir()] == ["master.key"]


def test_seals() -> None:
    vault = Vault(bytes(32))
    sealed = vault.seal("ticket", b"x", "bound")
    assert vault.open("ticket", sealed, "bound") == b"x"
    assert vault.seal("ticket", b"x", "bound") != sealed
    for wrong in (
        lambda: vault.open("session-token", sealed, "bound"),
        lambda: vault.open("ticket", sealed, "other"),
        lambda: Vault(b"1" * 32).open("ticket", sealed, "bound"),
        lambda: vault.open("ticket", ("B" if sealed[0] == "A" else "A") + sealed[1:], "bound"),
        lambda: vault.open("ticket", "", "bound"),
        lambda: vault.open("ticket", "ü", "bound"),
    ):
        with pytest.raises(SealBroken):
            wrong()


def test_principals_travel_as_ascii() -> None:
    principal = Principal("arn:x", ACCOUNT, "AROA:s", "role", "r", "s", ('{"Id":"zwölf 中"}',), (("k", "ü"),))
    text = principal.to_json()
    assert text.isascii() and "\n" not in text
    assert Principal.from_json(text) == principal
    for wrong in ("", "[]", "{}", '{"arn":"a","other":1}'):
        with pytest.raises(ValueError):
            Principal.from_json(wrong)


def test_sessions_need_no_database_row(installation: Any) -> None:
    identities = installation.identities
    minted = identities.mint_session(ROLE, "job-1", 900)
    credential = identities.resolve(minted["AccessKeyId"], minted["SessionToken"])
    assert credential.secret == minted["SecretAccessKey"]
    assert credential.principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/ClaryExecutionRole/job-1"
    assert credential.principal.user_id.endswith(":job-1")
    # Another process knows them too.
    other = Identities(Database(installation.settings.database_url, read_only=True), installation.settings)
    assert other.resolve(minted["AccessKeyId"], minted["SessionToken"]).secret == minted["SecretAccessKey"]
    other.database.close()


def test_sessions_are_refused(installation: Any) -> None:
    identities = installation.identities
    minted = identities.mint_session(ROLE, "job-1", 900)
    key, token = minted["AccessKeyId"], minted["SessionToken"]
    identities.resolve(key, token)
    administrator = json.loads((installation.settings.secrets / "administrator.json").read_bytes())["AccessKeyId"]
    identities.resolve(administrator)
    wrong = (
        (key, None),
        ("ASIAOTHER", token),
        (key, ("B" if token[0] == "A" else "A") + token[1:]),
        (key, "x"),
        (administrator, administrator),
    )
    for wrong_key, wrong_token in wrong:
        with pytest.raises(InvalidClientTokenId):
            identities.resolve(wrong_key, wrong_token)
    installation.now += 901
    with pytest.raises(ExpiredToken, match="The security token included in the request is expired"):
        identities.resolve(key, token)


def test_sessions_end_with_their_role(installation: Any, iam: Any) -> None:
    identities = installation.identities
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(TRUST))["Role"]["Arn"]
    minted = identities.mint_session(role, "s", 900)
    ticket = identities.ticket(role, "s", 900)
    identities.resolve(minted["AccessKeyId"], minted["SessionToken"])
    iam.delete_role(RoleName="r")
    for _ in range(2):
        with pytest.raises(InvalidClientTokenId):
            identities.resolve(minted["AccessKeyId"], minted["SessionToken"])
        with pytest.raises(InvalidClientTokenId):
            identities.redeem(ticket)
        # A new role of the same name is another role.
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(TRUST))
        iam.delete_role(RoleName="r")
    with pytest.raises(NoSuchEntity):
        identities.mint_session(role, "s", 900)
    with pytest.raises(NoSuchEntity):
        identities.ticket(role, "s", 900)


def test_tickets_end_with_their_job(installation: Any) -> None:
    identities, now = installation.identities, installation.now
    key = Key(ACCOUNT, "us-east-1", "sagemaker", "TrainingJob", "", "job-1")
    with installation.database.write() as transaction:
        job = transaction.insert(Record(key, "arn:job-1", now, now, {}, wake_at=now))
    ticket = identities.ticket(ROLE, "s", 5000, job.id)
    identities.redeem(ticket)
    with installation.database.write() as transaction:
        job.wake_at = None
        transaction.update(job)
    with pytest.raises(ExpiredToken):
        identities.redeem(ticket)
    with pytest.raises(ExpiredToken):
        identities.redeem(identities.ticket(ROLE, "s", 5000, job.id + 1))


def test_tickets(installation: Any) -> None:
    identities = installation.identities
    ticket = identities.ticket(ROLE, "job-1", 5000)
    first = identities.redeem(ticket)
    assert first["RoleArn"] == ROLE
    assert first["Expiration"].timestamp() == int(installation.now + 3600)
    installation.now += 4000
    again = identities.redeem(ticket)
    assert again["AccessKeyId"] != first["AccessKeyId"]
    assert again["Expiration"].timestamp() == int(installation.now + 1000)
    assert identities.resolve(again["AccessKeyId"], again["SessionToken"]).principal.session == "job-1"
    installation.now += 1001
    with pytest.raises(ExpiredToken):
        identities.redeem(ticket)
    for wrong in ("", "x", again["SessionToken"], ticket[:-2]):
        with pytest.raises(InvalidClientTokenId):
            identities.redeem(wrong)


def test_session_policies_narrow(installation: Any) -> None:
    identities = installation.identities
    only = document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    minted = identities.mint_session(ROLE, "s", 900, only)
    principal = identities.resolve(minted["AccessKeyId"], minted["SessionToken"]).principal
    principal = Principal.from_json(principal.to_json())
    identities.authorize(principal, "s3:GetObject", "arn:aws:s3:::b/k")
    with pytest.raises(AccessDenied, match="because no session policy allows the s3:PutObject action"):
        identities.authorize(principal, "s3:PutObject", "arn:aws:s3:::b/k")


def test_messages(installation: Any, iam: Any) -> None:
    identities = installation.identities
    minted = identities.mint_session(ROLE, "s", 900)
    principal = identities.resolve(minted["AccessKeyId"], minted["SessionToken"]).principal
    with pytest.raises(AccessDenied) as implicit:
        identities.authorize(principal, "iam:CreateUser", "*")
    assert implicit.value.message == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/ClaryExecutionRole/s is not authorized to perform: iam:CreateUser "
        "on resource: * because no identity-based policy allows the iam:CreateUser action"
    )
    denial = document({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"})
    iam.put_role_policy(RoleName="ClaryExecutionRole", PolicyName="no", PolicyDocument=denial)
    with pytest.raises(AccessDenied) as explicit:
        identities.authorize(principal, "s3:GetObject", "arn:aws:s3:::b/k")
    assert explicit.value.message.endswith(
        "s3:GetObject on resource: arn:aws:s3:::b/k with an explicit deny in an identity-based policy"
    )


def test_changes_are_seen_after_refresh(installation: Any, iam: Any) -> None:
    edge = Identities(Database(installation.settings.database_url, read_only=True), installation.settings)
    key = iam.create_user(UserName="ann") and iam.create_access_key(UserName="ann")["AccessKey"]
    ann = edge.resolve(key["AccessKeyId"]).principal
    with pytest.raises(AccessDenied):
        edge.authorize(ann, "s3:GetObject", "*")
    allowed = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=allowed)
    assert edge.refresh() and not edge.refresh()
    edge.authorize(ann, "s3:GetObject", "*")
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    assert not edge.refresh(max_age=60)
    assert edge.refresh()
    with pytest.raises(InvalidClientTokenId):
        edge.resolve(key["AccessKeyId"])
    edge.database.close()


def test_tags_of_principals(installation: Any, iam: Any) -> None:
    iam.tag_role(RoleName="ClaryExecutionRole", Tags=[{"Key": "Team", "Value": "red"}])
    identities = installation.identities
    own = document({"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/${aws:PrincipalTag/team}/*"})
    iam.put_role_policy(RoleName="ClaryExecutionRole", PolicyName="own", PolicyDocument=own)

    def principal(**tags: str) -> Principal:
        minted = identities.mint_session(ROLE, "s", 900, session_tags=tags)
        resolved: Principal = identities.resolve(minted["AccessKeyId"], minted["SessionToken"]).principal
        return resolved

    identities.authorize(principal(), "s3:GetObject", "arn:aws:s3:::b/red/k")
    identities.authorize(principal(Team="blue"), "s3:GetObject", "arn:aws:s3:::b/blue/k")
    with pytest.raises(AccessDenied):
        identities.authorize(principal(Team="blue"), "s3:GetObject", "arn:aws:s3:::b/red/k")


def test_other_accounts_and_nobody(installation: Any) -> None:
    identities, administrator = installation.identities, installation.administrator
    arn = "arn:aws:s3:::theirs/k"
    public = policies([document({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"})])
    identities.authorize(None, "s3:GetObject", arn, {}, public, "999988887777")
    identities.authorize(administrator, "s3:GetObject", arn, {}, public, "999988887777")
    for who in (None, administrator):
        with pytest.raises(AccessDenied, match="no resource-based policy allows"):
            identities.authorize(who, "s3:GetObject", arn, {}, None, "999988887777")
        with pytest.raises(AccessDenied, match="no resource-based policy allows"):
            identities.authorize(who, "s3:PutObject", arn, {}, public, "999988887777")


def test_pass_role(installation: Any, iam: Any) -> None:
    identities, administrator = installation.identities, installation.administrator
    identities.check_pass_role(administrator, ROLE, "sagemaker.amazonaws.com")
    for role in (f"arn:aws:iam::{ACCOUNT}:role/none", f"arn:aws:iam::{ACCOUNT}:role/path/ClaryExecutionRole"):
        with pytest.raises(ValidationException) as unknown:
            identities.check_pass_role(administrator, role, "sagemaker.amazonaws.com")
        assert unknown.value.message == (
            f"Could not assume role {role}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role."
        )
    with pytest.raises(ValidationException):
        identities.check_pass_role(administrator, ROLE, "glue.amazonaws.com")
    iam.create_user(UserName="ann")
    ann = identities.resolve(iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]).principal
    with pytest.raises(AccessDenied, match=f"perform: iam:PassRole on resource: {ROLE} because no identity-based"):
        identities.check_pass_role(ann, ROLE, "sagemaker.amazonaws.com")
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    passing = document({"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE, "Condition": condition})
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=passing)
    identities.check_pass_role(ann, ROLE, "sagemaker.amazonaws.com")
    with pytest.raises(AccessDenied):
        identities.check_pass_role(ann, ROLE, "glue.amazonaws.com")


def test_trust_with_a_source(installation: Any, iam: Any) -> None:
    condition = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:*:{ACCOUNT}:*"},
    }
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document({**TRUST, "Condition": condition}))
    arn = role["Role"]["Arn"]
    administrator = installation.administrator
    installation.identities.check_pass_role(administrator, arn, "sagemaker.amazonaws.com")
    with pytest.raises(ValidationException):
        installation.identities.check_pass_role(
            administrator, arn, "sagemaker.amazonaws.com", "arn:aws:sagemaker:us-east-1:999988887777:pipeline/p"
        )


def test_the_execution_role_can_do_a_jobs_work(installation: Any) -> None:
    identities = installation.identities
    minted = identities.mint_session(ROLE, "job", 900)
    principal = identities.resolve(minted["AccessKeyId"], minted["SessionToken"]).principal
    sagemaker = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
    for action, resource in (
        ("s3:GetObject", "arn:aws:s3:::any-bucket/key"),
        ("s3:ListBucket", "arn:aws:s3:::any-bucket"),
        ("sagemaker:CreateTrainingJob", f"{sagemaker}:training-job/x"),
        ("sagemaker:InvokeEndpoint", f"{sagemaker}:endpoint/x"),
        ("sagemaker:DescribeDomain", f"{sagemaker}:domain/d-1"),
        ("logs:PutLogEvents", "*"),
        ("cloudwatch:PutMetricData", "*"),
        ("ecr:BatchGetImage", "*"),
        ("iam:GetRole", ROLE),
    ):
        identities.authorize(principal, action, resource)
    identities.check_pass_role(principal, ROLE, "sagemaker.amazonaws.com")
    for action, resource in (
        ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/administrator"),
        ("iam:PutRolePolicy", ROLE),
        ("clary:Reset", "*"),
        ("sagemaker:DeleteDomain", f"{sagemaker}:domain/d-1"),
    ):
        with pytest.raises(AccessDenied):
            identities.authorize(principal, action, resource)
