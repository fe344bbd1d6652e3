"""Workloads that write: objects, uploads in parts, resources with tags, messages."""

from __future__ import annotations

import hashlib
import io
import random
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from .ledger import ABSENT, is_absent, is_lost
from .site import Site

MIB = 1 << 20
PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=2)
_FEW = 12
"""Things of a kind that are there at a time: they are written again, and deleted."""


def objects(site: Site) -> None:
    """Puts, overwrites and deletes objects, small ones that lie in the index and larger ones that are files."""
    chance, s3 = random.Random(f"{site.seed}-objects"), site.client("s3")
    names, number = [f"object-{each}" for each in range(_FEW)], _FEW
    while not site.over.is_set():
        place = chance.randrange(_FEW)
        where = {"Bucket": site.bucket, "Key": f"objects/{names[place]}"}
        if chance.random() < 0.25:
            done = site.ledger.change("object", names[place], ABSENT, lambda where=where: s3.delete_object(**where))
        else:
            body = chance.randbytes(chance.choice((100, 20_000, 300_000)))
            done = site.ledger.change(
                "object", names[place], digest(body), lambda where=where, body=body: s3.put_object(**where, Body=body)
            )
        if not done:
            names[place], number = f"object-{number}", number + 1


class _Parts(io.BytesIO):
    """A body that tells when it is read on."""

    def __init__(self, data: bytes, site: Site) -> None:
        super().__init__(data)
        self._moments = site.moments

    def read(self, size: int | None = -1, /) -> bytes:
        self._moments.reached("part")
        return super().read(size)


def uploads(site: Site) -> None:
    """Uploads in parts, under the same names again and again."""
    chance, s3 = random.Random(f"{site.seed}-uploads"), site.client("s3")
    names, number = [0, 1, 2], 3
    while not site.over.is_set():
        place = chance.randrange(len(names))
        name, body = f"upload-{names[place]}", chance.randbytes(MIB) * chance.randint(11, 14)

        def upload(name: str = name, body: bytes = body) -> None:
            s3.upload_fileobj(_Parts(body, site), site.bucket, f"objects/{name}", Config=PARTS)

        if not site.ledger.change("object", name, digest(body), upload):
            names[place], number = number, number + 1


def resources(site: Site) -> None:
    """Creates experiments with tags, changes both, and deletes them."""
    chance, number = random.Random(f"{site.seed}-resources"), 0
    while not site.over.is_set():
        number += 1
        _Experiment(site, f"experiment-{number}").live(chance)


class _Experiment:
    """One experiment, whose state in the ledger is its description and its tags."""

    def __init__(self, site: Site, name: str) -> None:
        self._site = site
        self._name = name
        self._sagemaker = site.client("sagemaker")
        self._description, self._tags = "first", {"of": name}
        self._arn = ""

    def live(self, chance: random.Random) -> None:
        """Until an answer is lost, or all is done."""
        steps = [self._describe, self._tag, self._untag, self._describe]
        chance.shuffle(steps)
        done = self._change(self._create)
        for step in steps[: chance.randrange(5)]:
            done = done and step()
        if done and chance.random() < 0.4:
            self._site.ledger.change("experiment", self._name, ABSENT, self._delete)

    def _change(self, call: Any) -> bool:
        state = experiment_state(self._description, self._tags)
        return self._site.ledger.change("experiment", self._name, state, call)

    def _create(self) -> None:
        tags = [{"Key": key, "Value": value} for key, value in self._tags.items()]
        answer = self._sagemaker.create_experiment(ExperimentName=self._name, Description=self._description, Tags=tags)
        self._arn = answer["ExperimentArn"]

    def _describe(self) -> bool:
        self._description += " and more"
        change = {"ExperimentName": self._name, "Description": self._description}
        return self._change(lambda: self._sagemaker.update_experiment(**change))

    def _tag(self) -> bool:
        self._tags = {**self._tags, "more": self._description}
        tags = [{"Key": "more", "Value": self._description}]
        return self._change(lambda: self._sagemaker.add_tags(ResourceArn=self._arn, Tags=tags))

    def _untag(self) -> bool:
        self._tags = {key: value for key, value in self._tags.items() if key != "of"}
        return self._change(lambda: self._sagemaker.delete_tags(ResourceArn=self._arn, TagKeys=["of"]))

    def _delete(self) -> None:
        self._sagemaker.describe_experiment(ExperimentName=self._name)
        try:
            self._sagemaker.delete_experiment(ExperimentName=self._name)
        except ClientError as error:
            # It was there a moment ago: the call was done, and sent again because its answer was lost.
            if not is_absent(error):
                raise


def experiment_state(description: str, tags: dict[str, str]) -> tuple[Any, ...]:
    return (description, tuple(sorted(tags.items())))


def messages(site: Site) -> None:
    """Sends messages; receives some and deletes those."""
    chance, sqs, number = random.Random(f"{site.seed}-messages"), site.client("sqs"), 0
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    while not site.over.is_set():
        number += 1
        body = f"message-{number}"
        site.ledger.change("message", body, body, lambda body=body: sqs.send_message(QueueUrl=url, MessageBody=body))
        if chance.random() < 0.5:
            continue
        try:
            received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages", [])
        except Exception as error:
            if not is_lost(error):
                raise
            continue
        for each in received:
            # The same may have been sent twice, when an answer was lost: another one of it may be there or not.
            site.ledger.allow("message", each["Body"], ABSENT)
            handle = {"QueueUrl": url, "ReceiptHandle": each["ReceiptHandle"]}
            site.ledger.change(
                "deleted message", each["MessageId"], each["Body"], lambda handle=handle: sqs.delete_message(**handle)
            )


QUEUE = "campaign"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
