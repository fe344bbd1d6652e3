"""Backups of a home folder: what is in them, what is refused, and what an interruption leaves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from clary.control.backup.files import BackupError
from clary.control.backup.restore import Wish as Restoring
from clary.control.backup.restore import restore
from clary.control.backup.write import Wish, backup
from clary.core.settings import load
from clary.objects.check import check
from clary.objects.model import Attributes
from clary.objects.store import ObjectStore
from clary.state.database import Database

LARGE = [os.urandom(200_000) for _ in range(12)]


async def body(content: bytes) -> AsyncIterator[bytes]:
    yield content


def quiet(done: int, total: int) -> None:
    assert 0 <= done <= total


async def fill(root: Path) -> None:
    store = ObjectStore(root)
    await store.open()
    try:
        await store.create_bucket("bucket", "123456789012", "us-east-1")
        await store.put("bucket", "small", body(b"a few bytes"), Attributes())
        for number, content in enumerate(LARGE):
            await store.put("bucket", f"large-{number:02}", body(content), Attributes())
    finally:
        await store.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with something of every kind, of an installation that does not run."""
    home = tmp_path / "home"
    load(home, {}).create_folders()
    (home / "settings.toml").write_text('region = "eu-central-1"\n')
    (home / "secrets" / "master.key").write_bytes(b"k" * 32)
    (home / "secrets" / "administrator.json").write_text("{}")
    database = Database(f"sqlite:///{home / 'state' / 'clary.db'}")
    database.prepare()
    database.close()
    asyncio.run(fill(home / "objects"))
    for name, text in {
        "jobs/TrainingJob-1/log": "a line\n",
        "jobs/TrainingJob-1/metrics.jsonl": "{}\n",
        "jobs/TrainingJob-1/ml/input/data": "not kept",
        "jobs/TrainingJob-1/ticket": "not kept",
        "logs/a.log": "put\n",
        "trail/write-1.jsonl": "{}\n",
        "run/port": "not kept",
        "log/edge.log": "not kept",
        "volumes/Server-1/notes.txt": "kept",
    }.items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with closing(sqlite3.connect(home / "volumes" / "Server-1" / "mlflow.db")) as connection, connection:
        connection.execute("CREATE TABLE runs (name TEXT)")
        connection.execute("INSERT INTO runs VALUES ('first')")
    (home / "volumes" / "Server-1" / "link").symlink_to(home / "secrets" / "master.key")
    return home


def make(home: Path, target: Path, **wish: Any) -> dict[str, Any]:
    return backup(load(home, {}), Wish(target, **wish), quiet)


def read(home: Path) -> dict[str, bytes]:
    """All objects of a home."""

    async def objects() -> dict[str, bytes]:
        store, found = ObjectStore(home / "objects"), {}
        await store.open()
        try:
            for item in (await store.list("bucket")).objects:
                reader = await store.get("bucket", item.key)
                found[item.key] = b"".join([piece async for piece in reader.stream()])
        finally:
            await store.close()
        return found

    return asyncio.run(objects())


WANTED = {"small": b"a few bytes", **{f"large-{number:02}": content for number, content in enumerate(LARGE)}}


@pytest.mark.parametrize("name", ["folder", "archive.tar"])
def test_what_is_backed_up_is_restored(home: Path, tmp_path: Path, name: str) -> None:
    told = make(home, tmp_path / name)
    assert (told["blobs"], told["secrets"]) == (12, True) and told["bytes"] > 2_400_000
    again = tmp_path / "deep" / "again"
    told = restore(again, Restoring(tmp_path / name), quiet)
    assert told["home"] == str(again) and told["aside"] == ""
    assert read(again) == WANTED == read(home)
    assert (again / "settings.toml").read_text() == 'region = "eu-central-1"\n'
    assert (again / "secrets" / "master.key").read_bytes() == b"k" * 32
    kept = {str(path.relative_to(again)) for path in again.rglob("*") if path.is_file()}
    kept = {path for path in kept if not path.startswith(("objects/", "state/", "secrets/"))}
    assert kept == {
        "settings.toml",
        "jobs/TrainingJob-1/log",
        "jobs/TrainingJob-1/metrics.jsonl",
        "logs/a.log",
        "trail/write-1.jsonl",
        "volumes/Server-1/notes.txt",
        "volumes/Server-1/mlflow.db",
    }
    assert not (again / "volumes" / "Server-1" / "link").is_symlink()
    with closing(sqlite3.connect(again / "volumes" / "Server-1" / "mlflow.db")) as connection:
        assert connection.execute("SELECT name FROM runs").fetchall() == [("first",)]
    assert Database(f"sqlite:///{again / 'state' / 'clary.db'}").is_prepared()
    assert [path for path in again.rglob("*") if path.stat().st_mode & 0o077] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({"deep", "home", name})


