"""The few S3 operations that staging needs, signed with the job's own temporary credentials.

References: https://docs.aws.amazon.com/AmazonS3/latest/API/ and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time

from clary.compute.agent.answers import read_list, texts
from clary.compute.agent.documents import loads
from clary.compute.agent.http import Answer, Connection, HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clary.compute.agent.flow import Sink

PART = 16 << 20
"""Bytes of a part; larger files are uploaded in parts."""
MOST_PARTS = 10_000
_EMPTY = hashlib.sha256(b"").hexdigest()
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_QUOTED = [chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in range(256)]
_LOCAL_PATH = "x-clary-local-path"


class StoreError(Exception):
    """The store refused; ``code`` is S3's, ``status`` the HTTP status."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(f"{code} ({status}): {message}")
        self.code = code
        self.status = status


class StoreUnreachable(Exception):
    """The platform did not answer for as long as the agent may wait."""


class Interrupted(Exception):
    """The job is to stop; what was under way is dropped."""


class FileChanged(OSError):
    """A file became shorter while it was uploaded."""


def quote(text: str, safe: str = "") -> str:
    """``text`` percent-encoded as SigV4 demands."""
    return "".join(
        [chr(byte) if chr(byte) in safe else _QUOTED[byte] for byte in text.encode("utf-8", "surrogateescape")]
    )


class Credentials:
    """Temporary credentials, fetched from the platform with the job's ticket and fetched anew before they expire."""

    def __init__(self, endpoint: str, ticket: str) -> None:
        self._connection = Connection(endpoint)
        self._ticket = ticket
        self._document: dict[str, str] = {}
        self._fresh_until = 0.0

    def get(self, *, anew: bool = False) -> dict[str, str]:
        """``AccessKeyId``, ``SecretAccessKey`` and ``Token``. Raises ``HttpError`` and ``StoreError``."""
        if anew or time.time() > self._fresh_until:
            answer = self._connection.request("GET", "/_clary/credentials", {"authorization": self._ticket})
            body = answer.read()
            if answer.status >= 500 or answer.status == 429:
                raise HttpError(f"credentials: status {answer.status}")
            if answer.status != 200:
                raise StoreError(
                    "AccessDenied", answer.status, "the platform gives this job no credentials (its role may be gone)"
                )
            self._document = loads(body.decode())
            left = seconds(self._document["Expiration"]) - time.time()
            self._fresh_until = time.time() + max(left - 300, left / 2, 1)
        return self._document


