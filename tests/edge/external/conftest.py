"""Two installations: one keeps its objects in the other, which is an S3 server like any other to it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from clary.core.files import write_private
from clary.testing.server import Server, server


@contextmanager
def installation(url: str, access: str, secret: str) -> Iterator[Server]:
    """An installation whose objects lie in the S3 server at ``url``."""
    # Sockets live in it, and their paths are short: pytest's folders are too deep.
    home = Path(tempfile.mkdtemp(prefix="clary-"))
    try:
        (home / "secrets").mkdir(mode=0o700)
        keys = {"AccessKeyId": access, "SecretAccessKey": secret}
        write_private(home / "secrets" / "objects.json", json.dumps(keys))
        with server(home, objects_url=url) as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def store() -> Iterator[Server]:
    """The external store."""
    with server() as running:
        yield running


@pytest.fixture(scope="session")
def aws(store: Server) -> Iterator[Server]:
    """The installation in front of it."""
    keys = store.session().get_credentials()
    assert keys is not None
    with installation(store.url, keys.access_key or "", keys.secret_key or "") as running:
        yield running


@pytest.fixture(scope="session")
def installed() -> Iterator[Callable[[str, str, str], Server]]:
    """Starts further installations in front of S3 servers, for as long as the tests run."""
    with ExitStack() as stack:
        yield lambda *where: stack.enter_context(installation(*where))


@pytest.fixture(scope="session")
def s3(aws: Server) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="shared")
    return client


@pytest.fixture(scope="session")
def behind(store: Server, s3: Any) -> Any:
    """The same buckets as the external store has them."""
    return store.client("s3")
