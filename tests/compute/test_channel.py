"""The objects of a channel: manifests, the order of an epoch, the share of a host."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from clary.compute.agent.channel import Channel, DataError, order
from clary.compute.agent.folder import JobFolder
from clary.compute.agent.manifest import ManifestError, attributes, entries
from clary.compute.agent.staging import connect
from clary.compute.spec import ImageSpec, Input, JobSpec

Open = Callable[..., Channel]


@pytest.fixture
def opened(store: Any, tmp_path: Path) -> Open:
    def channel(uri: str, kind: Any = "prefix", hosts: int = 1, host: int = 0, **fields: Any) -> Channel:
        names = [f"algo-{number + 1}" for number in range(hosts)]
        source = Input("input/data/train", uri, kind=kind, **fields)
        spec = JobSpec(
            "job",
            ImageSpec("x"),
            inputs=[source],
            endpoint_url=store.url,
            role_arn="arn:role",
            hosts=names,
            current_host=names[host],
        )
        (tmp_path / "spec.json").write_text(spec.to_json())
        (tmp_path / "place.json").write_text("{}")
        (tmp_path / "ticket").write_text(store.ticket)
        folder = JobFolder(str(tmp_path))
        return Channel(folder.spec.inputs[0], folder, connect(folder, lambda: True))

    return channel


def keys(channel: Channel, epoch: int = 0) -> list[str]:
    return [key for _, key, _, _ in channel.members(epoch)]


def test_shuffling_is_seeded_and_differs_between_epochs(opened: Open, store: Any) -> None:
    for number in range(20):
        store.put("bucket", f"data/{number:02}", b"x")
    plain = keys(opened("s3://bucket/data/"))
    assert plain == sorted(plain) and len(plain) == 20
    first, second = (keys(opened("s3://bucket/data/", seed=7), epoch) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == plain
    assert len({tuple(plain), tuple(first), tuple(second)}) == 3
    assert keys(opened("s3://bucket/data/", seed=7)) == first
    assert keys(opened("s3://bucket/data/", seed=8)) != first
    assert order(5, 1, 0) == order(5, 1, 0)


def test_every_host_has_its_share(opened: Open, store: Any) -> None:
    for number in range(7):
        store.put("bucket", f"data/{number}", b"x")

    def shares(epoch: int = 0, **fields: Any) -> list[list[str]]:
        return [
            keys(opened("s3://bucket/data/", hosts=3, host=host, sharded=True, **fields), epoch) for host in range(3)
        ]

    assert [len(share) for share in shares()] == [3, 2, 2]
    assert sorted(chain(*shares())) == sorted(chain(*shares(seed=1))) == [f"data/{number}" for number in range(7)]
    # Across epochs, what a host gets changes too.
    assert {frozenset(share) for share in shares(0, seed=1)} != {frozenset(share) for share in shares(1, seed=1)}
    assert len(keys(opened("s3://bucket/data/", hosts=1, sharded=True))) == 7
    assert len(keys(opened("s3://bucket/data/", hosts=3))) == 7


def test_manifests(opened: Open, store: Any) -> None:
    store.put("bucket", "m.json", json.dumps([{"prefix": "s3://other/data/"}, "b/2.csv", "a.csv"]).encode())
    found = list(opened("s3://bucket/m.json", "manifest").members())
    assert found == [("other", "data/b/2.csv", "b/2.csv", -1), ("other", "data/a.csv", "a.csv", -1)]
    assert len({tuple(keys(opened("s3://bucket/m.json", "manifest", seed=seed))) for seed in range(9)}) == 2


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "it is not JSON"),
        ('[{"prefix": "s3://b/"},\n "a"\n "b"]', 3, "Expecting ',' delimiter"),
        ("{}", 1, "a manifest is a list"),
        ("[]", 1, "a manifest is a list"),
        ('["a"]', 1, "a manifest is a list"),
        ('[\n{"prefix": "b/"}]', 2, "the prefix 'b/' is not an S3 URI"),
        ('[{"prefix": "s3://b/"},\n"a",\n"b",\n3]', 4, "a string"),
    ],
)
def test_bad_manifests_are_named_with_their_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ManifestError, match=message) as found:
        entries(text)
    assert found.value.line == line


def test_attributes_have_the_order_that_is_asked_for() -> None:
    line = b'{"other": 1, "class": 2, "image-ref": "s3://b/k", "text": "Call me Ishmael", "box": [1, {"a": null}]}'
    found = attributes(line, ["image-ref", "class", "text", "box"], 1)
    assert found[:3] == [("s3://b/k", b""), ("", b"2"), ("", b"Call me Ishmael")]
    assert json.loads(found[3][1]) == [1, {"a": None}]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "it is not JSON"),
        (b"[1]", "it is not a JSON object"),
        (b"{}", "there is no attribute 'image-ref'"),
        (b'{"image-ref": "b/k"}', "is not the S3 URI of an object"),
        (b'{"image-ref": "s3://b"}', "is not the S3 URI of an object"),
        (b"\xff{}", "it is not UTF-8 text"),
    ],
)
def test_bad_lines_are_named(line: bytes, message: str) -> None:
    with pytest.raises(ManifestError, match=f"line 4: .*{message}"):
        attributes(line, ["image-ref"], 4)


def test_augmented_manifests_are_checked_before_the_start(opened: Open, store: Any) -> None:
    good = "\ufeff" + '{"a": 1}\n\n{"a": 2}\n{"a": 3}'
    store.put("bucket", "m.jsonl", good.encode())
    channel = opened("s3://bucket/m.jsonl", "augmented", attributes=["a"])
    channel.check()
    assert [text for _, text in channel.pieces(0)] == [b"1", b"2", b"3"]
    shuffled = [text for _, text in opened("s3://bucket/m.jsonl", "augmented", attributes=["a"], seed=3).pieces(0)]
    assert sorted(shuffled) == [b"1", b"2", b"3"]
    shares = [
        [
            text
            for _, text in opened(
                "s3://bucket/m.jsonl", "augmented", attributes=["a"], hosts=2, host=host, sharded=True
            ).pieces(0)
        ]
        for host in (0, 1)
    ]
    assert shares == [[b"1", b"3"], [b"2"]]


def test_the_first_bad_line_of_an_augmented_manifest_is_named(opened: Open, store: Any) -> None:
    store.put("bucket", "bad.jsonl", b'{"a": 1}\n{"b": 2}\n')
    with pytest.raises(DataError, match=r'augmented manifest "s3://bucket/bad.jsonl" cannot be used: line 2: there is'):
        opened("s3://bucket/bad.jsonl", "augmented", attributes=["a"]).check()


def test_an_empty_augmented_manifest_is_refused(opened: Open, store: Any) -> None:
    store.put("bucket", "empty.jsonl", b"\n")
    with pytest.raises(DataError, match="it has no lines"):
        opened("s3://bucket/empty.jsonl", "augmented", attributes=["a"]).check()
