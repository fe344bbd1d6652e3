"""Looking at what a job has left, as one must who does not trust it: by descriptors, never through a link unawares.

The job's code may be running meanwhile, and make a link of what was a folder a moment ago. So every step is made from
an open folder, and follows nothing; a link is read, and then walked as the job itself would see it, as long as it stays
in the job's folders.

Reference: https://man7.org/linux/man-pages/man2/open.2.html
"""

from __future__ import annotations

import errno
import os
import stat

from clary.compute.agent.folder import ML, JobFolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 256
"""Folders within each other that are looked into; S3's keys are too short for names of more."""
MOST = 1_000_000
"""Entries of a folder that are looked at."""
_LINKS = 40
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class TooMuchError(OSError):
    """Folders are nested too deeply, or hold too much, to be looked at."""


def open_beneath(folder: JobFolder, name: str) -> int:
    """A descriptor of the regular file or the folder that the job knows as ``name``, absolute or below ``/opt/ml``;
    links are followed as long as they stay in the job's folders.

    Raises ``PermissionError`` if they do not, or if it is something else, such as a FIFO; ``OSError`` as ``open`` does.
    """
    opened, left = _begin(folder, os.path.normpath(os.path.join(ML, name)))
    links = 0
    try:
        while left:
            part = left.pop()
            if part == "..":
                if len(opened) == 1:
                    raise _refused(name)
                os.close(opened.pop())
                continue
            mode = os.stat(part, dir_fd=opened[-1], follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                links += 1
                if links > _LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
                target = os.readlink(part, dir_fd=opened[-1])
                if target.startswith("/"):
                    again, more = _begin(folder, target)
                    _close(opened)
                    opened, left = again, [*left, *more]
                else:
                    left += _parts(target)
            elif left or stat.S_ISDIR(mode):
                opened.append(os.open(part, _FOLDER, dir_fd=opened[-1]))
            else:
                return open_regular(part, opened[-1])
        return opened.pop()
    finally:
        _close(opened)


def open_folder(folder: JobFolder, name: str) -> int:
    """``open_beneath`` for folders. Raises ``NotADirectoryError`` for a file, too."""
    descriptor = open_beneath(folder, name)
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder", name)
    return descriptor


def open_regular(name: str, folder: int) -> int:
    """A descriptor of the regular file ``name`` in an open folder, for reading.

    Raises ``PermissionError`` for anything else, ``OSError`` as ``open`` does.
    """
    # Opening alone can do something, to a device; and it would wait, for a FIFO's other end.
    if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise _refused(name)
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _refused(name)
    return descriptor


def walk(top: int) -> Iterator[tuple[str, int, str, os.stat_result]]:
    """Everything below the open folder ``top``, folders before what is in them, in order: its name relative to ``top``,
    the open folder that it is in, its name there, and what it is, links not followed.

    The folder is open until the next step. What vanishes meanwhile is left out. Raises ``TooMuchError``.
    """
    opened = [(os.dup(top), "", iter(_names(top)))]
    try:
        while opened:
            folder, prefix, names = opened[-1]
            last = next(names, None)
            if last is None:
                os.close(opened.pop()[0])
                continue
            try:
                status = os.stat(last, dir_fd=folder, follow_symlinks=False)
            except OSError:
                continue
            yield prefix + last, folder, last, status
            if stat.S_ISDIR(status.st_mode):
                if len(opened) > DEEPEST:
                    raise TooMuchError(errno.ENAMETOOLONG, f"folders are nested more than {DEEPEST} deep")
                try:
                    below = _enter(last, folder)
                except OSError:
                    continue
                opened.append((below, f"{prefix}{last}/", iter(_names(below))))
    finally:
        for folder, _, _ in opened:
            os.close(folder)


def allocated(top: int) -> int:
    """Bytes of the disk that everything below the open folder ``top`` takes up. Raises ``TooMuchError``."""
    total, seen = 0, set()
    for _, _, _, status in walk(top):
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            if status.st_ino in seen:
                continue
            seen.add(status.st_ino)
        total += status.st_blocks * 512
    return total


def _names(folder: int) -> list[str]:
    names = []
    with os.scandir(folder) as entries:
        for each in entries:
            names.append(each.name)
            if len(names) > MOST:
                raise TooMuchError(errno.EFBIG, f"a folder has more than {MOST} entries")
    return sorted(names)


def _enter(name: str, folder: int) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except PermissionError:
        if not hasattr(os, "O_PATH"):
            raise
        # Its owner may not read it, as the job has left it; that hides nothing from whoever must know.
        held = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{held}", 0o700)
        finally:
            os.close(held)
        return os.open(name, _FOLDER, dir_fd=folder)


def _begin(folder: JobFolder, path: str) -> tuple[list[int], list[str]]:
    """The folder of the job that ``path`` lies in, opened, and the rest of the way, its first step last."""
    parts = _parts(path)[::-1]
    # Without a sandbox the job knows the folders under their own names.
    for name, place in (*folder.mounts.items(), *((place, place) for place in folder.mounts.values())):
        first = name.strip("/").split("/")
        if parts[: len(first)] == first:
            return [os.open(place, _FOLDER)], parts[len(first) :][::-1]
    raise _refused(path)


def _parts(path: str) -> list[str]:
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _close(opened: list[int]) -> None:
    while opened:
        os.close(opened.pop())


def _refused(name: str) -> PermissionError:
    return PermissionError(errno.EPERM, "it is not a file of the job", name)
