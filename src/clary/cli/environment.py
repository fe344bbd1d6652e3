"""What AWS clients need to reach an installation: environment variables, or a profile in the AWS configuration file."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from clary.cli import sts_plugin
from clary.cli.installation import EXECUTION_ROLE, Installation
from clary.cli.mistakes import Mistake

PLUGIN = "clary_sts"
_PLUGINS = "BOTOCORE_EXPERIMENTAL__PLUGINS"
_LOCAL = ("127.0.0.1", "localhost")

CONFLICTING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ENDPOINT_URL_STS")
"""Variables of another account or session that would mix with ours."""
MLFLOW_ENDPOINT = "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT"
"""Where AWS's plugin of MLflow finds tracking servers."""
OURS = (
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    MLFLOW_ENDPOINT,
)


def credentials_and_endpoint(installation: Installation, session: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that every AWS client reads; ``session`` holds temporary credentials for the administrator's."""
    administrator = installation.administrator
    values = {
        "AWS_ENDPOINT_URL": installation.require().url,
        "AWS_ACCESS_KEY_ID": administrator.access_key,
        "AWS_SECRET_ACCESS_KEY": administrator.secret_key,
        "AWS_DEFAULT_REGION": installation.settings.region,
        "AWS_REGION": installation.settings.region,
        MLFLOW_ENDPOINT: installation.require().url,
    }
    if session is not None:
        values["AWS_ACCESS_KEY_ID"] = session["AccessKeyId"]
        values["AWS_SECRET_ACCESS_KEY"] = session["SecretAccessKey"]
        values["AWS_SESSION_TOKEN"] = session["SessionToken"]
    return values


def plugin(installation: Installation, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that let botocore load the STS plugin, beside what ``environ`` has; writes the plugin's folder."""
    folder = installation.home / "plugin"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"{PLUGIN}.py"
    source = Path(sts_plugin.__file__)
    if not file.exists() or file.read_bytes() != source.read_bytes():
        draft = file.with_suffix(".draft")
        shutil.copyfile(source, draft)
        draft.replace(file)
    others = [each for each in environ.get(_PLUGINS, "").split(",") if each and not each.startswith(f"{PLUGIN}=")]
    paths = [each for each in environ.get("PYTHONPATH", "").split(os.pathsep) if each and each != str(folder)]
    return {
        _PLUGINS: ",".join([*others, f"{PLUGIN}={PLUGIN}"]),
        "PYTHONPATH": os.pathsep.join([str(folder), *paths]),
    } | _past_the_proxy(environ)


def _past_the_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """``NO_PROXY`` with this machine in it, where a proxy is set that would get our requests."""
    if not any(environ.get(name) for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")):
        return {}
    names = [name for name in ("no_proxy", "NO_PROXY") if environ.get(name)] or ["NO_PROXY"]
    values = {}
    for name in names:
        hosts = [host.strip() for host in environ.get(name, "").split(",") if host.strip()]
        if "*" not in hosts and (missing := [host for host in _LOCAL if host not in hosts]):
            values[name] = ",".join([*hosts, *missing])
    return values


def for_subprocess(installation: Installation, session: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of this process, changed so that AWS clients in a subprocess reach the installation."""
    rest = {name: value for name, value in os.environ.items() if name not in CONFLICTING}
    return rest | plugin(installation) | credentials_and_endpoint(installation, session)


def shell_lines(values: Mapping[str, str], unset: tuple[str, ...] = CONFLICTING) -> str:
    """Lines for ``eval`` in a POSIX shell."""
    present = [name for name in unset if name in os.environ and name not in values]
    lines = [f"unset {name}" for name in present]
    return "\n".join([*lines, *(f"export {name}={shlex.quote(value)}" for name, value in values.items())])


def unset_lines(installation: Installation) -> str:
    """Lines for ``eval`` that take back what ``clary env`` set, as far as it still stands."""
    folder = str(installation.home / "plugin")
    lines = [f"unset {name}" for name in (*OURS, "AWS_SESSION_TOKEN", "AWS_PROFILE")]
    rest = {
        _PLUGINS: (",", [x for x in os.environ.get(_PLUGINS, "").split(",") if x and not x.startswith(f"{PLUGIN}=")]),
        "PYTHONPATH": (
            os.pathsep,
            [x for x in os.environ.get("PYTHONPATH", "").split(os.pathsep) if x and x != folder],
        ),
    }
    for name, (separator, parts) in rest.items():
        lines.append(f"export {name}={shlex.quote(separator.join(parts))}" if parts else f"unset {name}")
    return "\n".join(lines)


# -- the profile -------------------------------------------------------------------------------------------------------

_MARK = "# Written by `clary env --write-profile`; it is replaced when that is run again."


def write_profile(installation: Installation, name: str, role: str = EXECUTION_ROLE) -> Path:
    """Put a profile into the AWS configuration file that reaches the installation as ``role``; gives the file.

    Everything else in the file stays as it is. Raises ``Mistake`` if another profile of that name is there.
    Reference: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
    """
    if not re.fullmatch(r"[A-Za-z0-9_.@+-]+", name):
        raise Mistake(f"not a name for a profile: {name!r} (letters, digits and _.@+- only)", 2)
    running = installation.require()
    command = [sys.executable, "-P", "-m", "clary.cli", "credentials", "--role", role, "--home", str(installation.home)]
    section = [
        "[default]" if name == "default" else f"[profile {name}]",
        _MARK,
        f"region = {installation.settings.region}",
        f"endpoint_url = {running.url}",
        f"credential_process = {shlex.join(command)}",
    ]
    # A link (dotfiles in a repository) stays one: what it points at is replaced.
    file = Path(os.environ.get("AWS_CONFIG_FILE") or Path.home() / ".aws" / "config").expanduser().resolve()
    try:
        text = file.read_text("utf-8") if file.exists() else ""
        _replace(file, _with_section(text, name, section, file))
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake(f"cannot write {file}: {error}") from error
    return file


def _with_section(text: str, name: str, section: list[str], file: Path) -> str:
    """``text`` with our section in the place of our older one, or at its end."""
    lines = text.splitlines()
    header = re.compile(r"\s*\[(.*)\]\s*([#;].*)?")
    heads = [(i, found.group(1).strip()) for i, line in enumerate(lines) if (found := header.fullmatch(line))]
    wanted = "default" if name == "default" else f"profile {name}"
    mine = [i for i, title in heads if " ".join(title.replace('"', "").replace("'", "").split()) == wanted]
    if not mine:
        gap = [""] if lines and lines[-1].strip() else []
        return "\n".join([*lines, *gap, *section]) + "\n"
    start = mine[0]
    if start + 1 >= len(lines) or lines[start + 1] != _MARK:
        raise Mistake(f"{file} has a profile {name!r} that Clary did not write; choose another name or remove that one")
    ours = re.compile(rf"(region|endpoint_url|credential_process)\s*=.*|{re.escape(_MARK)}")
    end = start + 1
    # What somebody added to our section comes after our lines, and stays.
    while end < len(lines) and ours.fullmatch(lines[end]):
        end += 1
    return "\n".join([*lines[:start], *section, *lines[end:]]) + "\n"


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".config-")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.chmod(mode)
        draft.replace(file)
    except BaseException:
        draft.unlink()
        raise
