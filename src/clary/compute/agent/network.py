"""The network of a job's own: where it finds the platform and its other hosts, and nothing else of this machine.

A namespace is made for the job and held by a process in it (``gate``); the sandboxes of the job's hosts on this machine
enter it. The platform is found there under its own address, whose connections the agent carries on. What lies outside
of this machine is reached through slirp4netns, where that is installed. Services that listen on the machine's loopback
addresses, abstract sockets, and other jobs' networks are not reached at all, nor are the addresses where clouds give
their machines credentials.

Reference: https://man7.org/linux/man-pages/man7/network_namespaces.7.html
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` builds enums: a third of the whole start
import _socket as socket
import os
import sys
import time

from clary.compute.agent.gate import connected
from clary.compute.agent.http import Connection
from clary.compute.agent.process import start_time
from clary.compute.agent.relay import relay
from clary.compute.isolation.plain import find_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clary.compute.agent.folder import JobFolder

PORT = 8080
"""Where a model server listens that has a network of its own: SageMaker's port, on which many containers insist."""
ALONE = (
    "This job reaches the platform and nothing else: for the rest of the network install slirp4netns (`apt install"
    ' slirp4netns`), or let jobs share this machine\'s network with the setting `job_network = "host"`.'
)
BEGINS_S = 30.0
PATH = "/usr/bin:/bin:/usr/local/bin:/usr/sbin:/sbin"


class NetworkError(Exception):
    """The job's network cannot be had."""


def network_of(folder: JobFolder) -> Network | None:
    """The network that a job of this folder gets for itself; None if it shares the machine's, or needs none because it
    speaks with nobody. Raises ``OSError``."""
    spec, place = folder.spec, folder.place
    if place.isolation != "bubblewrap" or (spec.network and place.shares_network):
        return None
    # Also with network isolation the hosts of a job speak with one another, and a server is spoken to.
    return Network(folder) if spec.network or spec.cluster or spec.kind == "server" else None


