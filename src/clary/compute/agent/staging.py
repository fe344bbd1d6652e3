"""Bring a job's inputs in before it starts, and its outputs out when it ends."""

from __future__ import annotations

import errno
import os
import stat
import time

from clary.compute.agent.beneath import TooMuchError, open_beneath, open_folder, open_regular, walk
from clary.compute.agent.channel import Channel, DataError, relative, split_uri
from clary.compute.agent.folder import JobFolder, first_link
from clary.compute.agent.outgoing import encrypted, refused
from clary.compute.agent.peers import folders_of
from clary.compute.agent.s3 import Credentials, FileChanged, Interrupted, Store, StoreError, StoreUnreachable
from clary.compute.agent.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    import tarfile
    from collections.abc import Callable, Sequence

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
            most = self._folder.spec.limits.disk_bytes
            self._guarded(source.uri, lambda: extract(archive, target, self._wanted, most))
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
        sources = []
        try:
            try:
                sources.append(open_folder(self._folder, output.path))
            except FileNotFoundError:
                pass  # the job has removed it
            except NotADirectoryError as error:
                raise DataError(f"Data upload failed: {output.path} is no folder. Make it one.") from error
            except PermissionError as error:
                problem = f"{output.path} is a link out of the job's folders"
                raise DataError(f"Data upload failed: {problem}. Make it a folder.") from error
            if output.archive:
                sources += folders_of(peers, output.path)
                return self._upload_archive(output, bucket, key, sources)
            prefix = key.rstrip("/") + "/" if key else ""
            return sum(self._upload_files(output, bucket, prefix, source, known) for source in sources)
        except StoreError as error:
            raise refused(self._folder.spec, output.uri, output.key, error) from error
        except TooMuchError as error:
            raise DataError(f"Data upload failed: {output.path} cannot be uploaded: {error.strerror}.") from error
        finally:
            for source in sources:
                os.close(source)

    def _upload_files(
        self, output: Output, bucket: str, prefix: str, source: int, known: dict[str, tuple[int, int]] | None
    ) -> int:
        count = 0
        for name, folder, last, entry in walk(source):
            if stat.S_ISDIR(entry.st_mode):
                continue
            try:
                file = self._open(output, name, folder, last, entry)
            except FileNotFoundError:
                continue  # deleted or renamed since the folder was listed
            except OSError as error:
                self._note(f"{output.path}/{name} is not uploaded: {error.strerror or 'it is not a file of the job'}.")
                continue
            try:
                status = os.fstat(file)
                if stat.S_ISDIR(status.st_mode):
                    continue  # a link to a folder is not followed
                state = (status.st_mtime_ns, status.st_size)
                if known is not None and known.get(name) == state:
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
                    known[name] = state
            finally:
                os.close(file)
        return count

    def _open(self, output: Output, name: str, folder: int, last: str, entry: os.stat_result) -> int:
        if stat.S_ISLNK(entry.st_mode):
            return open_beneath(self._folder, f"{output.path}/{name}")
        return open_regular(last, folder)

    def _upload_archive(self, output: Output, bucket: str, key: str, sources: Sequence[int]) -> int:
        if output.optional and not any(_has_files(source) for source in sources):
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


def _has_files(folder: int) -> bool:
    return any(not stat.S_ISDIR(status.st_mode) for _, _, _, status in walk(folder))


def pack(folders: Sequence[int], archive: str, note: Callable[[str], None]) -> None:
    """Write what is in these open folders as one ``tar.gz`` with names relative to them: the same bytes for the same
    content.

    Of what has the same name in several of them, that of the first is taken. Raises ``TooMuchError``.
    """
    import gzip
    import tarfile

    with (
        open(archive, "wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        packed: set[str] = set()
        for source in folders:
            for name, folder, last, status in walk(source):
                if name in packed:
                    if not stat.S_ISDIR(status.st_mode):
                        note(f"{name} of another host is left out of the archive: there is one already.")
                    continue
                packed.add(name)
                try:
                    _pack_member(tar, name, folder, last, status)
                except FileNotFoundError:
                    continue  # it is gone
                except OSError as error:
                    if error.errno != errno.EPERM:
                        raise
                    note(f"{name} is left out of the archive: it is not a file.")


def _pack_member(tar: tarfile.TarFile, name: str, folder: int, last: str, status: os.stat_result) -> None:
    import tarfile

    member = tarfile.TarInfo(name)
    member.mode, member.mtime = stat.S_IMODE(status.st_mode), _EPOCH
    if stat.S_ISLNK(status.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(last, dir_fd=folder)
        tar.addfile(member)
    elif stat.S_ISDIR(status.st_mode):
        member.type = tarfile.DIRTYPE
        tar.addfile(member)
    else:
        # A second name of one file becomes a copy: links between members only trouble those who unpack.
        with os.fdopen(open_regular(last, folder), "rb") as content:
            member.size = os.fstat(content.fileno()).st_size
            tar.addfile(member, content)


def extract(archive: str, target: str, wanted: Callable[[], bool], most: int | None = None) -> None:
    """Unpack a tar archive below ``target``: nothing leaves the folder, and a bomb fills neither the disk nor memory;
    its members may have ``most`` bytes. Raises ``DataError``."""
    import lzma
    import tarfile
    import zlib

    from clary.compute.agent.archives import Members, extract_member

    disk = os.statvfs(target)
    expanded = max(1 << 30, os.path.getsize(archive) * EXPANSION)
    room = disk.f_bavail * disk.f_frsize - RESERVE
    total = members = 0
    try:
        with Members(archive) as tar:
            for member in tar:
                if not wanted():
                    raise Interrupted
                total += member.size
                members += 1
                if members > MOST_MEMBERS or max(total, tar.position) > expanded:
                    raise DataError(
                        "The archive unpacks to far more than its own size, which looks like an attack; upload it"
                        " unpacked."
                    )
                if most is not None and total > most:
                    raise DataError(
                        f"Data download failed: Insufficient disk space: the archive unpacks to more than the"
                        f" {most >> 20} MiB of the job's volume. Choose a larger VolumeSizeInGB."
                    )
                if total > room:
                    raise OSError(errno.ENOSPC, "No space left on device")
                extract_member(tar.file, member, target)
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
