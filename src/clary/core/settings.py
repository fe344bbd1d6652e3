"""The settings of one installation, and the folders that belong to it.

A setting comes from the environment (``CLARY_PORT``), else from ``settings.toml`` in the home folder, else from its
default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DEFAULT_PORT = 7788
MOST_CONTROL_PROCESSES = 16


class SettingsError(ValueError):
    """A setting is unknown or has a value that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """Where an installation lives and how it behaves; every path is absolute."""

    home: Path
    cache: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    account: str = "123456789012"
    region: str = "us-east-1"
    database: str = ""
    """URL of the database; empty means SQLite in the home folder."""
    control_processes: int = 1
    """How many control processes share the work; more than one needs PostgreSQL."""
    master_key: str = ""
    """The file that holds the installation's master key, 32 bytes that only this user may read; empty means
    ``secrets/master.key``, which is made at the first start. One outside of the home folder keeps a copy of that folder
    from being enough to read what is encrypted in it."""
    isolation: str = "auto"
    """How job processes are held: ``bubblewrap``, ``plain``, or ``auto`` (the strongest that works here)."""
    job_network: str = "private"
    """What a job in a sandbox that is not isolated from the network reaches: ``private``, a network of its own with the
    platform and, through slirp4netns, other machines; or ``host``, whatever this machine reaches, its loopback
    addresses too."""
    strict: bool = False
    """Refuse what would otherwise be approximated and said in the log: framework versions, GPU instance types."""
    max_jobs: int = 0
    """How many jobs may run at once; 0 means twice the number of cores."""
    memory_mb: int = 0
    """Memory in MiB that running jobs may ask for together; 0 means all of the machine's."""
    keep_jobs_days: int = 0
    """For how many days jobs that have ended are kept, with their logs and what tells of them; 0 means for ever."""
    quotas: Mapping[str, int] = field(default_factory=dict)
    """The most instances that the jobs of an account have in a region, by AWS's names for these quotas: ``ml.g5.xlarge
    for training job usage``, ``Number of instances across all processing jobs``."""
    hosts: str = ""
    """Further host names, separated by commas, under which clients reach this installation."""
    public_url: str = ""
    """Where browsers reach this installation, if that is not the address it listens on: ``https://ml.example.com/clary``
    behind a proxy, which takes away the path."""
    content_host: str = ""
    """The domain under whose sub-domains browsers see what users bring, pages of MLflow for example; on loopback
    ``localhost`` where it is not set."""
    objects_url: str = ""
    """An S3 server that keeps all objects in place of this installation's own store: ``https://s3.example.com``."""
    objects_region: str = "us-east-1"
    """The region that requests to that server are signed for."""
    objects_profile: str = ""
    """The AWS profile with that server's keys, where they are neither in ``secrets/objects.json`` nor in the
    environment."""
    audit_days: int = 90
    """For how many days the records of calls are kept."""
    audit_mb: int = 256
    """MiB that each of the three kinds of records may take: of calls that change something, that only look, and that
    move data. The oldest make room for new ones."""
    audit_data: bool = True
    """Whether calls that move data are recorded: objects of S3, invocations of endpoints, messages, metrics."""
    otlp_endpoint: str = ""
    """The address of an OpenTelemetry collector that gets traces, ``http://127.0.0.1:4318``; empty means
    ``OTEL_EXPORTER_OTLP_ENDPOINT``, and no traces where that is not set either."""
    test_mode: bool = False
    """Seed the well-known keys of public test suites; only on loopback."""

    def __post_init__(self) -> None:
        if not (self.account.isascii() and self.account.isdigit() and len(self.account) == 12):
            raise SettingsError(f"account must have 12 digits, got {self.account!r}")
        if self.isolation not in ("auto", "bubblewrap", "plain"):
            raise SettingsError(f"isolation must be auto, bubblewrap or plain, got {self.isolation!r}")
        if self.job_network not in ("private", "host"):
            raise SettingsError(f"job_network must be private or host, got {self.job_network!r}")
        if not 1 <= self.control_processes <= MOST_CONTROL_PROCESSES:
            raise SettingsError(
                f"control_processes must lie in 1..{MOST_CONTROL_PROCESSES}, got {self.control_processes}"
            )
        if self.control_processes > 1 and self.database_url.startswith("sqlite:"):
            raise SettingsError("control_processes above 1 need a PostgreSQL database; set database to its URL")
        _check_quotas(self.quotas)
        if self.keep_jobs_days < 0:
            raise SettingsError(f"keep_jobs_days must not be negative, got {self.keep_jobs_days}")
        if self.public_url and not self.public_url.startswith(("http://", "https://")):
            raise SettingsError(f"public_url must begin with http:// or https://, got {self.public_url!r}")
        if self.objects_url:
            _check_objects_url(self.objects_url)
        if self.master_key and self.master_key_file.is_relative_to(self.home):
            raise SettingsError(f"master_key must lie outside of the home folder, got {self.master_key!r}")
        if self.otlp_endpoint and not self.otlp_endpoint.startswith(("http://", "https://")):
            raise SettingsError("otlp_endpoint must begin with http:// or https://")
        if not 1 <= self.audit_days <= 3653:
            raise SettingsError(f"audit_days must lie in 1..3653, got {self.audit_days}")
        if self.audit_mb < 4:
            raise SettingsError(f"audit_mb must be at least 4, got {self.audit_mb}")
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"port must lie in 0..65535, got {self.port}")
        if self.test_mode and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise SettingsError("test mode is for loopback addresses only")

    @property
    def url(self) -> str:
        """The address that clients use, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def host_names(self) -> tuple[str, ...]:
        """The names in ``hosts`` and those in ``public_url`` and ``content_host``, in lower case."""
        names = (*self.hosts.split(","), urlsplit(self.public_url).hostname or "", self.content_host)
        return tuple(name.strip().lower() for name in names if name.strip())

    @property
    def content_host_name(self) -> str:
        """``content_host`` or what stands for it, in lower case; empty where there is none."""
        public = urlsplit(self.public_url or self.url).hostname or ""
        default = "localhost" if public in ("localhost", "127.0.0.1", "::1") else ""
        return self.content_host.strip().lower() or default

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def master_key_file(self) -> Path:
        """``master_key`` or what stands for it."""
        return Path(self.master_key).expanduser().absolute() if self.master_key else self.secrets / "master.key"

    @property
    def objects(self) -> Path:
        return self.home / "objects"

    @property
    def jobs(self) -> Path:
        return self.home / "jobs"

    @property
    def trail(self) -> Path:
        """The records of all calls."""
        return self.home / "trail"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def control_names(self) -> tuple[str, ...]:
        """The names of the control processes: ``control``, ``control-2`` …"""
        return ("control", *(f"control-{number}" for number in range(2, self.control_processes + 1)))

    def control_socket(self, name: str) -> Path:
        """Where the control process of that name answers the edge."""
        return self.run / f"{name}.sock"

    def wake_socket(self, name: str) -> Path:
        """Where it hears that something happened."""
        return self.run / f"{name.replace('control', 'wake')}.sock"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home / 'state' / 'clary.db'}"

    def create_folders(self) -> None:
        """Make the home folder and those below it, readable by this user alone."""
        state = self.home / "state"
        for folder in (self.home, self.secrets, state, self.objects, self.jobs, self.trail, self.run, self.log):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)


_USES = "(training|spot training|processing|transform)"
_QUOTA = re.compile(rf"ml\.[a-z0-9.-]+ for {_USES} job usage|Number of instances across all {_USES} jobs")


def _check_quotas(quotas: Mapping[str, int]) -> None:
    for name, most in quotas.items():
        if not _QUOTA.fullmatch(name):
            raise SettingsError(
                f"there is no quota {name!r}; one is called as 'ml.g5.xlarge for training job usage' or "
                "'Number of instances across all training jobs'"
            )
        if not isinstance(most, int) or isinstance(most, bool) or most < 0:
            raise SettingsError(f"the quota {name!r} must be a whole number, got {most!r}")


def _check_objects_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named:
        raise SettingsError(
            "objects_url must be the address of a server, as https://s3.example.com or http://10.0.0.5:9000"
        )
    if parts.username or parts.password:
        # It is shown and logged; and so it is not repeated here.
        raise SettingsError("objects_url must not have keys in it; they belong into secrets/objects.json")
    if parts.query or parts.fragment or parts.path.strip("/"):
        raise SettingsError(f"objects_url must have no path and no query, got {url!r}")


def load(home: Path | str | None = None, environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """The settings of the installation in ``home`` (``$CLARY_HOME``, else ``~/.clary``).

    ``overrides`` win over the environment and the file; those that are ``None`` do not count. Raises ``SettingsError``.
    """
    folder = Path(home or environ.get("CLARY_HOME") or Path.home() / ".clary").expanduser().absolute()
    cache = Path(environ.get("CLARY_CACHE") or Path.home() / ".cache" / "clary").expanduser().absolute()
    values: dict[str, Any] = {"cache": cache}
    if (collector := environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")).startswith(("http://", "https://")):
        # It is not ours alone, and so it keeps nobody from starting whatever else it says.
        values["otlp_endpoint"] = collector
    file = folder / "settings.toml"
    if file.exists():
        try:
            values.update(tomllib.loads(file.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: {error}") from error
    known = {each.name for each in fields(Settings)}
    for name in known - {"home", "cache"}:
        if (text := environ.get(f"CLARY_{name.upper()}")) is not None:
            values[name] = text
    values.update({name: value for name, value in overrides.items() if value is not None})
    if unknown := set(values) - known:
        raise SettingsError(f"unknown setting: {', '.join(sorted(unknown))}")
    return Settings(home=folder, **{name: _typed(name, value) for name, value in values.items() if name != "home"})


_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


def _typed(name: str, value: Any) -> Any:
    kind = {each.name: each.type for each in fields(Settings)}[name]
    if kind == "Mapping[str, int]":
        return _table(name, value)
    if kind == "int":
        try:
            return int(value)
        except (TypeError, ValueError):
            raise SettingsError(f"{name} must be a whole number, got {value!r}") from None
    if kind == "bool" and not isinstance(value, bool):
        if str(value).lower() not in _TRUE + _FALSE:
            raise SettingsError(f"{name} must be true or false, got {value!r}")
        return str(value).lower() in _TRUE
    if kind == "Path":
        return Path(value).expanduser().absolute()
    return value if kind == "bool" else str(value)


def _table(name: str, value: Any) -> Mapping[str, Any]:
    """A table of the file, or the text of one in the environment."""
    try:
        table = tomllib.loads(f"table = {value}")["table"] if isinstance(value, str) else value
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name} must be a table such as {{ 'a' = 1 }}: {error}") from error
    if not isinstance(table, Mapping):
        raise SettingsError(f"{name} must be a table, got {value!r}")
    return table