class Network:
    """The network of the job of one folder, made by its first host."""

    NAME_SERVER = "10.0.2.3"
    """Where slirp4netns answers for the machine's own name servers."""

    def __init__(self, folder: JobFolder) -> None:
        """Begin to make it. Raises ``OSError``."""
        self._folder = folder
        self._joined = 0
        spec, place = folder.spec, folder.place
        self.outside = bool(spec.network and place.outside)
        """Whether it reaches other machines."""
        self.is_own = not spec.cluster or spec.cluster[0] == spec.id
        """Whether this host has made it."""
        self.platform = _Platform(spec.endpoint_url) if spec.network and spec.endpoint_url else None
        self._gate = self._slirp = 0
        self._link: socket.socket | None = None
        if self.is_own:
            self._start_gate()

    def _start_gate(self) -> None:
        self._link, inner = socket.socketpair()
        words = [_program("bwrap"), "--unshare-net", "--die-with-parent", "--dev-bind", "/", "/"]
        if os.geteuid():
            # As whose root slirp4netns, too, enters it.
            words += ["--unshare-user", "--uid", "0", "--gid", "0"]
            words += ["--cap-add", "CAP_NET_ADMIN", "--cap-add", "CAP_NET_BIND_SERVICE"]
        agent = os.path.join(os.path.dirname(__file__), "__main__.py")
        words += ["--", sys.executable, "-I", "-S", agent, "gate", str(inner.fileno()), "1" if self.outside else ""]
        words += [self.platform.address, str(self.platform.port)] if self.platform is not None else ["", ""]
        words += [self.entrance, str(PORT)] if self._folder.spec.kind == "server" else ["", ""]
        os.set_inheritable(inner.fileno(), True)
        try:
            self._gate = os.posix_spawn(words[0], words, {"PATH": PATH})
        finally:
            inner.close()

    @property
    def entrance(self) -> str:
        """The Unix socket through which a server is reached that listens on ``PORT``."""
        return os.path.join(self._folder.sockets, "port.sock")

    def entering(self) -> list[str]:
        """The command, to be followed by another one, that runs that in this network. Waits until there is one.

        Raises ``NetworkError``.
        """
        pid = self._joined or (self._begin() if self.is_own else self._await())
        self._joined = pid
        words = [_program("nsenter"), "--target", str(pid), "--net"]
        if os.geteuid():
            words += ["--user", "--preserve-credentials"]
        return [*words, "--"]

    def close(self) -> None:
        """Give it up; the sandboxes that are in it must have ended."""
        if self._link is None:
            return
        self._link.close()
        self._link = None
        for each in (self._gate, self._slirp):
            if each:
                os.kill(each, signal.SIGKILL)
                os.waitpid(each, 0)

    def _begin(self) -> int:
        assert self._link is not None
        self._link.settimeout(BEGINS_S)
        try:
            said, ancillary, _, _ = self._link.recvmsg(64, socket.CMSG_SPACE(4))
        except TimeoutError:
            raise NetworkError("the network of the job was not made in time") from None
        if not said:
            raise NetworkError("the network of the job cannot be made; agent.log says why")
        pid = int(said)
        if self.outside:
            self._connect_outside(pid)
        for _, _, descriptor in ancillary:
            assert self.platform is not None
            number = int.from_bytes(descriptor, sys.byteorder)
            os.set_inheritable(number, False)  # one that was received is, unlike all others
            relay(socket.socket(fileno=number), self.platform.connect)
        aside = self._folder.file("network.new")
        with open(aside, "w", encoding="ascii") as file:
            file.write(f"{pid} {start_time(pid)}")
        os.rename(aside, self._folder.file("network"))
        return pid

    def _connect_outside(self, pid: int) -> None:
        ready, told = os.pipe()
        alive, self._held = os.pipe()  # slirp4netns ends when this process does, however that ends
        words = [self._folder.place.outside, "--configure", "--mtu=65520", "--disable-host-loopback"]
        words += ["--enable-sandbox", "--enable-seccomp", f"--ready-fd={told}", f"--exit-fd={alive}"]
        quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
        for each in (told, alive):
            os.set_inheritable(each, True)
        try:
            self._slirp = os.posix_spawn(words[0], [*words, str(pid), "tap0"], {"PATH": PATH}, file_actions=quiet)
        finally:
            os.close(told)
            os.close(alive)
        said = os.read(ready, 1)
        os.close(ready)
        if said != b"1":
            raise NetworkError("slirp4netns cannot connect the network of the job; agent.log says why")

    def _await(self) -> int:
        """The holder of the network that the first host makes."""
        path = os.path.join(self._folder.place.peers[0], "network")
        until = time.monotonic() + BEGINS_S
        while time.monotonic() < until:
            try:
                with open(path, encoding="ascii") as file:
                    pid, start = file.read().split()
                if start_time(int(pid)) == start:
                    return int(pid)
            except (OSError, ValueError):
                pass  # not yet
            time.sleep(0.005)
        raise NetworkError("the first host has not made the network of the job in time")


class _Platform:
    """Where the platform listens, as the agent reaches it, and as the job does."""

    def __init__(self, url: str) -> None:
        where = Connection(url)
        self.port = where.port
        self._found = socket.getaddrinfo(where.name, self.port, 0, socket.SOCK_STREAM)
        self.address = str(self._found[0][4][0])
        self.name = "" if where.name in (self.address, "localhost") else where.name
        """Under which name the job knows it; empty where it does not need to be told its address."""

    def connect(self) -> socket.socket:
        """A new connection to it. Raises ``OSError``."""
        family, _, _, _, address = self._found[0]
        return connected(family, address)


def _program(name: str) -> str:
    found = find_program(name, PATH, "/")
    if not found.startswith("/"):
        raise NetworkError(f"{name} is not installed")
    return found