@pytest.mark.parametrize("name", ["folder", "archive.tar"])
def test_nobody_else_can_read_it(home: Path, tmp_path: Path, name: str) -> None:
    before = os.umask(0)
    try:
        make(home, tmp_path / name)
    finally:
        os.umask(before)
    for path in (tmp_path / name, *(tmp_path / name).rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) in ((0o700,) if path.is_dir() else (0o600, 0o400)), path


def test_a_writer_at_work_on_a_volume(home: Path, tmp_path: Path) -> None:
    """A database with a transaction under way is copied as it was before, and what it keeps beside is left out."""
    with closing(sqlite3.connect(home / "volumes" / "Server-1" / "mlflow.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO runs VALUES ('second')")
        connection.execute("BEGIN")
        connection.execute("INSERT INTO runs VALUES ('not yet')")
        make(home, tmp_path / "backup")
        connection.execute("COMMIT")
    assert sorted(path.name for path in (tmp_path / "backup/volumes/Server-1").iterdir()) == ["mlflow.db", "notes.txt"]
    with closing(sqlite3.connect(tmp_path / "backup/volumes/Server-1/mlflow.db")) as connection:
        assert connection.execute("SELECT name FROM runs").fetchall() == [("first",), ("second",)]


def test_objects_that_go_while_they_are_copied_are_in_the_backup(home: Path, tmp_path: Path) -> None:
    """The store removes no file before the backup is done, also if it is opened again; then it does."""

    async def empty() -> None:
        store = ObjectStore(home / "objects")
        await store.open()
        try:
            await asyncio.get_running_loop().run_in_executor(None, store.wait_until_swept)
            for key in [item.key for item in (await store.list("bucket")).objects]:
                await store.delete("bucket", key)
        finally:
            await store.close()

    def files() -> int:
        return sum(path.is_file() for path in (home / "objects" / "blobs").rglob("*"))

    turns = 0

    def delete(done: int, total: int) -> None:
        nonlocal turns
        turns += 1
        if turns in (1, 2):
            asyncio.run(empty())
            assert files() == 12

    backup(load(home, {}), Wish(tmp_path / "backup"), delete)
    assert turns > 2
    restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    assert read(tmp_path / "again") == WANTED
    asyncio.run(empty())
    assert files() == 0 and read(home) == {}


def test_two_backups_at_once(home: Path, tmp_path: Path) -> None:
    def second(done: int, total: int) -> None:
        with pytest.raises(BackupError, match=r"another backup of .* is being made"):
            make(home, tmp_path / "second")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clary.objects.hold._PATIENCE", 0.01)
        backup(load(home, {}), Wish(tmp_path / "first"), second)
    assert not (tmp_path / "second").exists()


def test_without_secrets(home: Path, tmp_path: Path) -> None:
    make(home, tmp_path / "backup", secrets=False)
    assert not (tmp_path / "backup" / "secrets").exists()
    assert b"k" * 32 not in b"".join(path.read_bytes() for path in (tmp_path / "backup").rglob("*") if path.is_file())
    with pytest.raises(BackupError, match="made without secrets: name the file of its master key with --master-key"):
        restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    key = tmp_path / "key"
    for content, why in ((b"k" * 31, "does not hold a master key"), (b"x" * 32, "is not the master key of the")):
        key.write_bytes(content)
        with pytest.raises(BackupError, match=why):
            restore(tmp_path / "again", Restoring(tmp_path / "backup", master_key=key), quiet)
    key.write_bytes(b"k" * 32)
    restore(tmp_path / "again", Restoring(tmp_path / "backup", master_key=key), quiet)
    assert (tmp_path / "again" / "secrets" / "master.key").read_bytes() == b"k" * 32


def test_a_master_key_that_lies_elsewhere_is_not_in_it(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.key"
    (home / "secrets" / "master.key").rename(elsewhere)
    elsewhere.chmod(0o600)
    (home / "settings.toml").write_text(f'master_key = "{elsewhere}"\n')
    assert make(home, tmp_path / "backup")["masterKeyFile"] == str(elsewhere)
    restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    elsewhere.write_bytes(b"x" * 32)
    with pytest.raises(BackupError, match="is not the master key"):
        restore(tmp_path / "other", Restoring(tmp_path / "backup"), quiet)
    elsewhere.unlink()
    restore(tmp_path / "other", Restoring(tmp_path / "backup"), quiet)


@pytest.mark.parametrize("how", ["link", "since"])
def test_shared_blobs(home: Path, tmp_path: Path, how: str) -> None:
    make(home, tmp_path / "first")
    make(home, tmp_path / "second", **({"link": True} if how == "link" else {"since": tmp_path / "first"}))
    shared = [path for path in (tmp_path / "second" / "objects" / "blobs").rglob("*") if path.is_file()]
    other = home if how == "link" else tmp_path / "first"
    assert len(shared) == 12
    assert all(path.samefile(other / path.relative_to(tmp_path / "second")) for path in shared)
    # An installation that is restored shares nothing with its backup.
    restore(tmp_path / "again", Restoring(tmp_path / "second"), quiet)
    assert all(path.stat().st_nlink == 1 for path in (tmp_path / "again").rglob("*") if path.is_file())
    assert read(tmp_path / "again") == WANTED


def test_wrong_targets(home: Path, tmp_path: Path) -> None:
    make(home, tmp_path / "there")
    (tmp_path / "file.tar").write_text("mine")
    (tmp_path / "part.tar.part").write_text("mine")
    (tmp_path / "empty").mkdir()
    for wish, why in (
        (Wish(tmp_path / "there"), "there exists; a backup overwrites nothing"),
        (Wish(tmp_path / "file.tar"), "exists; a backup overwrites nothing"),
        (Wish(tmp_path / "empty"), "is an interrupted backup, or none at all"),
        (Wish(tmp_path / "part.tar"), "is left of a backup that was interrupted"),
        (Wish(tmp_path / "nowhere" / "backup"), "there is no folder"),
        (Wish(tmp_path / "file.tar" / "backup"), "there is no folder"),
        (Wish(home / "backup"), "would be lost with it"),
        (Wish(tmp_path / "a.tar", link=True), "an archive shares no files"),
        (Wish(tmp_path / "b", since=tmp_path / "empty"), "is not a backup in a folder"),
    ):
        with pytest.raises(BackupError, match=why):
            backup(load(home, {}), wish, quiet)
    with pytest.raises(BackupError, match="there is no Clary in"):
        make(tmp_path / "nothing", tmp_path / "backup")
    assert (tmp_path / "file.tar").read_text() == "mine"
    assert not (tmp_path / "b").exists() and not (tmp_path / "a.tar").exists()


@pytest.mark.parametrize("name", ["folder", "archive.tar"])
def test_a_disk_that_is_too_small(home: Path, tmp_path: Path, name: str) -> None:
    blob = next(path for path in (home / "objects" / "blobs").rglob("*") if path.is_file())
    blob.chmod(0o600)
    os.truncate(blob, 1 << 43)
    with pytest.raises(BackupError, match=r"the backup needs 8,796,[0-9]+,?[0-9]* MB, and .* has .* MB left"):
        make(home, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


@pytest.mark.parametrize("name", ["folder", "archive.tar"])
def test_a_blob_that_is_lost_is_named(home: Path, tmp_path: Path, name: str) -> None:
    next(path for path in (home / "objects" / "blobs").rglob("*") if path.is_file()).unlink()
    with pytest.raises(BackupError, match="the store has lost the file objects/blobs/"):
        make(home, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def die_halfway(work: Callable[[Callable[[int, int], None]], object]) -> None:
    """Do it in a process of its own that is killed in the middle."""

    def progress(done: int, total: int) -> None:
        if done > total / 2:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        work(progress)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("name", ["folder", "archive.tar"])
def test_a_backup_that_was_killed_is_none(home: Path, tmp_path: Path, name: str) -> None:
    die_halfway(lambda progress: backup(load(home, {}), Wish(tmp_path / name), progress))
    left = tmp_path / name if name == "folder" else tmp_path / f"{name}.part"
    assert left.exists() and (name == "folder" or not (tmp_path / name).exists())
    with pytest.raises(BackupError, match=r"interrupted|cut off"):
        restore(tmp_path / "again", Restoring(left), quiet)
    assert not (tmp_path / "again").exists()
    with pytest.raises(BackupError, match="interrupted"):
        make(home, tmp_path / name)
    make(home, tmp_path / "another")  # the lock of the one that was killed is free
    assert read(home) == WANTED


@pytest.mark.parametrize("name", ["folder", "archive.tar"])
def test_what_is_stopped_in_order_leaves_nothing(home: Path, tmp_path: Path, name: str) -> None:
    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(load(home, {}), Wish(tmp_path / name), stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    make(home, tmp_path / name)
    with pytest.raises(KeyboardInterrupt):
        restore(tmp_path / "again", Restoring(tmp_path / name), stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "home"])


def test_a_restore_that_was_killed_has_touched_nothing(home: Path, tmp_path: Path) -> None:
    make(home, tmp_path / "backup")
    target = tmp_path / "again"
    die_halfway(lambda progress: restore(target, Restoring(tmp_path / "backup"), progress))
    assert not target.exists()
    with pytest.raises(BackupError, match=r"\.again\.restoring is left of a restore that was interrupted"):
        restore(target, Restoring(tmp_path / "backup"), quiet)


def flip(path: Path) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("state/clary.db", "damaged: state/clary.db is not what was written there"),
        ("objects/index.db", "damaged: objects/index.db is not"),
        ("jobs/*/log", "damaged: jobs/TrainingJob-1/log is not"),
        ("objects/blobs/*/*", "is damaged: s3://bucket/large-00: its bytes have changed"),
    ],
)
def test_damage_is_found_and_named(home: Path, tmp_path: Path, pattern: str, why: str) -> None:
    make(home, tmp_path / "backup")
    file = sorted((tmp_path / "backup").glob(pattern))[0]
    flip(file)
    with pytest.raises(BackupError, match=why):
        restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    file.unlink()
    with pytest.raises(BackupError, match=f"is damaged: {file.relative_to(tmp_path / 'backup')} is missing"):
        restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "home"]


@pytest.mark.parametrize("length", [100, 50_000, 2_000_000])
def test_an_archive_that_was_cut_off(home: Path, tmp_path: Path, length: int) -> None:
    make(home, tmp_path / "backup.tar")
    os.truncate(tmp_path / "backup.tar", length)
    with pytest.raises(BackupError, match=r"cut off|interrupted"):
        restore(tmp_path / "again", Restoring(tmp_path / "backup.tar"), quiet)


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def edited(text: bytes) -> bytes:
        document = json.loads(text)
        change(document)
        return json.dumps(document).encode()

    return edited


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(lambda _: b"", "is not a backup of Clary", id="empty"),
        pytest.param(lambda _: b"[]", "is not a backup of Clary", id="list"),
        pytest.param(lambda _: b"\xff\xfe", "is not a backup of Clary", id="bytes"),
        pytest.param(edit(lambda it: it.pop("files")), "is damaged: its manifest.json lacks 'files'", id="lacking"),
        pytest.param(edit(lambda it: it.update(files=[1])), "is damaged", id="wrong type"),
        pytest.param(edit(lambda it: it.update(format=2)), "is newer than this one", id="format"),
        pytest.param(edit(lambda it: it.update(revision="9999")), "is newer than this one", id="revision"),
        pytest.param(edit(lambda it: it.update(layout=99)), "is newer than this one", id="layout"),
        pytest.param(
            edit(lambda it: it["files"].update({"../../evil": {"size": 1, "sha256": ""}})), "no file of", id="path"
        ),
        pytest.param(
            edit(lambda it: it["files"].update({"/etc/evil": {"size": 1, "sha256": ""}})), "no file of", id="absolute"
        ),
        pytest.param(edit(lambda it: it.update(database="postgresql")), "names one of sqlite", id="database"),
    ],
)
def test_manifests_that_are_refused(home: Path, tmp_path: Path, change: Callable[[bytes], bytes], why: str) -> None:
    make(home, tmp_path / "backup")
    file = tmp_path / "backup" / "manifest.json"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(BackupError, match=why):
        restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    assert not (tmp_path / "again").exists()


