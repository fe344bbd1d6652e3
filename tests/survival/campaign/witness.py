"""What really ran, as seen from outside of the platform: each program of a job connects here and asks to be let on.

A connection ends with its process, however that ends: so it is known when each attempt began and ended, and whether two
of one job ever ran side by side.
"""

from __future__ import annotations

import contextlib
import random
import select
import socket
import threading
import time
from dataclasses import dataclass, field

from .moments import Moments

LET_ON_S = 0.4
"""The longest that a program waits for each of its steps."""

PROGRAM = """
import os, pathlib, socket, sys

name = os.environ.get("TRAINING_JOB_NAME") or os.environ["RUN"]
folder = pathlib.Path(os.environ["CLARY_ML_ROOT"], os.environ.get("OUT", "model"))
fate, nonce = os.environ["FATE"], os.urandom(8).hex()
link = socket.create_connection(("127.0.0.1", int(os.environ["WITNESS"]))).makefile("rw")

def tell(*words):
    print(*words, file=link, flush=True)
    if not link.readline():
        raise SystemExit("the witness has gone")

tell(name, nonce)
print("begun", nonce, flush=True)
for step in range(4):
    (folder / f"part-{step}").write_text(nonce * 10_000)
    print("step", step, nonce, flush=True)
    tell("step", step)
    if fate == "stop" and step == 1:
        tell("wait")
if fate == "fail":
    sys.exit(7)
print("score=0.5;", flush=True)
print("done", nonce, flush=True)
"""
"""Trains or processes in four steps; its fate is to ``complete``, to ``fail``, or to be told to ``stop``."""

SERVER = """
import os, socket

def model_fn(folder):
    link = socket.create_connection(("127.0.0.1", int(os.environ["WITNESS"]))).makefile("rw")
    print(os.environ["RUN"], os.urandom(8).hex(), file=link, flush=True)
    link.readline()
    return link

def transform_fn(model, body, content_type, accept):
    text = body.decode() if isinstance(body, bytes) else body
    print("step", len(text), file=model, flush=True)
    model.readline()
    return "\\n".join(str(len(line)) for line in text.splitlines()), accept
"""
"""Serves a transform job: the lengths of lines."""


@dataclass(eq=False)
class Run:
    """One attempt of a job."""

    nonce: str
    began: float
    ended: float | None = None
    steps: list[str] = field(default_factory=list)
    beside: bool = False
    """Whether another one of the job still ran when this one began."""


class Witness:
    """Listens at ``port`` until it is closed."""

    def __init__(self, seed: int, moments: Moments) -> None:
        self._chance = random.Random(f"{seed}-witness")
        self._moments = moments
        self._runs: dict[str, list[Run]] = {}
        self._links: dict[Run, socket.socket] = {}
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def runs(self, name: str) -> list[Run]:
        """The attempts of a job so far."""
        with self._changed:
            return list(self._runs.get(name, ()))

    def await_step(self, name: str, seconds: float) -> bool:
        """Wait until an attempt of the job has done its first step; false if none does."""
        with self._changed:
            return self._changed.wait_for(lambda: any(run.steps for run in self._runs.get(name, ())), seconds)

    def close(self) -> None:
        """End; nobody can connect any more."""
        self._over.set()
        # Closed while a thread waits in it, the descriptor would be the next witness's, and that thread take from it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it was shut down
            while True:
                link, _ = self._listener.accept()
                threading.Thread(target=self._listen, args=(link,), daemon=True).start()

    def _listen(self, link: socket.socket) -> None:
        with link, link.makefile("rw") as stream, contextlib.suppress(OSError):
            name, nonce = stream.readline().split()
            run = self._begin(name, nonce, link)
            try:
                self._let_on(stream)
                for line in stream:
                    with self._changed:
                        run.steps.append(line.strip())
                        self._changed.notify_all()
                    self._moments.reached("step")
                    if line.startswith("step"):
                        self._let_on(stream)
            finally:
                with self._changed:
                    run.ended = time.monotonic()
                    self._links.pop(run)

    def _begin(self, name: str, nonce: str, link: socket.socket) -> Run:
        with self._changed:
            others = self._runs.setdefault(name, [])
            run = Run(nonce, time.monotonic())
            run.beside = any(each in self._links and _lives(self._links[each]) for each in others)
            others.append(run)
            self._links[run] = link
        self._moments.reached("begun")
        return run

    def _let_on(self, stream: object) -> None:
        with self._changed:
            pause = self._chance.uniform(0, LET_ON_S)
        self._over.wait(pause)
        print("go", file=stream, flush=True)  # type: ignore[call-overload]


def _lives(link: socket.socket) -> bool:
    """Whether the other end is open: what ends with its process is known here before anything that comes after."""
    poll = select.poll()
    poll.register(link, select.POLLRDHUP)
    return not poll.poll(0)
