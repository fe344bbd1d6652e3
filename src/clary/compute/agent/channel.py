"""The objects of one input: listed or named by a manifest, in the order of an epoch, and this host's share of them."""

from __future__ import annotations

import os

from clary.compute.agent.manifest import ManifestError, attributes, entries
from clary.compute.agent.s3 import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from clary.compute.agent.folder import JobFolder
    from clary.compute.agent.s3 import Store
    from clary.compute.spec import Input

    Member = tuple[str, str, str, int]


class DataError(Exception):
    """Data of the job cannot be had or stored; the message is for the user and ends with what to do."""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``. Raises ``DataError``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise DataError(f"{uri!r} is not an S3 URI; write s3://bucket/key.")
    return bucket, key


def relative(key: str, prefix: str) -> str:
    """The name below a channel's folder that ``key`` gets when all of ``prefix`` is asked for."""
    if not prefix or prefix.endswith("/") or key.startswith(prefix + "/"):
        return key[len(prefix) :].lstrip("/")
    return key[len(prefix.rpartition("/")[0]) :].lstrip("/")


def order(count: int, seed: int, epoch: int) -> list[int]:
    """The numbers below ``count`` in the order that ``ShuffleConfig`` with this seed gives them in an epoch.

    Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ShuffleConfig.html
    """
    import random

    numbers = list(range(count))
    random.Random(f"{seed} {epoch}").shuffle(numbers)
    return numbers