def test_links_in_a_backup_are_not_followed(home: Path, tmp_path: Path) -> None:
    make(home, tmp_path / "backup")
    log = tmp_path / "backup" / "jobs" / "TrainingJob-1" / "log"
    log.unlink()
    log.symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic links"):
        restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        archive.add(tmp_path / "backup", ".", filter=lambda member: _renamed(member))
    with pytest.raises(BackupError, match="jobs/TrainingJob-1/log is missing"):
        restore(tmp_path / "again", Restoring(tmp_path / "links.tar"), quiet)


def _renamed(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.name = member.name.removeprefix("./")
    return member


def test_homes_that_are_in_the_way(home: Path, tmp_path: Path) -> None:
    make(home, tmp_path / "backup")
    wish = Restoring(tmp_path / "backup")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BackupError, match="is not a folder"):
        restore(tmp_path / "file", wish, quiet)
    with pytest.raises(BackupError, match="is not empty; --replace moves what is there aside"):
        restore(home, wish, quiet)
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "empty", wish, quiet)
    (home / "state" / "clary.db").write_bytes(b"broken")
    told = restore(home, Restoring(tmp_path / "backup", replace=True), quiet)
    assert (Path(told["aside"]) / "state" / "clary.db").read_bytes() == b"broken"
    assert (Path(told["aside"]) / "jobs" / "TrainingJob-1" / "ticket").exists()
    assert read(home) == WANTED


