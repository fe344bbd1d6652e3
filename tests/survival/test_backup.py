"""A backup of a platform at work, restored elsewhere: all of it is there, and what was at work is at work again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import clary
from clary.core.locks import is_held
from clary.testing.postgresql import PostgreSQL

pytestmark = pytest.mark.slow("survival")

BUCKET = "survival"
PART = os.urandom(5 << 20)


def run(*words: str, home: Path, **environ: str) -> dict[str, Any]:
    """A command of ``clary``, as a person types it; what it prints with ``--json``."""
    command = [sys.executable, "-P", "-m", "clary.cli", *words, "--home", str(home), "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "CLARY_PORT": "0", **environ}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


class Crowd:
    """Four threads that put objects, delete some of them, and make models, until the block ends."""

    def __init__(self, client: Any, role: str) -> None:
        # They are made here, since that is for one thread alone.
        self._clients = {name: client(name) for name in ("s3", "sagemaker", "kms")}
        self._role = role
        self.objects: dict[str, str] = {}
        """ETags of those that were acknowledged and stay, by key."""
        self.models: list[str] = []
        self.errors: list[Exception] = []
        self._stop = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        assert not self.errors, self.errors

    def _work(self, thread: int) -> None:
        s3, sagemaker, kms = (self._clients[name] for name in ("s3", "sagemaker", "kms"))
        try:
            for turn in range(100_000):
                if self._stop.is_set():
                    return
                body = os.urandom((100, 20_000, 200_000)[turn % 3])
                key = f"crowd/{thread}/{turn}"
                self.objects[key] = s3.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"]
                # One key that always has another blob: what a backup copies is taken away under its hands.
                s3.put_object(Bucket=BUCKET, Key=f"crowd/{thread}/again", Body=os.urandom(100_000))
                if turn % 4 == 0:
                    name = f"crowd-{thread}-{turn}"
                    image = {"Image": "clary/python:3.11"}
                    sagemaker.create_model(ModelName=name, ExecutionRoleArn=self._role, PrimaryContainer=image)
                    self.models.append(name)
                if turn % 7 == 0:
                    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
                    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id}
                    s3.put_object(Bucket=BUCKET, Key=f"crowd/{thread}/sealed-{turn}", Body=body, **sealed)
        except Exception as error:  # noqa: BLE001 - told by the test
            self.errors.append(error)


def fill(server: Any) -> dict[str, Any]:
    """Objects of every kind, identities, keys and messages; gives what must be found again."""
    s3, iam, kms = server.client("s3"), server.client("iam"), server.client("kms")
    key = kms.create_key(Description="for backups")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/backups", TargetKeyId=key)
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket="versions", Key="k", Body=body)["VersionId"] for body in (b"one", b"two")]
    s3.delete_object(Bucket="versions", Key="k")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    where = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload}
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**where, PartNumber=number, Body=PART)["ETag"]}
        for number in (1, 2)
    ]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    s3.put_object(Bucket=BUCKET, Key="sealed", Body=PART, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"tagged", Tagging="a=b")
    iam.create_user(UserName="eva")
    iam.attach_user_policy(UserName="eva", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    pair = iam.create_access_key(UserName="eva")["AccessKey"]
    queue = server.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    server.client("sqs").send_message(QueueUrl=queue, MessageBody="a message")
    secret = kms.encrypt(KeyId="alias/backups", Plaintext=b"plain")["CiphertextBlob"]
    return {"versions": versions, "pair": (pair["AccessKeyId"], pair["SecretAccessKey"]), "secret": secret}


def check(server: Any, filled: dict[str, Any]) -> None:
    s3 = server.client("s3")
    for version, body in zip(filled["versions"], (b"one", b"two"), strict=True):
        assert s3.get_object(Bucket="versions", Key="k", VersionId=version)["Body"].read() == body
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="versions", Key="k")
    assert s3.get_object(Bucket=BUCKET, Key="parts")["Body"].read() == PART * 2
    assert s3.get_object(Bucket=BUCKET, Key="sealed")["Body"].read() == PART
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert server.client("kms").decrypt(CiphertextBlob=filled["secret"])["Plaintext"] == b"plain"
    attached = server.client("iam").list_attached_user_policies(UserName="eva")["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["AmazonS3ReadOnlyAccess"]
    sqs = server.client("sqs")
    queue = sqs.get_queue_url(QueueName="queue")["QueueUrl"]
    assert [each["Body"] for each in sqs.receive_message(QueueUrl=queue)["Messages"]] == ["a message"]


def check_crowd(server: Any, before: dict[str, str], models: list[str]) -> None:
    """What was acknowledged before is there, and every object is whole: it reads back with its ETag."""
    s3, there = server.client("s3"), {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="crowd/"):
        there |= {each["Key"]: each["ETag"] for each in page.get("Contents", [])}
    assert before.items() <= there.items()
    for key, etag in there.items():
        found = s3.get_object(Bucket=BUCKET, Key=key)
        body = found["Body"].read()
        assert found["ETag"] == etag
        if "sealed" not in key:
            assert etag == f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"', key
    pages = server.client("sagemaker").get_paginator("list_models").paginate()
    assert set(models) <= {each["ModelName"] for page in pages for each in page["Models"]}


def back_up_amid_the_crowd(server: Any, role: str, target: Path, **environ: str) -> tuple[dict[str, str], list[str]]:
    """Back up while the crowd works; gives the objects and models that it had been told are there before."""
    crowd = Crowd(server.client, role)
    with crowd.at_work():
        deadline = time.monotonic() + 60
        while len(crowd.objects) < 60:
            assert time.monotonic() < deadline and not crowd.errors, crowd.errors
            time.sleep(0.01)
        before, models = dict(crowd.objects), list(crowd.models)
        told = run("backup", str(target), home=server.home, **environ)
    assert told["blobs"] > 20 and told["bytes"] > len(PART) * 3
    return before, models


@pytest.fixture
def places() -> Iterator[Path]:
    """A folder for backups and homes; sockets live in the latter, whose paths must be short."""
    folder = Path(tempfile.mkdtemp(prefix="clary-"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["folder", "archive.tar"])
def test_a_backup_amid_writers(plant: Any, places: Path, new_plant: Any, name: str) -> None:
    filled = fill(plant)
    plant.train("done")
    plant.await_end("done")
    before, models = back_up_amid_the_crowd(plant, plant.role, places / name)
    told = run("restore", str(places / name), home=places / "home")
    assert told["aside"] == ""
    restored = new_plant(places / "home")
    restored.up()
    check(restored, filled)
    check_crowd(restored, before, models)
    assert restored.described("done")["TrainingJobStatus"] == "Completed"
    assert len(restored.model(restored.described("done"))) == 6
    assert restored.lines("done")[-1] == "all steps done"
    found = {each["name"]: each for each in run("doctor", "--deep", home=places / "home")["checks"]}
    assert found["objects"]["state"] == found["database"]["state"] == "ok", found
    eva = clary_client(restored, filled["pair"])
    assert eva.get_object(Bucket=BUCKET, Key="tagged")["Body"].read() == b"tagged"
    # What the store kept for the backup's sake goes with what is removed later.
    plant.client("s3").put_object(Bucket=BUCKET, Key="crowd/0/again", Body=b"last")


def clary_client(plant: Any, pair: tuple[str, str]) -> Any:
    from clary.testing.sessions import session

    return session(plant.url, {"AccessKeyId": pair[0], "SecretAccessKey": pair[1]}, "us-east-1").client("s3")


def test_what_was_at_work_is_at_work_again(plant: Any, places: Path, new_plant: Any) -> None:
    """The agents of a job and of an endpoint stay behind: the job runs again, the endpoint's servers come up."""
    plant.deploy("endpoint")
    plant.await_service("endpoint")
    plant.train("running", "wait")
    plant.await_middle(plant.job())
    run("backup", str(places / "backup"), home=plant.home)
    assert plant.invoke("endpoint", "text")[:2] == ("first", "text")
    run("restore", str(places / "backup"), home=places / "home")
    restored = new_plant(places / "home")
    restored.up()
    restored.await_service("endpoint")
    job = restored.job()
    restored.await_middle(job)
    restored.go(job)
    described = restored.await_end("running")
    assert described["TrainingJobStatus"] == "Completed", described
    assert len(restored.model(described)) == 6
    eventually_serves(restored, "endpoint")
    assert restored.server_pid(restored.job("Endpoint-")) != plant.server_pid(plant.job("Endpoint-"))
    # The old ones have not been touched.
    plant.go(plant.job())
    assert plant.await_end("running")["TrainingJobStatus"] == "Completed"
    assert plant.invoke("endpoint", "text")[:2] == ("first", "text")


