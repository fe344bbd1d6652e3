"""What a transform job leaves for those who monitor it: manifests of what was transformed, and of what became of it.

Each host writes one of each for its share, when all of that is done, labelled with the hour in which the job began.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-batch.html
"""

from __future__ import annotations

import time
from uuid import NAMESPACE_OID, uuid5

from clary.compute.agent.channel import split_uri
from clary.compute.agent.documents import dumps
from clary.compute.agent.outgoing import encrypted, refused
from clary.compute.agent.s3 import Store, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from clary.compute.agent.folder import JobFolder
    from clary.compute.spec import Input

    Done = tuple[str, str, str]
    """Bucket, key, and name relative to the input, of an object that was transformed."""


def write_manifests(folder: JobFolder, store: Store, done: Sequence[Done]) -> None:
    """Write the manifests of ``done``, which are lists like those that jobs take as input; none of nothing.

    Raises ``DataError``, ``StoreUnreachable`` and ``Interrupted``.
    """
    transform = folder.spec.transform
    assert transform is not None
    if not done:
        return
    source, prefix = _prefix(transform.source, done), transform.output.rstrip("/") + "/"
    manifests = {
        "input": [{"prefix": source}, *(f"s3://{bucket}/{key}".removeprefix(source) for bucket, key, _ in done)],
        "output": [{"prefix": prefix}, *(f"{name}.out" for _, _, name in done)],
    }
    bucket, prefix = split_uri(transform.capture)
    hour = time.strftime("%Y/%m/%d/%H", time.gmtime(transform.began))
    # An attempt that comes after one that wrote them writes the same ones.
    file = f"{uuid5(NAMESPACE_OID, folder.spec.id)}.json"
    headers = {"content-type": "application/json", **encrypted(transform.capture_key)}
    for way, manifest in manifests.items():
        target = "/".join(filter(None, (prefix.strip("/"), way, hour, file)))
        with open(folder.file("captured"), "w+b") as written:
            written.write(dumps(manifest).encode())
            written.flush()
            try:
                store.put(bucket, target, written.fileno(), headers)
            except StoreError as error:
                key, what = transform.capture_key, "Captured data"
                raise refused(folder.spec, transform.capture, key, error, what) from error


def _prefix(source: Input, done: Sequence[Done]) -> str:
    """What the URIs of all objects begin with: where the input lies, as a folder."""
    bucket, key, name = done[0]
    if source.kind == "manifest":
        return f"s3://{bucket}/{key}".removesuffix(name)
    prefix = split_uri(source.uri)[1]
    whole = prefix if prefix.endswith("/") else f"{prefix}/" if prefix else ""
    if not all(key.startswith(whole) for _, key, _ in done):
        whole = prefix[: prefix.rfind("/") + 1]  # it is the beginning of names, or one name
    return f"s3://{bucket}/{whole}"
