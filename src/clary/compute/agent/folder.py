"""The job folder as the agent sees it: the spec, where things lie, and paths that stay inside."""

from __future__ import annotations

import os
from types import SimpleNamespace

from clary.compute.agent.documents import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clary.compute.agent.network import Network
    from clary.compute.spec import JobSpec

ML = "/opt/ml"
CACHE = "/opt/ml/sagemaker/warmpoolcache"
"""Where the jobs of a warm pool find what those before them have left there.
https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html"""
LONGEST_SOCKET = 100
"""Bytes of a Unix socket's path; systems take 104 or 108 with the zero at the end."""


class Place:
    """What belongs to this machine and not to the job; the placement writes it to ``place.json``."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.isolation: str = document.get("isolation", "plain")
        self.options: list[str] = document.get("options", [])
        """The isolation's arguments for this machine."""
        self.groups: dict[str, str] = document.get("groups", {})
        """Where groups that limit jobs can be made, by controller; empty where they cannot."""
        self.wake: str = document.get("wake", "")
        """Socket that gets a datagram after each event."""
        self.runtimes: str = document.get("runtimes", "")
        """The folder of the package ``clary_runtimes``."""
        self.overlays: str = document.get("overlays", "")
        """Folder of the cached overlays for ``requirements.txt``."""
        self.uv: str = document.get("uv", "")
        """The program that builds overlays."""
        self.cache: str = document.get("cache", "")
        """The folder that the jobs of a warm pool share; empty for none."""
        self.shares_network: bool = document.get("shares_network", True)
        """Whether jobs share the machine's network instead of having their own."""
        self.outside: str = document.get("outside", "")
        """The program that connects a job's own network to others; empty where there is none."""
        self.addresses: list[str] = document.get("addresses", [])
        """The addresses of the job's hosts where each has one of its own."""
        self.peers: list[str] = document.get("peers", [])
        """The folders of the job's other hosts."""
        self.volumes: dict[str, str] = document.get("volumes", {})
        """Where the folders that outlive the job lie, by their paths inside the container."""
        self.series: list[str] = document.get("series", [])
        """The folders of all containers of this host's model, this one's too, in their order."""


class JobFolder:
    """One job's folder. Raises ``OSError`` or ``ValueError`` if ``spec.json`` cannot be read."""

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        self.spec = read_spec(self.file("spec.json"))
        with open(self.file("place.json"), encoding="utf-8") as file:
            self.place = Place(loads(file.read()))
        self.ml = self.file("ml")
        self.tmp = self.file("tmp")
        self.sockets = self.file("run")
        """The folder of the sockets through which a server is spoken to, none of which the job itself can replace."""
        self.run = os.path.join(self.sockets, "in")
        """The folder where the job's server makes its own, ``/run/clary`` inside."""
        self.network: Network | None = None
        """The job's own network, where it has one and not the machine's, or none at all."""
        self.overlay = ""
        """The folder of the packages from the job's ``requirements.txt``, once there is one."""
        self.packages = self.file("opt/packages")
        """Where the job's own ``pip install`` puts packages, ``/opt/clary/packages`` inside: its environment is
        read-only."""
        self.mounts: dict[str, str] = {ML: self.ml}
        """Absolute folders inside the container → where they lie on this machine."""
        for path in [each.path for each in self.spec.inputs] + [each.path for each in self.spec.outputs]:
            if path.startswith("/") and not inside(os.path.normpath(path), ML):
                name = os.path.normpath(path)
                if name == "/":
                    continue  # refused by ``host_path``
                self.mounts[name] = self.file("mounts/" + name.strip("/").replace("/", "+"))
        self.read_only: dict[str, str] = {}
        """The same for folders and files that a sandbox shows without letting the job write to them, in the order in
        which they are mounted."""
        every = list(self.mounts)
        self.mounts = {
            name: path
            for name, path in self.mounts.items()
            if not any(inside(name, each) and each != name for each in every)
        }

    def file(self, name: str) -> str:
        """The path of a file of the job folder."""
        return os.path.join(self.path, name)

    def host_path(self, name: str) -> str:
        """Where a path of the container lies here: absolute, or relative to ``/opt/ml``.

        Raises ``ValueError`` if it leads out of the job's folders.
        """
        absolute = os.path.normpath(os.path.join(ML, name))
        for mount, path in self.mounts.items():
            if inside(absolute, mount):
                return os.path.normpath(path + absolute[len(mount) :])
        raise ValueError(f"{name!r} lies outside of /opt/ml")

    def create(self) -> None:
        """Make the folders that SageMaker's containers find, and write the spec's files."""
        for folder in (self.tmp, self.packages, *self.mounts.values()):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        if self.spec.kind == "server":
            self._create_run()
        for name in ("input/config", "input/data", "model", "output/data", "code"):
            os.makedirs(os.path.join(self.ml, name), exist_ok=True)
        for output in self.spec.outputs:
            os.makedirs(self.host_path(output.path), exist_ok=True)
        for name, content in self.spec.files.items():
            path = self.host_path(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)

    def _create_run(self) -> None:
        if len(os.path.join(self.run, "serve.sock").encode()) > LONGEST_SOCKET:
            # Nobody else can make or enter a folder of this name, and `remove` finds it through the file.
            self.sockets = f"/tmp/clary-{os.urandom(8).hex()}"
            self.run = os.path.join(self.sockets, "in")
            with open(self.file("sockets"), "a", encoding="utf-8") as file:
                file.write(self.sockets + "\n")
        os.makedirs(self.sockets, mode=0o700, exist_ok=True)
        os.makedirs(self.run, mode=0o700, exist_ok=True)

    def ticket(self) -> str:
        """What the platform takes for the job's credentials; empty if the job has none."""
        try:
            with open(self.file("ticket"), encoding="utf-8") as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""


def inside(path: str, folder: str) -> bool:
    """Whether normalised ``path`` is ``folder`` or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def first_link(path: str, folder: str) -> str:
    """The first link on the way from ``folder`` down to ``path``, which lies below it; empty if there is none.

    To resolve a path and look where it ends is not enough before writing to it: resolving gives up, with a path that is
    not the real one, where a path gets too long, which an archive can bring about.
    """
    here = folder
    for part in os.path.relpath(path, folder).split("/"):
        here = os.path.join(here, part)
        if os.path.islink(here):
            return here
    return ""


def read_spec(path: str) -> JobSpec:
    """The spec, without the cost of importing ``dataclasses``: the same attributes on simple objects."""
    with open(path, encoding="utf-8") as file:
        document = loads(file.read())
    for name in ("inputs", "outputs", "metrics"):
        document[name] = [SimpleNamespace(**each) for each in document[name]]
    if (transform := document.get("transform")) is not None:
        document["transform"] = SimpleNamespace(**{**transform, "source": SimpleNamespace(**transform["source"])})
    document["image"] = SimpleNamespace(**document["image"])
    document["limits"] = SimpleNamespace(**document["limits"])
    return SimpleNamespace(**document)  # type: ignore[return-value]