class Channel:
    """The objects of one input. Every method may raise ``DataError``, ``StoreUnreachable`` and ``Interrupted``."""

    def __init__(self, source: Input, folder: JobFolder, store: Store) -> None:
        self.source = source
        self.bucket, self.key = split_uri(source.uri)
        self._folder = folder
        self._store = store
        spec = folder.spec
        sharing = source.among or spec.hosts
        self._hosts = len(sharing) if source.sharded and spec.current_host in sharing else 1
        self._host = sharing.index(spec.current_host) if self._hosts > 1 else 0
        self.found = 0
        """Objects that ``members`` has seen, those of other hosts too."""
        self._listing = folder.file(f"manifest-{source.path.strip('/').replace('/', '+')}")

    def check(self) -> None:
        """Fetch the manifest, and see that there is an object, or that every line can be used."""
        if self.source.kind == "augmented":
            self._fetch()
            if not sum(1 for _ in self._lines()):
                raise self._fault(ManifestError(1, "it has no lines"))
            return
        if all(key.endswith("/") for _, key, _, _ in self._all()):
            raise self.missing(None)

    def members(self, epoch: int = 0) -> Iterator[Member]:
        """Bucket, key, name in the channel's folder and size (-1 where that is not known) of every object.

        Keys that end with a slash, with which some tools mark folders, are among them.
        """
        everything = self._all()
        if self.source.seed is not None:
            known = list(everything)
            everything = (known[number] for number in order(len(known), self.source.seed, epoch))
        self.found = 0
        for number, member in enumerate(everything):
            self.found += not member[1].endswith("/")
            if number % self._hosts == self._host:
                yield member

    def pieces(self, epoch: int) -> Iterator[tuple[str, bytes]]:
        """What is streamed, piece by piece: either the URI of an object and nothing, or nothing and some text."""
        if self.source.kind == "augmented":
            for line, text in self._lines_of(epoch):
                yield from self._attributes(line, text)
            return
        for bucket, key, _, _ in self.members(epoch):
            if not key.endswith("/"):
                yield f"s3://{bucket}/{key}", b""

    def missing(self, error: StoreError | None) -> DataError:
        """What to raise if there is nothing to be had at the input's URI."""
        spec, uri = self._folder.spec, self.source.uri
        text = (
            f'Data download failed: No S3 objects found under S3 URL "{uri}" given in input data source. Please'
            f" ensure that the bucket exists in the selected region ({spec.region}), that objects exist under that S3"
            f' prefix, and that the role "{spec.role_arn}" has "s3:ListBucket" permissions on bucket "{self.bucket}".'
        )
        if error is not None and ("kms:" in str(error) or error.code.startswith("KMS.")):
            text = (
                f'Data download failed: "{uri}" cannot be decrypted. Please ensure that the KMS key of its objects is'
                f' enabled and that the role "{spec.role_arn}" has "kms:Decrypt" permissions on it.'
            )
        elif error is not None and error.status == 403:
            text = (
                f'Data download failed: Access denied for S3 URL "{uri}". Please ensure that the role'
                f' "{spec.role_arn}" has the "s3:GetObject" and "s3:ListBucket" permissions.'
            )
        return DataError(text if error is None else f"{text} Error message from S3: {error}")

    def unavailable(self, uri: str, error: StoreError) -> DataError:
        """What to raise if one of the objects cannot be had."""
        if error.status == 403 or error.code.startswith("KMS."):
            return self.missing(error)
        named = f' that the manifest "{self.source.uri}" names' if self.source.kind in ("manifest", "augmented") else ""
        return DataError(
            f'Data download failed: The object "{uri}"{named} cannot be read. Please ensure that it exists. Error'
            f" message from S3: {error}"
        )

    # -- prefixes and manifests

    def _all(self) -> Iterator[Member]:
        source, bucket, prefix = self.source, self.bucket, self.key
        if source.kind == "manifest":
            self._fetch()
            try:
                with open(self._listing, encoding="utf-8-sig") as file:
                    named = entries(file.read())
            except ManifestError as error:
                raise self._fault(error) from error
            except UnicodeDecodeError as error:
                raise self._fault(ManifestError(1, "it is not UTF-8 text")) from error
            for uri, name in named:
                yield (*split_uri(uri), name, -1)
        elif source.keys is not None:
            for key in source.keys:
                yield bucket, key, relative(key, prefix), -1
        else:
            for key, size in self._store.list(bucket, prefix):
                yield bucket, key, relative(key, prefix), size

    def _fetch(self) -> None:
        if not os.path.exists(self._listing):
            aside = self._listing + ".new"
            self._store.get(self.bucket, self.key, aside)
            os.rename(aside, self._listing)

    def _fault(self, error: ManifestError) -> DataError:
        kind = "augmented manifest" if self.source.kind == "augmented" else "manifest"
        return DataError(
            f'Data download failed: The {kind} "{self.source.uri}" cannot be used: {error}. Correct that line, and'
            " start the job again."
        )

    # -- augmented manifests

    def _attributes(self, line: int, text: bytes) -> list[tuple[str, bytes]]:
        try:
            return attributes(text, self.source.attributes, line)
        except ManifestError as error:
            raise self._fault(error) from error

    def _lines(self) -> Iterator[int]:
        """Where each line begins, all of them checked."""
        place = 0
        with open(self._listing, "rb") as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    self._attributes(number, _without_mark(text, place))
                    yield place
                place += len(text)

    def _lines_of(self, epoch: int) -> Iterator[tuple[int, bytes]]:
        """Number and text of the lines of this host, in the order of the epoch."""
        with open(self._listing, "rb") as file:
            if self.source.seed is None:
                count = 0
                for number, text in enumerate(file, start=1):
                    if text.strip():
                        if count % self._hosts == self._host:
                            yield number, _without_mark(text, number - 1)
                        count += 1
                return
            from array import array

            places, lines = array("Q"), array("Q")
            place = 0
            for number, text in enumerate(file, start=1):
                if text.strip():
                    places.append(place)
                    lines.append(number)
                place += len(text)
            for index in order(len(places), self.source.seed, epoch)[self._host :: self._hosts]:
                file.seek(places[index])
                yield lines[index], _without_mark(file.readline(), places[index])


def _without_mark(text: bytes, place: int) -> bytes:
    """A line without the byte order mark that a file may begin with."""
    return text if place else text.removeprefix(b"\xef\xbb\xbf")


__all__ = ["Channel", "DataError", "order", "relative", "split_uri"]
