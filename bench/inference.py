"""``InvokeEndpoint`` beside the bare model server behind it, in one run.

    ./dev bench inference [--requests 4000]

A load generator replays one signed request to Clary, and the same payload straight to the model server's Unix socket:
the difference is what authentication, policy, routing and the second hop cost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

import clary
from bench.load import Figures, http, replay, signed
from bench.model import IMAGE, ROW, deploy

ROUNDS = 3
"""Each figure is the best of so many: the others tell more of the machine's other work than of the servers."""


async def best(address: str, request: bytes, clients: int, requests: int) -> Figures:
    """The run with the highest rate."""
    runs = [await replay(address, [request] * requests, clients) for _ in range(ROUNDS)]
    return max(runs, key=lambda run: run.rate)


async def compare(url: str, socket: str, call: bytes, bare: bytes, requests: int) -> None:
    """Print the figures for 1, 8 and 64 clients."""
    await replay(url, [call] * 200)
    await replay(socket, [bare] * 200)
    header = f"{'clients':>8}{'':>10}{'requests/s':>12}{'median ms':>12}{'p99 ms':>10}"
    print(header)
    for clients in (1, 8, 64):
        through = await best(url, call, clients, requests)
        straight = await best(socket, bare, clients, requests)
        for name, run in (("Clary", through), ("bare", straight)):
            print(f"{clients:8}{name:>10}{run.rate:12,.0f}{run.median:12.3f}{run.quantile(0.99):10.3f}")
        print(f"{clients:8}{'added':>10}{'':12}{through.median - straight.median:12.3f}")


def main() -> None:
    """Deploy a model and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=4000)
    arguments = parser.parse_args()
    with clary.server() as aws:
        name = deploy(aws, IMAGE)
        frozen = aws.session().get_credentials().get_frozen_credentials()
        keys = (frozen.access_key, frozen.secret_key)
        url = f"{aws.url}/endpoints/{name}/invocations"
        headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
        call = signed(keys, "sagemaker", aws.region, "POST", url, headers, ROW)
        bare = http("POST", "/invocations", headers, ROW)
        [socket] = aws.home.glob("jobs/Endpoint-*/events.jsonl")
        [address] = {
            event["address"]
            for event in map(json.loads, socket.read_text().splitlines())
            if event["event"] == "serving"
        }
        print(f"{IMAGE}, one row of {len(ROW)} bytes, {time.strftime('%Y-%m-%d')}")
        asyncio.run(compare(aws.url, address, call, bare, arguments.requests))


if __name__ == "__main__":
    main()
