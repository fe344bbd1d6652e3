"""The command ``clary``: reads the command line and runs the command.

What a command needs is imported when it runs, so that no start waits for what it does not use: ``clary credentials``
runs whenever a client with our profile starts. For the same reason this is argparse.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from clary import __version__
from clary.cli import commands
from clary.cli.installation import EXECUTION_ROLE
from clary.cli.mistakes import Mistake
from clary.cli.role_options import OPTIONS

Add = Callable[..., argparse.ArgumentParser]


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="clary",
        description="The open machine-learning platform that speaks Amazon SageMaker's API.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"clary {__version__}")
    where: dict[str, Any] = {
        "type": Path,
        "metavar": "DIR",
        "help": "folder of the installation (default: $CLARY_HOME, else ~/.clary)",
    }
    top.add_argument("--home", **where)
    adding = top.add_subparsers(metavar="COMMAND", required=True)

    def command(run: Callable[[argparse.Namespace], None], name: str, group: Any = adding) -> argparse.ArgumentParser:
        text = (run.__doc__ or "").strip()
        added: argparse.ArgumentParser = group.add_parser(
            name, help=text.partition(". ")[0].rstrip("."), description=text, allow_abbrev=False
        )
        # Without a default, which would hide the same option before the command.
        added.add_argument("--home", default=argparse.SUPPRESS, **where)
        added.set_defaults(run=run)
        return added

    _running(command)
    _clients(command)
    _work(command)
    images = adding.add_parser("images", help="The environments that jobs run in").add_subparsers(
        metavar="COMMAND", required=True
    )
    _images(command, images)
    roles = adding.add_parser("roles", help="Least-privilege roles for personas and ML activities").add_subparsers(
        metavar="COMMAND", required=True
    )
    _roles(command, roles)
    return top


def _running(command: Add) -> None:
    up = command(commands.up, "up")
    up.add_argument("--port", type=_port, help="port to listen on; 0 means any free one (default: 7788)")
    up.add_argument("-d", "--detach", action="store_true", help="go on in the background")
    up.add_argument("--test-mode", action="store_true", help="make the keys and roles that public test suites expect")
    _json(up)
    command(commands.studio, "studio")
    command(commands.down, "down")
    _json(command(commands.status, "status"))
    doctor = command(commands.doctor, "doctor")
    _json(doctor)
    doctor.add_argument(
        "--deep", action="store_true", help="also read everything that is stored, to find what has been damaged"
    )
    backup = command(commands.backup, "backup")
    backup.add_argument("target", type=Path, metavar="TARGET", help="a folder that does not exist yet, or a .tar file")
    backup.add_argument("--without-secrets", action="store_true", help="leave out the master key and all others")
    backup.add_argument(
        "--link", action="store_true", help="give blobs a second name instead of a copy, on the same disk only"
    )
    backup.add_argument("--since", type=Path, metavar="DIR", help="share the blobs that this older backup has")
    restore = command(commands.restore, "restore")
    restore.add_argument("source", type=Path, metavar="SOURCE", help="what `clary backup` has written")
    restore.add_argument("--replace", action="store_true", help="move an installation that is there aside")
    restore.add_argument("--master-key", type=Path, metavar="FILE", help="for a backup that was made without secrets")
    _json(backup)
    _json(restore)
    _json(command(commands.version, "version"))


def _clients(command: Add) -> None:
    env = command(commands.env, "env")
    how = env.add_mutually_exclusive_group()
    how.add_argument("--unset", action="store_true", help="take back what an earlier `clary env` set")
    how.add_argument(
        "--write-profile", metavar="NAME", help="write an AWS profile that assumes the execution role, and use that"
    )
    how.add_argument(
        "--s3tests",
        action="store_true",
        help="print the configuration file of ceph/s3-tests; needs `clary up --test-mode`",
    )
    env.add_argument("--role", help="be this role (name or ARN), with credentials for one hour, not the administrator")
    _json(env)
    credentials = command(commands.credentials, "credentials")
    credentials.add_argument("--role", default=EXECUTION_ROLE, help="name or ARN of the role (default: %(default)s)")
    credentials.add_argument("--session-name", default="clary", help="name of the session (default: %(default)s)")
    credentials.add_argument(
        "--duration", type=int, default=3600, metavar="SECONDS", help="900 to 43200 (default: %(default)s)"
    )


def _work(command: Add) -> None:
    quickstart = command(commands.quickstart, "quickstart")
    quickstart.add_argument("--keep", action="store_true", help="leave the endpoint, the data and Clary running")
    quickstart.add_argument("--port", type=_port, help="port to listen on if Clary does not run yet")
    logs = command(commands.logs, "logs")
    logs.add_argument("name", help="a training, processing or transform job, or an endpoint")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the job is over")
    logs.add_argument(
        "--kind", default="", help="training, processing, transform or endpoint, if several have the name"
    )
    logs.add_argument("-t", "--timestamps", action="store_true", help="print the time (UTC) of each line")
    logs.add_argument("--json", action="store_true", help="print one JSON document a line")
    audit = command(commands.audit, "audit")
    audit.add_argument("--since", default="1h", help="how far back, as 90s, 15m, 1h or 7d (default: %(default)s)")
    audit.add_argument("--user", default="", help="only calls of this user, or of sessions of this name")
    audit.add_argument("--event", default="", help="only calls of this operation, CreateTrainingJob for example")
    audit.add_argument("--data", action="store_true", help="the calls that moved data, instead of all others")
    audit.add_argument("--region", help="the region that was called (default: that of the installation)")
    audit.add_argument("-f", "--follow", action="store_true", help="go on until interrupted")
    audit.add_argument("--json", action="store_true", help="print one record a line")
    tensorboard = command(commands.tensorboard, "tensorboard")
    tensorboard.add_argument("name", help="a training job with a TensorBoardOutputConfig, or an S3 URI")
    tensorboard.add_argument("--port", type=_port, default=6006, help="port to listen on (default: %(default)s)")
    cost = command(commands.cost, "cost")
    cost.add_argument("names", metavar="NAME", nargs="*", help="a training job (default: all that have ended)")
    cost.add_argument("--prices", type=Path, metavar="FILE", help="prices of your own, laid out as Clary's prices.toml")
    _json(cost)


def _images(command: Add, group: Any) -> None:
    _json(command(commands.images_list, "list", group))
    pull = command(commands.images_pull, "pull", group)
    export = command(commands.images_export, "export", group)
    for each in (pull, export):
        each.add_argument("names", nargs="+", metavar="NAME", help="names or URIs of images; `all` for every one")
    export.add_argument("--to", type=Path, required=True, metavar="FILE", help="the archive to write (.tar.gz)")
    command(commands.images_import, "import", group).add_argument("archive", type=Path, metavar="FILE")


def _roles(command: Add, group: Any) -> None:
    _json(command(commands.roles_personas, "personas", group))
    _json(command(commands.roles_activities, "activities", group))
    create = command(commands.roles_create, "create", group)
    create.add_argument("name", help="what follows `sagemaker-` in the name of the role")
    create.add_argument("--persona", help="whose activities it gets: data-scientist, mlops or compute")
    several: dict[str, Any] = {"action": "append", "default": None}
    create.add_argument("--activity", metavar="NAME", help="get these activities, not those of the persona", **several)
    for name, (option, value) in OPTIONS.items():
        create.add_argument(option, dest=name, metavar=value, help=f"{name} of its activities", **several)
    create.add_argument("--trust", metavar="ARN", help="let this user, role or account take it on", **several)
    create.add_argument("--policy-arn", metavar="ARN", help="attach this managed policy too", **several)
    create.add_argument("--permissions-boundary", default="", metavar="ARN", help="what the role may do at most")
    create.add_argument("--description", default="", help="a text for people")
    create.add_argument("--tag", type=_tag, metavar="KEY=VALUE", action="append", default=[], help="a tag")
    create.add_argument("--print", action="store_true", help="print the policies and make nothing")
    _json(create)
    command(commands.roles_delete, "delete", group).add_argument("name", help="the whole name, with `sagemaker-`")


def _tag(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not key or not found:
        raise argparse.ArgumentTypeError(f"not a tag: {text!r} (KEY=VALUE)")
    return key, value


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print one JSON document")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"not a port: {text!r} (0 to 65535)")
    return int(text)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status. Every mistake becomes a message on standard error."""
    from clary.cli.client import ApiError

    words = sys.argv[1:] if arguments is None else arguments
    if not words:
        parser().print_help(sys.stderr)
        return 2
    options = parser().parse_args(words)
    try:
        options.run(options)
        sys.stdout.flush()
    except commands.Exit as ending:
        return ending.code
    except Mistake as error:
        message, code = str(error), error.code
    except ApiError as error:
        message, code = str(error), 1
    except KeyboardInterrupt:
        message, code = "interrupted", 130
    except BrokenPipeError:
        # Whoever read our output has enough; Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        message = f"{error.strerror}: {error.filename}" if error.filename else str(error)
        code = 6 if isinstance(error, PermissionError) else 1
    else:
        return 0
    print(f"clary: {message}", file=sys.stderr)
    return code


def main() -> NoReturn:
    """The console script."""
    sys.exit(run())
