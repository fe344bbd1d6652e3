"""Runs the real supervisor over stand-ins: ``run_supervisor.py HOME PORT [--edge ARGUMENTS] [--control ARGUMENTS]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from clary.control.supervisor import StartError, Supervisor
from clary.core.settings import load

parser = argparse.ArgumentParser()
parser.add_argument("home")
parser.add_argument("port", type=int)
parser.add_argument("--edge", default="")
parser.add_argument("--control", default="")
options = parser.parse_args()

settings = load(options.home, environ={}, port=options.port)
settings.create_folders()
program = [sys.executable, str(Path(__file__).with_name("stand_in.py")), "--home", str(settings.home)]
programs = {name: [*program, "--name", name, *getattr(options, name).split()] for name in ("control", "edge")}
supervisor = Supervisor(settings, programs, ready=1, lifeline=0, patience=2)
try:
    code = supervisor.run()
except StartError as error:
    supervisor.announce("failed", code=error.code, message=str(error))
    code = error.code
print(json.dumps({"exit": code}), file=sys.stderr)
sys.exit(code)