def eventually_serves(plant: Any, endpoint: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            assert plant.invoke(endpoint, "text", 1)[:2] == ("first", "text")
        except plant.client("sagemaker-runtime", 1).exceptions.ClientError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def test_replacing_an_installation_ends_its_jobs_and_moves_it_aside(plant: Any, places: Path) -> None:
    plant.client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"before")
    plant.train("running", "wait")
    job = plant.job()
    plant.await_middle(job)
    assert is_held(plant.home / "jobs" / job / "lock")
    run("backup", str(places / "backup"), home=plant.home)
    plant.client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"after")
    refused = subprocess.run(
        [sys.executable, "-m", "clary.cli", "restore", str(places / "backup"), "--replace", "--home", str(plant.home)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1 and "Clary runs in" in refused.stderr
    plant.down()
    told = run("restore", str(places / "backup"), "--replace", home=plant.home)
    aside = Path(told["aside"])
    try:
        assert (aside / "jobs" / job / "spec.json").exists() and (aside / "state" / "clary.db").exists()
        assert not is_held(aside / "jobs" / job / "lock")  # which its agent had
        plant.up()
        assert plant.client("s3").get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"before"
        plant.await_middle(plant.job())
        plant.go(plant.job())
        assert plant.await_end("running")["TrainingJobStatus"] == "Completed"
    finally:
        shutil.rmtree(aside)


def test_a_backup_without_secrets_needs_the_master_key_alone(plant: Any, places: Path, new_plant: Any) -> None:
    """The administrator's key is in the state, sealed under it."""
    filled = fill(plant)
    run("backup", str(places / "backup"), "--without-secrets", home=plant.home)
    key = plant.home / "secrets" / "master.key"
    run("restore", str(places / "backup"), "--master-key", str(key), home=places / "home")
    restored = new_plant(places / "home")
    restored.up()
    check(restored, filled)
    assert restored.installation.administrator == plant.installation.administrator


def test_on_postgresql(places: Path) -> None:
    postgresql = PostgreSQL()
    try:
        with postgresql.database() as first, postgresql.database() as second:
            with clary.server(home=places / "first", database=first) as server:
                server.client("s3").create_bucket(Bucket=BUCKET)
                filled = fill(server)
                before, models = back_up_amid_the_crowd(
                    server, server.role_arn, places / "backup", CLARY_DATABASE=first
                )
                refused = try_restore(places, places / "other", first)
                assert "has tables already" in refused
            assert not (places / "other").exists()
            told = run("restore", str(places / "backup"), home=places / "second", CLARY_DATABASE=second)
            assert told["files"] > 3
            with clary.server(home=places / "second", database=second) as server:
                check(server, filled)
                check_crowd(server, before, models)
            assert "names one of sqlite" in try_restore(places, places / "other", "")
    finally:
        postgresql.close()


def try_restore(places: Path, home: Path, database: str) -> str:
    command = [sys.executable, "-m", "clary.cli", "restore", str(places / "backup"), "--home", str(home)]
    environ = {**os.environ, "CLARY_DATABASE": database}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 1
    return done.stderr
