"""The commands: each takes the parsed options, and raises ``Mistake`` for what a person did wrong."""

from __future__ import annotations

import json
import os
import signal
import sys
from argparse import Namespace
from typing import Any

from clary import __version__
from clary.cli.installation import EXECUTION_ROLE, Installation
from clary.cli.mistakes import Mistake
from clary.core import suites
from clary.studio import is_built


class Exit(Exception):
    """Ends a command that has said everything, with an exit status."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def up(options: Namespace) -> None:
    """Start Clary."""
    installation = Installation.find(options.home)
    if (running := installation.running) is not None:
        if options.detach and options.port in (None, 0, running.port):
            _print_up(installation, f"Clary already runs (process {running.pid})", options)
            return
        raise Mistake(
            f"Clary already runs in {installation.home} on {running.url} (process {running.pid}); "
            f"stop it with: {installation.command('down')}",
            3,
        )
    if not options.json:
        print("Starting Clary …", end="", flush=True)
    try:
        mode = {"CLARY_TEST_MODE": "true"} if options.test_mode else {}
        started = installation.start(options.port, lifeline=not options.detach, environ=os.environ | mode)
    except BaseException:
        if not options.json:
            print(" failed", flush=True)
        raise
    if not options.detach:
        # Before anybody is told that it runs: from then on a signal means an orderly stop.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: started.process.send_signal(signal.SIGTERM))
    _print_up(installation, f" ready in {started.seconds:.1f} s", options)
    if not options.detach:
        _stay(installation, started.process, options)


def _print_up(installation: Installation, head: str, options: Namespace) -> None:
    running = installation.require()
    if options.json:
        state = {"url": running.url, "port": running.port, "pid": running.pid, "home": str(installation.home)}
        print(json.dumps(state), flush=True)
        return
    print(head)
    print(f"  Address  {running.url}")
    if is_built():
        print(f"  Studio   {installation.studio_link()}")
    print(f"  Home     {installation.home}")
    print(f'  Use it   eval "$({installation.command("env")})"')
    print(f"  Stop it  {installation.command('down') if options.detach else 'Ctrl-C'}", flush=True)


def studio(options: Namespace) -> None:
    """Print a link that opens Studio, signed in; it works once, within ten minutes."""
    installation = Installation.find(options.home)
    if not is_built():
        raise Mistake("Studio is not built here: its pages need npm's registry once; see docs/studio.md")
    print(installation.studio_link())


def _stay(installation: Installation, process: Any, options: Namespace) -> None:
    """Wait for the end of the supervisor."""
    if process.wait() != 0:
        raise Mistake(f"Clary ended unexpectedly; its log is {installation.settings.log / 'supervisor.log'}")
    if not options.json:
        print("\nClary has stopped.")


def down(options: Namespace) -> None:
    """Stop Clary. Jobs and endpoints that run go on, and the next start takes them over."""
    from clary.cli.status import at_work

    installation = Installation.find(options.home)
    if not installation.held:
        print(f"Clary is not running in {installation.home}.")
        return
    left = at_work(installation)
    installation.stop()
    print("Clary has stopped.")
    if left:
        print(f"Still at work: {left}. `{installation.command('up')}` takes them over.")


def status(options: Namespace) -> None:
    """Show the processes, the jobs and endpoints at work, and what is wrong. Exits with 1 if anything is."""
    from clary.cli.status import collect, render

    installation = Installation.find(options.home)
    document = collect(installation)
    print(json.dumps(document) if options.json else render(document, installation))
    if not document["ready"] or document["problems"]:
        raise Exit(1)


def env(options: Namespace) -> None:
    """Print what AWS clients need to reach Clary. Use it as: eval "$(clary env)"."""
    from clary.cli import environment

    installation = Installation.find(options.home)
    if options.unset:
        print(environment.unset_lines(installation))
        return
    if options.s3tests:
        running = installation.require()
        if not running.test_mode:
            raise Mistake("the accounts of ceph/s3-tests are there in test mode only; start with: clary up --test-mode")
        print(suites.s3tests(running.port))
        return
    clashing: tuple[str, ...] = environment.CONFLICTING
    if options.write_profile is not None:
        file = environment.write_profile(installation, options.write_profile, options.role or EXECUTION_ROLE)
        print(f"clary: the profile {options.write_profile!r} is in {file}", file=sys.stderr)
        values = {"AWS_PROFILE": options.write_profile, **environment.plugin(installation)}
        # Keys in the environment would win over the profile.
        clashing = (*clashing, *environment.OURS)
    else:
        session = installation.assume_role(options.role) if options.role else None
        values = environment.credentials_and_endpoint(installation, session) | environment.plugin(installation)
    print(json.dumps(values) if options.json else environment.shell_lines(values, clashing))


def credentials(options: Namespace) -> None:
    """Print temporary credentials of a role, as `credential_process` of an AWS profile wants them."""
    answer = Installation.find(options.home).assume_role(options.role, options.session_name, options.duration)
    print(json.dumps({"Version": 1, **answer}))


def audit(options: Namespace) -> None:
    """Print who called what."""
    import time

    from clary.cli.audit import Audit, line, seconds

    client = Installation.find(options.home).client(timeout=60, region=options.region or "")
    trail = Audit(client, time.time() - seconds(options.since), options.user, options.event, options.data)
    for record in trail.follow() if options.follow else trail.read():
        print(json.dumps(record) if options.json else line(record), flush=True)


def tensorboard(options: Namespace) -> None:
    """Show in TensorBoard what training jobs write for it. Builds its environment the first time."""
    from clary.cli.tensorboard import show

    show(Installation.find(options.home), options.name, options.port)


def logs(options: Namespace) -> None:
    """Print the log of a job or an endpoint."""
    from datetime import UTC, datetime

    from clary.cli.joblogs import JobLog

    log = JobLog(Installation.find(options.home).client(), options.name, options.kind)
    streams: set[str] = set()
    for line in log.follow() if options.follow else log.read():
        streams.add(line.stream)
        if options.json:
            print(json.dumps({"time": line.time, "stream": line.stream, "message": line.text}), flush=True)
            continue
        moment = ""
        if options.timestamps:
            moment = datetime.fromtimestamp(line.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z "
        print(f"{moment}{f'[{line.stream}] ' if len(streams) > 1 else ''}{line.text}", flush=True)


def cost(options: Namespace) -> None:
    """Print what training jobs used, and what they would have cost on AWS."""
    from dataclasses import asdict

    from clary.cli.cost import read_prices, table, usages

    prices = read_prices(options.prices)
    found = list(usages(Installation.find(options.home).client(), prices, options.names))
    if options.json:
        print(
            json.dumps(
                {
                    "prices": {name: value for name, value in asdict(prices).items() if name != "hour"},
                    "jobs": [asdict(each) for each in found],
                }
            )
        )
    else:
        print(table(found, prices))


def doctor(options: Namespace) -> None:
    """Check whether this machine has what Clary needs. Exits with 1 if something stands in the way."""
    from clary.cli.doctor import as_json, examine, render

    installation = Installation.find(options.home)
    checks = examine(installation)
    if options.deep:
        from clary.cli import deep

        checks += deep.examine(installation, _read_so_far)
    print(as_json(checks) if options.json else render(checks))
    if any(check.state == "fail" for check in checks):
        raise Exit(1)


def _read_so_far(done: int, total: int) -> None:
    _so_far(done, total, "read")


def _so_far(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{done / 1e6:,.0f} of {total / 1e6:,.0f} MB {what} ", end="", file=sys.stderr, flush=True)
        if done >= total:
            print(file=sys.stderr)


def backup(options: Namespace) -> None:
    """Write a backup of state and objects, while Clary runs or not. It goes to a new folder, or to a new .tar file."""
    from clary.cli.backup import made, run

    words = ["backup", str(options.target.absolute())]
    words += ["--without-secrets"] if options.without_secrets else []
    words += ["--link"] if options.link else []
    words += ["--since", str(options.since.absolute())] if options.since else []
    done = run(Installation.find(options.home), words, _written_so_far)
    print(json.dumps(done) if options.json else made(done))


def restore(options: Namespace) -> None:
    """Restore a backup into a home folder that is empty or new."""
    from clary.cli.backup import restored, run

    installation = Installation.find(options.home)
    words = ["restore", str(options.source.absolute())]
    words += ["--replace"] if options.replace else []
    words += ["--master-key", str(options.master_key.absolute())] if options.master_key else []
    done = run(installation, words, _written_so_far)
    print(json.dumps(done) if options.json else restored(done, installation))


def _written_so_far(done: int, total: int) -> None:
    _so_far(done, total, "written")


def quickstart(options: Namespace) -> None:
    """Prepare data, train, deploy and predict on a real data set. It all goes through the public API, with boto3."""
    from clary.cli.quickstart.walk import walk

    walk(Installation.find(options.home), options.keep, options.port)


def version(options: Namespace) -> None:
    """Print the version."""
    python = ".".join(map(str, sys.version_info[:3]))
    running = Installation.find(options.home).running
    if options.json:
        print(json.dumps({"clary": __version__, "running": running.version if running else None, "python": python}))
        return
    print(f"clary {__version__} (Python {python})")
    if running and running.version != __version__:
        print(f"The running installation is {running.version}; start it again to use this one.")


def images_list(options: Namespace) -> None:
    """List the images that Clary knows, and which of them are ready on this machine."""
    from clary.cli.images import show

    show(Installation.find(options.home), options.json)


def images_pull(options: Namespace) -> None:
    """Prepare images, so that no job has to wait for them."""
    from clary.cli.images import pull

    pull(Installation.find(options.home), options.names)


def images_export(options: Namespace) -> None:
    """Write images to one archive, for a machine without internet."""
    from clary.cli.images import export

    export(Installation.find(options.home), options.names, options.to)


def images_import(options: Namespace) -> None:
    """Take in the images of an archive."""
    from clary.cli.images import take_in

    take_in(Installation.find(options.home), options.archive)


def roles_personas(options: Namespace) -> None:
    """List the personas that roles are made for, with the ML activities of each."""
    from clary.cli import roles

    client = Installation.find(options.home).client()
    print(json.dumps(roles.catalog(client)["Personas"]) if options.json else roles.personas(client))


def roles_activities(options: Namespace) -> None:
    """List the ML activities that roles are made of, with the options that each needs."""
    from clary.cli import roles

    client = Installation.find(options.home).client()
    print(json.dumps(roles.catalog(client)["Activities"]) if options.json else roles.activities(client))


def roles_create(options: Namespace) -> None:
    """Make a least-privilege role of a persona or of ML activities. Its name is sagemaker-NAME."""
    from clary.cli import roles
    from clary.cli.role_options import OPTIONS

    installation = Installation.find(options.home)
    client = installation.client()
    options.PassRoles = [installation.role_arn(role) for role in options.PassRoles or []]
    wish = {
        "Name": options.name,
        "Persona": options.persona,
        "Activities": options.activity,
        "Parameters": {name: values for name in OPTIONS if (values := getattr(options, name))},
        "PolicyArns": options.policy_arn,
        "TrustedArns": options.trust,
    }
    made = roles.documents(client, {member: value for member, value in wish.items() if value is not None})
    if options.print:
        print(json.dumps(made, indent=2))
        return
    arn = roles.create(client, made, options.description, options.permissions_boundary, options.tag)
    print(json.dumps({"Arn": arn}) if options.json else arn)


def roles_delete(options: Namespace) -> None:
    """Delete a role that `clary roles create` made, with its policies."""
    from clary.cli import roles

    for gone in roles.delete(Installation.find(options.home).client(), options.name):
        print(f"deleted {gone}")