def test_sources_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("nothing of the kind")
    for name in ("empty", "text"):
        with pytest.raises(BackupError, match="not a backup of Clary"):
            restore(tmp_path / "again", Restoring(tmp_path / name), quiet)
    with pytest.raises(FileNotFoundError):
        restore(tmp_path / "again", Restoring(tmp_path / "nothing"), quiet)


def test_an_index_of_an_older_layout(home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home / "objects" / "index.db")) as connection:
        connection.executescript(
            "ALTER TABLE blobs DROP COLUMN digest; ALTER TABLE blobs DROP COLUMN envelope; DROP TABLE notices; "
            "PRAGMA user_version = 1"
        )
    make(home, tmp_path / "backup")
    restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    (*_, sums) = check(tmp_path / "again" / "objects")
    assert (sums["blobs"], sums["damaged"]) == (13, 0)


def test_a_database_in_another_place(home: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere" / "state.db"
    place.parent.mkdir()
    (home / "state" / "clary.db").rename(place)
    (home / "settings.toml").write_text(f'database = "sqlite:///{place}"\n')
    make(home, tmp_path / "backup")
    with pytest.raises(BackupError, match=r"the setting database names .* which is there already"):
        restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    place.unlink()
    restore(tmp_path / "again", Restoring(tmp_path / "backup"), quiet)
    assert Database(f"sqlite:///{place}").is_prepared()


@pytest.fixture
def command(home: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-P", "-m", "clary.cli", *words]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("CLARY_")}
        return subprocess.run(line, capture_output=True, text=True, check=False, env=environ)

    yield run


def test_the_commands(home: Path, tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    target = str(tmp_path / "b.tar")
    done = command("backup", target, "--home", str(home))
    assert done.returncode == 0 and done.stderr == "" and f"in {target}: " in done.stdout
    again = command("backup", target, "--home", str(home))
    assert again.returncode == 1 and again.stderr.startswith(f"clary: {target} exists; a backup overwrites nothing")
    bare = command("backup", str(tmp_path / "bare"), "--without-secrets", "--home", str(home))
    assert "It holds no secrets" in bare.stdout
    done = command("restore", target, "--home", str(tmp_path / "again"), "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["blobs"] == 12
    missing = command("restore", str(tmp_path / "nothing"), "--home", str(tmp_path / "other"))
    assert missing.returncode == 1 and "No such file or directory" in missing.stderr
    assert "Traceback" not in missing.stderr
