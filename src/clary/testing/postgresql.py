"""A PostgreSQL server of one's own, for tests: in a folder, reached by a Unix socket, gone at the end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import URL, create_engine, text

_PLACES = "/usr/lib/postgresql/*/bin"
"""Where Debian puts the programs, which are not in the path."""
_QUICK = ("fsync=off", "listen_addresses=", "max_connections=200")
"""A server that nobody relies on after a power cut, and that no other machine finds."""


class PostgreSQL:
    """A running server. As root it runs as the user ``postgres``, since it refuses to run as root."""

    def __init__(self) -> None:
        """Make and start it. Raises ``FileNotFoundError`` where PostgreSQL is not installed."""
        self._folder = Path(tempfile.mkdtemp(prefix="clary-pg-"))
        self._as: Sequence[str] = ()
        if os.geteuid() == 0:
            self._as = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        programs = programs_folder()
        data = self._folder / "data"
        self._run([programs / "initdb", "--pgdata", data, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"])
        self._command = [*self._as, str(programs / "postgres"), "-D", str(data), "-k", str(self._folder)]
        self._command += [word for setting in _QUICK for word in ("-c", setting)]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._run([programs_folder() / "pg_isready", "--quiet", "--host", self._folder, "--timeout=60"], tries=2000)

    def kill(self) -> None:
        """End it at once, as when its machine is lost."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        self._process = None

    def url(self, database: str) -> str:
        """What the setting ``database`` needs to be for that database."""
        where = URL.create("postgresql+psycopg", _user(), database=database, query={"host": str(self._folder)})
        return where.render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Run a statement outside of any transaction, in the database ``postgres``."""
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    @contextlib.contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The URL of a new database, which is dropped at the end of the block."""
        name = f"clary_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """End it and delete its folder."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder)

    def _run(self, command: Sequence[str | Path], tries: int = 1) -> None:
        for left in reversed(range(tries)):
            done = subprocess.run([*self._as, *map(str, command)], cwd="/", capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            ended = self._process is not None and self._process.poll() is not None if tries > 1 else False
            if not left or ended:
                log = self._folder / "log"
                raise RuntimeError(f"{command[0]}: {done.stderr}{log.read_text() if log.exists() else ''}")


def programs_folder() -> Path:
    """Where PostgreSQL's programs are. Raises ``FileNotFoundError``."""
    if (found := shutil.which("postgres")) is not None:
        return Path(found).resolve().parent
    places = sorted(Path("/").glob(_PLACES.lstrip("/")), key=lambda each: float(each.parent.name))
    if not places:
        raise FileNotFoundError("PostgreSQL is not installed: sudo apt-get install postgresql")
    return places[-1]


def _user() -> str:
    return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
