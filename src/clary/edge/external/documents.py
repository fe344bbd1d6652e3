"""What is put on buckets and counts at the edge, as policies and CORS rules do: files of this installation.

The external store never sees them. It knows none of the users and roles that a policy names, and browsers ask Clary.
Each is a file of its own in ``objects/external/`` of the home folder, and in memory.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from clary.core.files import write_private
from clary.objects.model import Bucket


class Buckets:
    """The buckets of the external store, as far as handlers of S3 ask for them: all are the installation's own.

    Whether there is such a bucket only the store knows, and says itself.
    """

    def __init__(self, folder: Path, account: str, region: str) -> None:
        self._folder = folder
        self._account = account
        self._region = region
        self._documents: dict[str, dict[str, bytes]] = {}
        self._changing = asyncio.Lock()
        for file in sorted(folder.glob("*.*")):
            # Names of buckets have dots too, and a file that was not finished begins with one.
            bucket, _, kind = file.name.rpartition(".")
            if not file.name.startswith("."):
                self._documents.setdefault(bucket, {})[kind] = file.read_bytes()

    @property
    def writer(self) -> Buckets:
        """What has ``buckets``, as in the platform's own store."""
        return self

    @property
    def buckets(self) -> Buckets:
        """What has ``get``, as in the platform's own store."""
        return self

    def get(self, name: str) -> Bucket | None:
        """The bucket; none for no name."""
        return self.bucket(name) if name else None

    def bucket(self, name: str) -> Bucket:
        """The bucket of that name."""
        return Bucket(
            id=0,
            name=name,
            account=self._account,
            region=self._region,
            created=0,
            versioning="",
            documents=self._documents.get(name, {}),
        )

    async def set_document(self, bucket: str, kind: str, document: bytes | None) -> None:
        """Put a document on a bucket durably, or take it away."""
        file = self._folder / f"{bucket}.{kind}"
        async with self._changing:
            if document is None:
                await asyncio.to_thread(file.unlink, missing_ok=True)
            else:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                await asyncio.to_thread(write_private, file, document)
            kept = {name: value for name, value in self._documents.get(bucket, {}).items() if name != kind}
            self._documents[bucket] = kept | ({kind: document} if document is not None else {})

    async def forget(self, bucket: str) -> None:
        """Take all documents from a bucket that is gone: another one of its name begins without them."""
        for kind in list(self._documents.get(bucket, {})):
            await self.set_document(bucket, kind, None)
        self._documents.pop(bucket, None)
