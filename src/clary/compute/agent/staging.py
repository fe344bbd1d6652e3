"""Bring a job's inputs in before it starts, and its outputs out when it ends."""

from __future__ import annotations

import errno
import os
import stat
import time

from clary.compute.agent.channel import Channel, DataError, relative, split_uri
from clary.compute.agent.folder import JobFolder, first_link, open_inside
from clary.compute.agent.outgoing import encrypted, refused
from clary.compute.agent.peers import folders_of
from clary.compute.agent.s3 import Credentials, FileChanged, Interrupted, Store, StoreError, StoreUnreachable
from clary.compute.agent.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    import tarfile
    from collections.abc import Callable, Iterator, Sequence

    from clary.compute.spec import Input, Output

MOST_MEMBERS = 1_000_000
"""Members that an archive may have."""
EXPANSION = 1000
"""Times its own size that an archive may unpack to; a gigabyte is always fine."""
SETTLED_NS = 1_000_000_000
"""A file that was written less than this before its upload is uploaded again by the next call: a further change within
the clock tick of a file system would not show."""
RESERVE = 32 << 20
"""Bytes of the disk that unpacking leaves free."""
_EPOCH = 315532800  # 1980: archives of equal content are equal


class Staging:
    """The way between a job's folder and the store."""

    def __init__(self, folder: JobFolder, wanted: Callable[[], bool], note: Callable[[str], None]) -> None:
        self._folder = folder
        self._note = note
        self._wanted = wanted
        self._store = connect(folder, wanted)

    # -- inputs

    def download(self, source: Input) -> int:
        """Bring one input in and return how many objects it had. Raises ``DataError``, ``StoreUnreachable`` and
        ``Interrupted``."""
        channel = Channel(source, self._folder, self._store)
        try:
            target = self._folder.host_path(source.path)
        except ValueError as error:
            raise DataError(f"The input path {error}.") from error
        if first_link(target, self._folder.path):
            raise DataError(f"The input path {source.path!r} leads through a link; choose another, or remove the link.")
        os.makedirs(target, exist_ok=True)
        try:
            if source.kind == "object":
                return self._object(source, channel.bucket, channel.key, target)
            return self._members(channel, target)
        except StoreError as error:
            if source.optional and error.status == 404:
                return 0
            raise channel.missing(error) from error

    def _object(self, source: Input, bucket: str, key: str, target: str) -> int:
        name = source.filename or key.rpartition("/")[2]
        if not source.extract:
            self._fetch(bucket, key, target, name)
            return 1
        archive = self._folder.file("archive")
        try:
            self._store.get(bucket, key, archive)
            self._guarded(source.uri, lambda: extract(archive, target, self._wanted))
        finally:
            if os.path.exists(archive):
                os.unlink(archive)
        return 1

    def _members(self, channel: Channel, target: str) -> int:
        source, count = channel.source, 0
        view = View(self._folder, source) if source.mode == "lazy" else None
        for bucket, key, name, size in channel.members():
            if key.endswith("/"):
                if name and size <= 0:
                    self._folder_of(target, name, key)
                continue
            path = self._below(target, name, key)
            try:
                if view is None or not self._show(view, path, bucket, key, size):
                    self._fetch(bucket, key, target, name)
            except StoreError as error:
                raise channel.unavailable(f"s3://{bucket}/{key}", error) from error
            count += 1
        if not channel.found and not source.optional:
            raise channel.missing(None)
        return count

    def _show(self, view: View, path: str, bucket: str, key: str, size: int) -> bool:
        return view.takes(size) and view.add(path, self._store.local_file(bucket, key))

    def _folder_of(self, target: str, name: str, key: str) -> None:
        path = self._below(target, name, key)
        self._guarded(key, lambda: os.makedirs(path, exist_ok=True))

    def _fetch(self, bucket: str, key: str, target: str, name: str) -> None:
        path = self._below(target, name, key)

        def fetch() -> None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._store.get(bucket, key, path)

        self._guarded(f"s3://{bucket}/{key}", fetch)

    def _below(self, target: str, name: str, key: str) -> str:
        parts = [part for part in name.split("/") if part]
        if not parts or "\0" in name or any(part in (".", "..") for part in parts):
            raise DataError(f"The object key {key!r} cannot be a file name below /opt/ml; rename the object.")
        path = os.path.join(target, *parts)
        if first_link(os.path.dirname(path), target):
            raise DataError(f"The object key {key!r} leads through a link; remove the link.")
        return path

    def _guarded(self, what: str, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
                raise DataError(f"{what} is both a file and a folder for a file system; rename the object.") from error
            if error.errno == errno.ENAMETOOLONG:
                raise DataError(f"{what} has a longer name than a file system takes; rename the object.") from error
            raise

    # -- outputs

    def upload(self, output: Output, known: dict[str, tuple[int, int]] | None = None, peers: Sequence[str] = ()) -> int:
        """Bring one output out and return how many objects were written; an archive has what ``peers``, the folders of
        other hosts, hold of it, too.

        ``known`` holds what an earlier call uploaded and is brought up to date; files that did not change since are
        left out, and so are files that become shorter meanwhile.
        Raises ``DataError``, ``StoreUnreachable`` and ``Interrupted``.
        """
        bucket, key = split_uri(output.uri)
        try:
            source = self._folder.real_path(output.path)
        except PermissionError as error:
            raise DataError(f"Data upload failed: {error}. Make it a folder.") from error
        try:
            if output.archive:
                return self._upload_archive(output, bucket, key, [source, *folders_of(peers, output.path)])
            count = 0
            prefix = key.rstrip("/") + "/" if key else ""
            for name, path in files(source):
                try:
                    file = open_inside(path, source)
                except FileNotFoundError:
                    continue  # deleted or renamed since the folder was listed
                except OSError as error:
                    self._note(
                        f"{output.path}/{name} is not uploaded: {error.strerror or 'it is not a file of the job'}."
                    )
                    continue
                try:
                    status = os.fstat(file)
                    state = (status.st_mtime_ns, status.st_size)
                    if known is not None and known.get(path) == state:
                        continue
                    settled = time.time_ns() - status.st_mtime_ns > SETTLED_NS
                    try:
                        self._store.put(bucket, prefix + name, file, encrypted(output.key))
                    except FileChanged:
                        if known is None:
                            raise
                        continue  # it is being written: another call finds it whole
                    count += 1
                    if known is not None and settled:
                        known[path] = state
                finally:
                    os.close(file)
            return count
        except StoreError as error:
            raise refused(self._folder.spec, output.uri, output.key, error) from error

    def _upload_archive(self, output: Output, bucket: str, key: str, sources: Sequence[str]) -> int:
        if output.optional and not any(True for source in sources for _ in files(source)):
            return 0
        archive = self._folder.file("archive")
        try:
            pack(sources, archive, self._note)
            file = os.open(archive, os.O_RDONLY | os.O_CLOEXEC)
            try:
                self._store.put(bucket, key, file, encrypted(output.key))
            finally:
                os.close(file)
        finally:
            if os.path.exists(archive):
                os.unlink(archive)
        return 1


def connect(folder: JobFolder, wanted: Callable[[], bool]) -> Store:
    """A connection to the store with the job's credentials, for one thread; it is used while ``wanted`` says so."""
    spec = folder.spec
    credentials = Credentials(spec.endpoint_url, folder.ticket())
    return Store(spec.endpoint_url, spec.region, credentials, spec.limits.retry_s, wanted)


def files(folder: str) -> Iterator[tuple[str, str]]:
    """Names relative to ``folder``, and paths, of everything below it that is no folder, in order. Links to folders are
    not followed."""
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(here, name)
            yield os.path.relpath(path, folder), path


def pack(folders: Sequence[str], archive: str, note: Callable[[str], None]) -> None:
    """Write what is in ``folders`` as one ``tar.gz`` with names relative to them: the same bytes for the same content.

    Of what has the same name in several of them, that of the first is taken.
    """
    import gzip
    import tarfile

    with (
        open(archive, "wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        packed: set[str] = set()
        for folder in folders:
            root = os.path.realpath(folder)
            for here, below, names in os.walk(folder):
                below.sort()
                for name in sorted([*names, *below]):
                    path = os.path.join(here, name)
                    label = os.path.relpath(path, folder)
                    if label in packed:
                        if not os.path.isdir(path):
                            note(f"{label} of another host is left out of the archive: there is one already.")
                        continue
                    packed.add(label)
                    _pack_member(tar, path, label, root, note)


def _pack_member(tar: tarfile.TarFile, path: str, label: str, root: str, note: Callable[[str], None]) -> None:
    import tarfile

    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode) or stat.S_ISDIR(mode):
        tar.addfile(_plain(tar.gettarinfo(path, label)))
        return
    if not stat.S_ISREG(mode):
        note(f"{label} is left out of the archive: it is not a file.")
        return
    try:
        file = open_inside(path, root)
    except OSError as error:
        note(f"{label} is left out of the archive: {error.strerror or 'it is not a file of the job'}.")
        return
    with os.fdopen(file, "rb") as content:
        member = tar.gettarinfo(None, label, content)
        # A second name of one file becomes a copy: links between members only trouble those who unpack.
        member.type, member.linkname, member.size = tarfile.REGTYPE, "", os.fstat(file).st_size
        tar.addfile(_plain(member), content)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = _EPOCH
    return member


def extract(archive: str, target: str, wanted: Callable[[], bool]) -> None:
    """Unpack a tar archive below ``target``: nothing leaves the folder, and a bomb does not fill the disk. Raises
    ``DataError``."""
    import lzma
    import tarfile
    import zlib

    from clary.compute.agent.archives import extract_member

    free = os.statvfs(target)
    most = max(1 << 30, os.path.getsize(archive) * EXPANSION)
    room = free.f_bavail * free.f_frsize - RESERVE
    total = members = 0
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                if not wanted():
                    raise Interrupted
                total += member.size
                members += 1
                if members > MOST_MEMBERS or total > most:
                    raise DataError(
                        "The archive unpacks to far more than its own size, which looks like an attack; upload it"
                        " unpacked."
                    )
                if total > room:
                    raise OSError(errno.ENOSPC, "No space left on device")
                extract_member(tar, member, target)
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the archive's
        raise DataError(
            f"The archive cannot be unpacked: {error}. Upload a complete tar.gz file whose members lie below its root."
        ) from error


__all__ = [
    "DataError",
    "Interrupted",
    "Staging",
    "StoreUnreachable",
    "connect",
    "extract",
    "pack",
    "relative",
    "split_uri",
]