class Store:
    """S3 at the platform's endpoint. Every operation is tried again for ``patience`` seconds while the platform does
    not answer."""

    def __init__(
        self, endpoint: str, region: str, credentials: Credentials, patience: float, wanted: Callable[[], bool]
    ) -> None:
        self._connection = Connection(endpoint)
        name = self._connection.name
        self._local = name in ("localhost", "::1") or name.startswith("127.")
        self._base = "/" + endpoint.partition("://")[2].partition("/")[2].strip("/")
        self._region = region
        self._credentials = credentials
        self._patience = patience
        self._wanted = wanted
        self._key: tuple[tuple[str, str], bytes] = (("", ""), b"")

    def list(self, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
        """Keys below ``prefix`` in order, with their sizes in bytes."""
        token = ""
        while True:
            query = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
            if token:
                query["continuation-token"] = token
            found, token = read_list(self._call("GET", bucket, "", query))
            yield from found
            if not token:
                return

    def get(self, bucket: str, key: str, path: str) -> None:
        """Write an object to the new file ``path``: a clone or copy of the store's own file where that lies on this
        machine."""
        headers = {_LOCAL_PATH: "1"} if self._local else {}

        def take(answer: Answer) -> None:
            source = answer.headers.get(_LOCAL_PATH, "") if self._local else ""
            if source:
                answer.read()
                try:
                    copy_file(source, path)
                    return
                except FileNotFoundError:
                    headers.clear()  # replaced or deleted between the answer and now: ask for the bytes
                    raise HttpError(f"{source} is gone") from None
            target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            try:
                for data in answer.chunks():
                    _write(target, data)
                    if not self._wanted():
                        raise Interrupted
            finally:
                os.close(target)

        self._call("GET", bucket, key, {}, headers=headers, take=take)

    def read(self, bucket: str, key: str, sink: Sink) -> None:
        """Give the bytes of an object to ``sink``, once and in order, whatever happens to the connection: as the file
        that the store has on this machine, or piece by piece."""
        headers = {_LOCAL_PATH: "1"} if self._local else {}
        done = 0

        def take(answer: Answer) -> None:
            nonlocal done
            source = answer.headers.get(_LOCAL_PATH, "") if self._local else ""
            if source:
                answer.read()
                try:
                    file = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                except FileNotFoundError:
                    headers.clear()  # replaced or deleted between the answer and now: ask for the bytes
                    raise HttpError(f"{source} is gone") from None
                try:
                    sink.file(file)
                finally:
                    os.close(file)
                return
            headers["if-match"] = answer.headers.get("etag", "*")
            for data in answer.chunks():
                sink.data(data)
                done += len(data)
                headers["range"] = f"bytes={done}-"
                if not self._wanted():
                    raise Interrupted

        while True:
            before = done
            try:
                self._call("GET", bucket, key, {}, headers=headers, take=take)
                return
            except StoreUnreachable:
                if done == before:
                    raise  # else its patience began long ago, with a reader that takes its time
            except StoreError as error:
                if error.status == 416 and done:
                    return  # only the end of the answer was missing
                raise

    def local_file(self, bucket: str, key: str) -> str:
        """Where the store has an object on this machine; empty if it is elsewhere."""
        if not self._local:
            return ""
        path = ""

        def take(answer: Answer) -> None:
            nonlocal path
            path = answer.headers.get(_LOCAL_PATH, "")
            if path:
                answer.read()
            else:
                self._connection.close()  # its body is not wanted

        self._call("GET", bucket, key, {}, headers={_LOCAL_PATH: "1"}, take=take)
        return path

    def put(self, bucket: str, key: str, file: int, headers: dict[str, str] | None = None) -> None:
        """Upload the open descriptor ``file`` from its start, in parts if it is large; ``headers`` are those of
        PutObject."""
        size = os.fstat(file).st_size
        if size <= PART:
            self._call("PUT", bucket, key, {}, headers=headers, body=_read(file, 0, size))
            return
        step = max(PART, -(-size // MOST_PARTS))
        document = self._call("POST", bucket, key, {"uploads": ""}, headers=headers)
        upload = texts(document, "UploadId")[0]
        try:
            parts = []
            for number, start in enumerate(range(0, size, step), 1):
                tag = ""

                def take(answer: Answer) -> None:
                    nonlocal tag
                    answer.read()
                    tag = answer.headers.get("etag", "")

                query = {"partNumber": str(number), "uploadId": upload}
                self._call("PUT", bucket, key, query, body=_read(file, start, min(step, size - start)), take=take)
                parts.append(f"<Part><PartNumber>{number}</PartNumber><ETag>{tag.replace('&', '&amp;')}</ETag></Part>")
            body = f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>".encode()
            self._call("POST", bucket, key, {"uploadId": upload}, body=body)
        except BaseException:
            try:
                self._call("DELETE", bucket, key, {"uploadId": upload}, patience=0)
            except (StoreError, StoreUnreachable):
                pass  # the error that led here matters more; the parts are garbage that the bucket's lifecycle removes
            raise

    def _call(
        self,
        method: str,
        bucket: str,
        key: str,
        query: dict[str, str],
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        take: Callable[[Answer], None] | None = None,
        patience: float | None = None,
    ) -> bytes:
        gives_up = time.monotonic() + (self._patience if patience is None else patience)
        pause = 0.05
        refused = False
        path = self._base.rstrip("/") + "/" + quote(bucket) + ("/" + quote(key, "/") if key else "")
        text = "&".join(f"{quote(name)}={quote(value)}" for name, value in sorted(query.items()))
        while True:
            if not self._wanted():
                raise Interrupted
            try:
                told = {name: value for name, value in (headers or {}).items() if name.startswith("x-amz-")}
                signed = self._sign(method, path, text, body, told, self._credentials.get(anew=refused))
                answer = self._connection.request(
                    method, f"{path}?{text}" if text else path, {**signed, **(headers or {})}, body
                )
                if answer.status < 300:
                    if take is None:
                        data = answer.read()
                        if b"<Error>" in data[:300]:  # CompleteMultipartUpload may fail after it has said 200
                            raise HttpError(data[:300].decode("utf-8", "replace"))
                        return data
                    take(answer)
                    return b""
                error = _error(answer)
            except HttpError as fault:
                self._connection.close()
                if time.monotonic() > gives_up:
                    raise StoreUnreachable(f"the store does not answer: {fault}") from fault
            except BaseException:
                self._connection.close()
                raise
            else:
                expired = error.code in ("ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "RequestTimeTooSkewed")
                if expired and not refused:
                    refused = True
                    continue
                if not (error.status >= 500 or error.status == 429 or error.code in ("SlowDown", "RequestTimeout")):
                    raise error
                if time.monotonic() > gives_up:
                    raise StoreUnreachable(f"the store does not answer: {error}") from error
            time.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _sign(
        self, method: str, path: str, query: str, body: bytes, told: dict[str, str], credentials: dict[str, str]
    ) -> dict[str, str]:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        day = stamp[:8]
        digest = hashlib.sha256(body).hexdigest() if body else _EMPTY
        headers = {"host": self._connection.host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        if credentials.get("Token"):
            headers["x-amz-security-token"] = credentials["Token"]
        headers = dict(sorted({**headers, **told}.items()))
        names = ";".join(headers)
        canonical = "\n".join(
            [method, path, query, *(f"{name}:{value}" for name, value in headers.items()), "", names, digest]
        )
        scope = f"{day}/{self._region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        name = (day, credentials["SecretAccessKey"])
        if self._key[0] != name:
            key = b"AWS4" + credentials["SecretAccessKey"].encode()
            for part in (day, self._region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = (name, key)
        signature = hmac.digest(self._key[1], text.encode(), "sha256").hex()
        scope = f"Credential={credentials['AccessKeyId']}/{scope}"
        headers["authorization"] = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders={names}, Signature={signature}"
        return headers


def seconds(stamp: str) -> int:
    """Seconds since the epoch of ``2026-11-20T10:00:00Z``; ``datetime`` takes long to import."""
    year, month, day = int(stamp[:4]), int(stamp[5:7]), int(stamp[8:10])
    if month < 3:
        year, month = year - 1, month + 12
    days = year * 365 + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719469
    return days * 86400 + int(stamp[11:13]) * 3600 + int(stamp[14:16]) * 60 + int(stamp[17:19])


def copy_file(source: str, path: str) -> None:
    """Copy a file of this machine to the new file ``path``: sharing its blocks where the file system can, never its
    inode."""
    origin = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            _copy(origin, target)
        finally:
            os.close(target)
    finally:
        os.close(origin)


def _copy(origin: int, target: int) -> None:
    import fcntl

    try:
        fcntl.ioctl(target, 0x40049409, origin)  # FICLONE
        return
    except OSError:
        pass  # not on this file system, or across two
    left = os.fstat(origin).st_size
    if hasattr(os, "copy_file_range"):
        try:
            while left:
                done = os.copy_file_range(origin, target, min(left, 1 << 30))
                if not done:
                    break
                left -= done
        except OSError as error:
            if error.errno == 28:  # ENOSPC
                raise
    os.lseek(origin, os.lseek(target, 0, os.SEEK_CUR), os.SEEK_SET)
    while data := os.read(origin, 1 << 20):
        _write(target, data)


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _read(file: int, start: int, size: int) -> bytes:
    pieces = []
    while size:
        data = os.pread(file, size, start)
        if not data:
            raise FileChanged("the file became shorter while it was uploaded")
        pieces.append(data)
        start += len(data)
        size -= len(data)
    return b"".join(pieces)


def _error(answer: Answer) -> StoreError:
    body = answer.read()
    try:
        code, message = (texts(body, name)[:1] for name in ("Code", "Message"))
    except ValueError:
        code, message = [], []
    words = {403: "AccessDenied", 404: "NoSuchKey"}
    return StoreError(
        code[0] if code else words.get(answer.status, "Error"),
        answer.status,
        message[0] if message else "the store refused",
    )
