"""PostgreSQL's own programs, which write a database to a file and read it back."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy.engine import make_url

from clary.control.backup.files import BackupError

_PLACES = "usr/lib/postgresql/*/bin"
"""Where Debian puts the programs of each version; those in the path are wrappers or not there."""
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
    "options": "PGOPTIONS",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
"""https://www.postgresql.org/docs/current/libpq-envars.html"""


def dump(url: str, snapshot: str, file: Path) -> None:
    """Write the database as ``snapshot`` shows it to ``file``. Raises ``BackupError``."""
    _run("pg_dump", url, "--format=custom", f"--snapshot={snapshot}", "--no-owner", "--no-privileges", f"--file={file}")


def load(url: str, file: Path) -> None:
    """Read a database from ``file``, wholly or not at all. Raises ``BackupError``."""
    name = make_url(url).database or ""
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={name}")
    _run("pg_restore", url, *options, str(file))


def check_program(name: str) -> str:
    """The path of one of the programs. Raises ``BackupError`` if it is not there."""
    # The newest: one that is older than its server refuses to work.
    places = sorted(Path("/").glob(f"{_PLACES}/{name}"), key=lambda each: float(each.parents[1].name))
    found = str(places[-1]) if places else shutil.which(name)
    if found is None:
        raise BackupError(
            f"the state is in PostgreSQL, and {name} is not installed here: apt install postgresql-client"
        )
    return found


def _run(program: str, url: str, *arguments: str) -> None:
    command = [check_program(program), *arguments]
    done = subprocess.run(command, env=_environment(url), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BackupError(f"{program} fails: {done.stderr.strip()[-500:]}")


def _environment(url: str) -> dict[str, str]:
    """How the programs reach the database: in the environment, since everybody sees the arguments of a process."""
    parts = make_url(url)
    known = {"host": parts.host, "port": parts.port, **parts.query}
    unknown = known.keys() - _VARIABLES.keys()
    if unknown:
        raise BackupError(f"PostgreSQL's programs cannot be told {', '.join(sorted(unknown))} of the database's URL")
    values = {_VARIABLES[name]: str(value) for name, value in known.items() if value is not None}
    named = {"PGUSER": parts.username, "PGPASSWORD": parts.password, "PGDATABASE": parts.database}
    return {**os.environ, **values, **{name: str(value) for name, value in named.items() if value is not None}}
