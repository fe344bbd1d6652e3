"""The workload of an endpoint: deployed, invoked, updated and deleted, over and over; each answer is checked."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .ledger import ABSENT, is_absent, is_lost
from .site import Site

ENDPOINT = "endpoint"
WORDS = ("first", "second")
"""The configurations, each of which has an answer of its own: its name."""


def prepare(site: Site) -> None:
    for word in WORDS:
        site.plant.prepare_endpoint(word, answer=word)


def serving(site: Site) -> None:
    """Leaves an endpoint behind."""
    chance, sagemaker = random.Random(f"{site.seed}-serving"), site.client("sagemaker")
    while True:
        create, full = {"EndpointName": ENDPOINT, "EndpointConfigName": WORDS[0]}, site.hits[ENDPOINT]["disk"]
        _certainly(site, lambda create=create: sagemaker.create_endpoint(**create))
        word = _settled(site, WORDS[0], WORDS[0], full)
        for _ in range(chance.randint(1, 3)):
            if not word:
                break  # it failed of a full disk
            _ask(site, chance.randint(5, 40), [word])
            change = {"EndpointName": ENDPOINT, "EndpointConfigName": WORDS[1 - WORDS.index(word)]}
            full = site.hits[ENDPOINT]["disk"]
            _certainly(site, lambda change=change: sagemaker.update_endpoint(**change))
            word = _settled(site, change["EndpointConfigName"], word, full)
            if word and site.over.is_set():
                site.ledger.change("endpoint", ENDPOINT, word, lambda: None)
                return
        _certainly(site, lambda: sagemaker.delete_endpoint(EndpointName=ENDPOINT))
        while (described := _look(site)) is not ABSENT:
            assert described["EndpointStatus"] == "Deleting", described


def _certainly(site: Site, call: Callable[[], object]) -> None:
    """Do it, again where its answer was lost; whoever asks again may hear that it was done."""
    lost = False
    while True:
        try:
            call()
        except (ClientError, BotoCoreError) as error:
            if is_lost(error):
                lost = True
                site.pause(0.1)
                continue
            if not lost:
                raise
        return


def _look(site: Site) -> dict[str, Any] | None:
    """The endpoint as it is now, whenever that can be told; None where there is none."""
    while True:
        site.pause(0.1)
        try:
            return dict(site.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT))
        except (ClientError, BotoCoreError) as error:
            if is_absent(error):
                return ABSENT
            if not is_lost(error):
                raise


def _settled(site: Site, wanted: str, before: str, full: int) -> str:
    """The configuration that is in service when a deployment is over, or "" if it failed; meanwhile all answers are of
    what it was or is to be. Only a full disk may keep it from what is wanted, which it was ``full`` times before."""
    while True:
        described = _look(site)
        assert described is not ABSENT, "the endpoint is gone"
        status = described["EndpointStatus"]
        if status in ("InService", "Failed"):
            break
        site.moments.reached("deploying")
        if status == "Updating":
            _ask(site, 1, (wanted, before))
    word = str(described["EndpointConfigName"])
    if (status, word) != ("InService", wanted):
        was_full = site.disk_is_full.is_set() or site.hits[ENDPOINT]["disk"] > full
        assert was_full and described["FailureReason"], described
    return word if status == "InService" else ""


def _ask(site: Site, times: int, words: Any) -> None:
    """Invoke it; it may refuse while its server is dead, and never answers wrong."""
    for number in range(times):
        text = f"{site.seed}-{number}"
        try:
            word, echo, _ = site.plant.invoke(ENDPOINT, text)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            assert code in ("ModelError", "ServiceUnavailable", "ModelNotReadyException", "InternalFailure"), error
            continue
        except BotoCoreError as error:
            assert is_lost(error), error
            continue
        assert word in words and echo == text, (word, echo, words)
        site.moments.reached("answer")
