"""Create, Describe and List beside moto's server, with 100 and with 10,000 resources, in one run.

    ./dev bench api [--resources 10000]

Both servers get the same requests, signed beforehand, over one connection, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import clary
from bench.load import Figures, replay, signed

MOTO = "moto[server]==5.1.22"
ROUNDS = 300


def request(keys: tuple[str, str], url: str, operation: str, **params: object) -> bytes:
    """One call of SageMaker's API as bytes."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"SageMaker.{operation}"}
    return signed(keys, "sagemaker", "us-east-1", "POST", url + "/", headers, json.dumps(params).encode())


def measure(name: str, url: str, keys: tuple[str, str], role: str, resources: int) -> dict[str, Figures]:
    """The figures of one server."""
    figures: dict[str, Figures] = {}

    def create(numbers: range) -> list[bytes]:
        container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"}
        return [
            request(
                keys, url, "CreateModel", ModelName=f"model-{n:06}", ExecutionRoleArn=role, PrimaryContainer=container
            )
            for n in numbers
        ]

    def look(what: str, count: int) -> None:
        describe = [request(keys, url, "DescribeModel", ModelName=f"model-{n % count:06}") for n in range(ROUNDS)]
        listing = [request(keys, url, "ListModels", MaxResults=10)] * ROUNDS
        figures[f"DescribeModel of {what}"] = asyncio.run(replay(url, describe))
        figures[f"ListModels of {what}"] = asyncio.run(replay(url, listing))

    first = min(100, resources)
    asyncio.run(replay(url, create(range(first))))
    look(f"{first:,}", first)
    rest = create(range(first, resources))
    made = asyncio.run(replay(url, rest))
    figures["CreateModel"] = Figures(made.latencies[-ROUNDS:], sum(made.latencies[-ROUNDS:]))
    look(f"{resources:,}", resources)
    print(f"{name}: {resources:,} models made in {made.seconds:.1f} s", flush=True)
    return figures


@contextmanager
def moto_server() -> Iterator[str]:
    """moto's server in an environment of its own."""
    folder = Path(os.environ.get("CLARY_CACHE", Path.home() / ".cache" / "clary")) / "bench" / "moto"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), MOTO], check=True
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Measure both and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--resources", type=int, default=10_000)
    resources = parser.parse_args().resources
    with clary.server() as aws, moto_server() as moto:
        frozen = aws.session().get_credentials().get_frozen_credentials()
        ours = measure("Clary", aws.url, (frozen.access_key, frozen.secret_key), aws.role_arn, resources)
        theirs = measure("moto", moto, ("AKIDEXAMPLE", "secret"), aws.role_arn, resources)
    print(f"\n{'median, ms':32}{'Clary':>10}{'moto':>10}{'moto/Clary':>12}")
    for name, mine in ours.items():
        other = theirs[name]
        print(f"{name:32}{mine.median:10.2f}{other.median:10.2f}{other.median / mine.median:12.1f}")


if __name__ == "__main__":
    main()
