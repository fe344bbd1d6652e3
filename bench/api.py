"""Create, Describe and List beside moto's server, with 100, 10,000 and 100,000 resources, in one run.

    ./dev bench api [--resources 100 10000 100000] [--only describe]

Both servers get the same requests, signed beforehand, from one client and from eight; each figure of Clary is followed
at once by moto's. The resources are model packages, of which moto lists pages and filters them (of models it always
answers all), and which neither server has to run. Clary is given them through its API, by eight clients; moto, which
would take ten minutes for 100,000, makes them before it listens. One in a hundred is rejected, and the names of as many
end in "red".
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import clary
from bench.load import Figures, fetch, replay, signed
from bench.moto import moto_server

SIZES = (100, 10_000, 100_000)
CLIENTS = (1, 8)
ROUNDS = 600
SECONDS = 4.0
"""The most for one figure; moto needs seconds for one List of 100,000."""
AT_ONCE = 2000
"""Signatures are good for a quarter of an hour, so that requests are signed just before they are sent."""
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"
SPECIFICATION = {
    "Containers": [{"Image": IMAGE}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


def name(number: int) -> str:
    """What the package of this number is called."""
    return f"package-{number:06}-{'red' if number % 100 == 7 else 'blue'}"


def package(number: int) -> dict[str, object]:
    """The members of the request that makes the package of this number."""
    return {
        "ModelPackageName": name(number),
        "InferenceSpecification": SPECIFICATION,
        "ModelApprovalStatus": "Rejected" if number % 100 == 3 else "Approved",
    }


@dataclass
class Server:
    """One of the two servers, and how many packages it has."""

    title: str
    url: str
    keys: tuple[str, str]
    role: str
    made: int = 0

    def request(self, operation: str, **params: object) -> bytes:
        """One call of SageMaker's API as bytes."""
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"SageMaker.{operation}"}
        url = self.url + "/"
        return signed(self.keys, "sagemaker", "us-east-1", "POST", url, headers, json.dumps(params).encode())

    def package(self, number: int) -> bytes:
        """The request that makes one package."""
        return self.request("CreateModelPackage", **package(number))

    def model(self, number: int) -> bytes:
        """The request that makes one model."""
        container = {"Image": IMAGE}
        return self.request(
            "CreateModel", ModelName=f"model-{number:06}", ExecutionRoleArn=self.role, PrimaryContainer=container
        )

    def fill(self, size: int) -> None:
        """Make packages until there are so many."""
        begun, before = time.perf_counter(), self.made
        while self.made < size:
            until = min(size, self.made + AT_ONCE)
            asyncio.run(replay(self.url, [self.package(number) for number in range(self.made, until)], 8))
            self.made = until
        seconds = time.perf_counter() - begun
        print(f"{self.title}: {size - before:,} more packages in {seconds:.0f} s", flush=True)

    def later_page(self) -> str:
        """The token of a page as far behind the first as can be reached in a second."""
        until, token = time.monotonic() + 1, ""
        for _ in range(self.made // 200):
            more = {"NextToken": token} if token else {}
            answer = asyncio.run(fetch(self.url, self.request("ListModelPackages", MaxResults=100, **more)))
            token = json.loads(answer).get("NextToken") or token
            if time.monotonic() > until:
                break
        return token


# Names that no earlier run in the same home has used.
_numbers = count(int(time.time() * 1000))
Form = Callable[[Server], Iterator[bytes]]
"""Gives as many requests as are wanted."""


def listing(**params: object) -> Form:
    """The same List again and again."""

    def form(server: Server) -> Iterator[bytes]:
        request = server.request("ListModelPackages", MaxResults=10, **params)
        while True:
            yield request

    return form


def create_models(server: Server) -> Iterator[bytes]:
    """New models."""
    return (server.model(number) for number in _numbers)


def describe_packages(server: Server) -> Iterator[bytes]:
    """One package after the other, from all over the store."""
    step = max(1, server.made // ROUNDS) * 7 + 1
    return (
        server.request("DescribeModelPackage", ModelPackageName=name(number * step % server.made)) for number in count()
    )


def create_packages(server: Server) -> Iterator[bytes]:
    """New packages, beyond those that the stores are filled with."""
    return (server.package(SIZES[-1] + number) for number in _numbers)


def later_pages(server: Server) -> Iterator[bytes]:
    """A page far behind the first."""
    token: dict[str, Any] = {"NextToken": found} if (found := server.later_page()) else {}
    return listing(**token)(server)


# Those that add to the store come last, so that the others meet as many resources as the table says.
FORMS: dict[str, Form] = {
    "DescribeModelPackage": describe_packages,
    "List, first page": listing(),
    "List, later page": later_pages,
    "List, NameContains": listing(NameContains="red"),
    "List, ModelApprovalStatus": listing(ModelApprovalStatus="Rejected"),
    "List, by name, descending": listing(SortBy="Name", SortOrder="Descending"),
    "CreateModel": create_models,
    "CreateModelPackage": create_packages,
}


def figures(server: Server, form: Form, clients: int) -> Figures:
    """One figure of one server."""
    requests = list(islice(form(server), ROUNDS))
    return asyncio.run(replay(server.url, requests, clients, seconds=SECONDS))


def row(title: str, ours: Figures, theirs: Figures) -> str:
    """One line of the table."""
    cells = "".join(f"{each.rate:10.0f}{each.median:9.2f}{each.quantile(0.99):9.2f}" for each in (ours, theirs))
    return f"{title:38}{cells}{ours.rate / theirs.rate:9.1f}"


def main() -> None:
    """Measure both and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--resources", type=int, nargs="+", default=SIZES[:2], help="numbers of resources to measure with"
    )
    parser.add_argument("--only", default="", help="only the forms whose names have this text")
    parser.add_argument("--home", type=Path, help="a folder for Clary's store, which a later run finds filled")
    arguments = parser.parse_args()
    with clary.server(arguments.home) as aws:
        frozen = aws.session().get_credentials().get_frozen_credentials()
        ours = Server("Clary", aws.url, (frozen.access_key, frozen.secret_key), aws.role_arn)
        note = aws.home / "packages"
        ours.made = int(note.read_text()) if note.exists() else 0
        for size in sorted(arguments.resources):
            ours.fill(size)
            note.write_text(str(ours.made))
            with moto_server(map(package, range(size))) as moto:
                theirs = Server("moto", moto, ("AKIDEXAMPLE", "secret"), aws.role_arn, size)
                compare(ours, theirs, arguments.only)


def compare(ours: Server, theirs: Server, only: str) -> None:
    """Print the table for as many resources as both have now."""
    heads = "".join(f"{head:>10}{'median':>9}{'p99':>9}" for head in ("Clary/s", "moto/s"))
    print(f"\n{f'{ours.made:,} resources (ms)':38}{heads}{'ratio':>9}")
    for title, form in FORMS.items():
        for clients in CLIENTS:
            if only.lower() in title.lower():
                both = (figures(server, form, clients) for server in (ours, theirs))
                print(row(f"{title}, {clients} client{'s' * (clients > 1)}", *both), flush=True)
    print(flush=True)


if __name__ == "__main__":
    main()
