"""One attempt from its first event to its last."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` builds enums: a third of the whole start
import errno
import os
import resource
import sys
import time

from clary.compute.agent.beneath import open_beneath
from clary.compute.agent.environment import environment
from clary.compute.agent.folder import JobFolder
from clary.compute.agent.journal import Journal, Log
from clary.compute.agent.peers import await_end
from clary.compute.agent.process import Child, isolation, kill_leftovers
from clary.compute.agent.room import FULL
from clary.compute.agent.usage import Usage
from clary.compute.agent.watch import AT_ONCE, Ending, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from clary.compute.agent.continuous import Known
    from clary.compute.agent.pipes import Pipes
    from clary.compute.agent.staging import Staging
    from clary.compute.agent.standby import Warm
    from clary.compute.spec import Output

LONGEST_REASON = 1024
"""Characters of ``/opt/ml/output/failure`` that become the failure reason, as SageMaker takes them."""

LEAST_FREE = 32 << 20
"""Bytes of the disk that the platform needs for itself."""
SCARCE = 1 << 20
"""Bytes with which no job gets far."""


class Failure(Exception):
    """The attempt cannot go on. ``reason`` is its class, the text is for the user."""

    def __init__(self, reason: str, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.exit_code = exit_code


class Attempt:
    """Runs what a job folder asks for."""

    def __init__(self, folder: JobFolder, warm: Warm | None = None) -> None:
        """``warm`` is the process that shall run the job, if there is one already."""
        self.folder = folder
        self.spec = folder.spec
        self._warm = warm
        self.journal = Journal(folder.path, self.spec.id, self.spec.attempt, folder.place.wake)
        self.log = Log(folder.path, self.spec.metrics)
        self.held = isolation(folder.place.isolation)
        self._stop = False
        self._staging: Staging | None = None
        self._pipes: Pipes | None = None
        self._known: dict[str, Known] = {}
        self.usage = Usage(folder)

    def stop_wanted(self, *_: object) -> bool:
        """Whether somebody asked for the end: by SIGTERM, or by the file ``stop``."""
        if not self._stop and os.path.exists(self.folder.file("stop")):
            self._stop = True
        return self._stop

    def run(self) -> int:
        """Do everything, and say how it ended in the last event. The exit status is 0 if that could be written."""
        signal.signal(signal.SIGTERM, self._on_sigterm)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._steps()
        except Failure as failure:
            self.end("failed", failure.reason, str(failure), failure.exit_code)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self.end("failed", "client", f"ClientError: {FULL}")
            else:
                self.end("failed", "internal", f"InternalServerError: {error}")
        except Exception as error:  # noqa: BLE001 - the last resort: an attempt always says how it ended
            self.end("failed", "internal", f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            if self._warm is not None:
                self._warm.end()
            if self.folder.network is not None:
                self.folder.network.close()
        return 0

    def _on_sigterm(self, *_: object) -> None:
        self._stop = True

    def end(
        self, event: str, reason: str | None, message: str, exit_code: int | None = None, **details: object
    ) -> None:
        """Write the last event: ``reason`` is its class, ``message`` the failure reason as AWS words it."""
        self.log.flush()
        if event == "failed":
            self.log.note(message)
        self._give_back()
        self.journal.event(event, exit_code=exit_code, reason=reason, message=message, **details)

    def _give_back(self) -> None:
        """Remove the job's data where the disk is full: nobody needs it now, and the control plane needs room to note
        the end."""
        if self._free() < LEAST_FREE:
            import shutil

            for path in (*self.folder.mounts.values(), self.folder.tmp, self.folder.packages):
                try:
                    shutil.rmtree(path, ignore_errors=True)
                except RecursionError:
                    pass  # folders within each other without end: whoever removes the job sees to them

    def _steps(self) -> None:
        spec = self.spec
        self.journal.event("starting")
        if refusal := self.held.refusal(self.folder):
            raise Failure("client", f"ClientError: {refusal}")
        try:
            self.folder.create()
        except ValueError as error:
            raise Failure("client", f"ClientError: {error}.") from error
        except OSError as error:
            if error.errno not in (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
                raise
            what = "A local path of the job's inputs or outputs cannot be made"
            raise Failure("client", f"ClientError: {what}: {error.strerror}. Choose another.") from error
        for note in (*spec.notes, *spec.image.notes):
            self.log.note(note)
        self._connect()
        if not self.held.sandboxed:
            from clary.compute.isolation.plain import NAMELESS, NOTE

            self.log.note(NOTE)
            if spec.cluster:
                self.log.note(NAMELESS)
        if (spec.inputs or spec.requirements) and not self._download():
            self.end("stopped", "stopped", "The job was stopped before its process started.")
            return
        if self.stop_wanted():
            self.end("stopped", "stopped", "The job was stopped before its process started.")
            return
        if spec.kind == "server":
            if spec.transform is not None:
                from clary.compute.agent.transform import BatchTransform

                BatchTransform(self).run()
            elif spec.series:
                from clary.compute.agent.series import Companion

                Companion(self).run()
            else:
                from clary.compute.agent.serving import Server

                Server(self).run()
            return
        ending = self._process()
        self._finish(ending)

    def _connect(self) -> None:
        """Begin to make the network of the job, which takes a moment, where it has one of its own."""
        if self._warm is not None:
            self.folder.network = self._warm.network
        elif self.held.sandboxed:
            from clary.compute.agent.network import ALONE, network_of

            self.folder.network = network_of(self.folder)
            if self.folder.network is not None and self.spec.network and not self.folder.network.outside:
                self.log.note(ALONE)

    # -- inputs

    def _download(self) -> bool:
        from clary.compute.agent.staging import DataError, Interrupted, StoreUnreachable

        self.journal.event("downloading")
        count = 0
        try:
            for each in self.spec.inputs:
                if each.mode == "pipe":
                    self._streams().add(each)
                else:
                    count += self.staging().download(each)
            if self.spec.requirements:
                from clary.compute.agent.overlay import overlay

                self.folder.overlay = overlay(self.folder, self.log.note)
                if self.stop_wanted():
                    return False
        except Interrupted:
            return False
        except DataError as error:
            raise Failure("client", f"ClientError: {error}") from error
        except StoreUnreachable as error:
            raise Failure("internal", f"InternalServerError: {error}") from error
        self.journal.event("downloaded", objects=count)
        return True

    def staging(self) -> Staging:
        """The way to the store, made when it is first needed."""
        if self._staging is None:
            from clary.compute.agent.staging import Staging

            # Once stopping has begun, what still is uploaded is wanted: only downloads are broken off.
            self._staging = Staging(self.folder, lambda: self._uploading or not self.stop_wanted(), self.log.note)
        return self._staging

    _uploading = False

    def _streams(self) -> Pipes:
        if self._pipes is None:
            from clary.compute.agent.pipes import Pipes
            from clary.compute.agent.staging import connect

            self._pipes = Pipes(self.folder, lambda wanted: connect(self.folder, wanted))
        return self._pipes

    # -- the process

    def start(self, extra: dict[str, str] | None = None) -> Child:
        """Start the user's process. Raises ``Failure`` if there is no such program."""
        spec = self.spec
        command = list(spec.command) or list(spec.image.serve if spec.kind == "server" else spec.image.train)
        if not command:
            raise Failure(
                "client",
                f"ClientError: The image {spec.image.uri!r} has no command for this; give the job a command of its"
                " own.",
            )
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (min(hard, 1 << 20) if hard != resource.RLIM_INFINITY else 1 << 16, hard)
            )
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            values = {**environment(self.folder), **(extra or {})}
            warm, self._warm = self._warm, None
            child = warm.become(self.folder, command, values) if warm is not None else None
            return child or Child(self.folder, self.held, command, values)
        except OSError as error:
            raise Failure(
                "client", f"ClientError: The command {command[0]!r} cannot be started: {error.strerror}."
            ) from error
        except ValueError as error:
            raise Failure("client", f"ClientError: The command {command[0]!r} cannot be started: {error}.") from error

    def _process(self) -> Ending:
        if any(each.continuous for each in self.spec.outputs):
            from clary.compute.agent.continuous import restored

            self._known = restored(self.folder)
        child = self.start()
        watch = Watch(child, self.log, self.spec.limits, self.stop_wanted, self.usage)
        self.journal.event("running", pid=child.pid)
        pipes = self._pipes
        try:
            if pipes is None:
                return self._watched(watch)
            watch.when_told = pipes.release
            pipes.start()
            return self._watched(watch, pipes.turn)
        finally:
            if pipes is not None:
                pipes.close()

    def _watched(self, watch: Watch, turn: Callable[[], str | None] | None = None) -> Ending:
        continuous = [each for each in self.spec.outputs if each.continuous]
        if not continuous:
            return watch.run(turn)
        from clary.compute.agent.continuous import Copier

        copier = Copier(self.folder, self.log, continuous, self._known)
        copier.start()
        try:
            return watch.run(turn)
        finally:
            copier.end()

    # -- outputs and the end

    def _finish(self, ending: Ending) -> None:
        failed = (ending.exit_code != 0 and ending.cause is None) or ending.cause in (*AT_ONCE, "given up")
        interrupted = ending.cause == "interrupted"
        network = self.folder.network
        if network is not None and network.is_own and not failed:
            await_end(self.folder.place.peers, self.spec.attempt)  # their network ends with this agent
        wanted = [
            each
            for each in self.spec.outputs
            if (each.continuous if interrupted else each.when == "always" or not failed)
        ]
        if wanted:
            if not interrupted:
                self.journal.event("uploading")
            self._upload(wanted, failed)
        if failed and self._pipes is not None and (broken := self._pipes.failure) is not None:
            raise Failure(broken.reason, str(broken), ending.exit_code)
        if ending.cause in AT_ONCE:
            raise Failure("algorithm", ending.message, ending.exit_code)
        if failed:
            if (
                ending.exit_code
                and self.held.sandboxed
                and self.log.tail[-1:]
                and self.log.tail[-1].startswith("bwrap: ")
            ):
                # The sandbox itself says why there is no process.
                ours = not self.log.tail[-1].startswith("bwrap: execvp")
                words = "InternalServerError" if ours else "ClientError"
                message = f"{words}: The command cannot be started: {self.log.tail[-1]}."
                raise Failure("internal" if ours else "client", message, ending.exit_code)
            detail = self.failure_text()
            # A failure that says whose it is keeps its own word for it.
            whose = "" if detail.startswith("ClientError:") else "AlgorithmError: "
            message = f"{whose}{detail or 'See the job log for more information'}, exit code: {ending.exit_code}"
            self.end("failed", "algorithm", message, ending.exit_code, detail=detail)
        elif ending.cause == "timeout":
            self.end("stopped", "timeout", f"MaxRuntimeExceeded: {ending.message}", ending.exit_code)
        elif ending.cause in ("stopped", "wait", "interrupted"):
            self.end("stopped", ending.cause, ending.message, ending.exit_code)
        else:
            self.end("completed", None, "", 0)

    def _upload(self, outputs: list[Output], failed: bool) -> None:
        from clary.compute.agent.staging import DataError, StoreUnreachable

        self._uploading = True
        count = 0
        # A host that failed does not wait for the others: the whole job has failed.
        peers = () if failed or not any(each.archive for each in outputs) else self.folder.place.peers
        # Whoever sees to the job as a whole ends it where one of its hosts never comes so far.
        await_end(peers, self.spec.attempt)
        try:
            for each in outputs:
                count += self.staging().upload(each, self._known.get(each.path), peers)
        except DataError as error:
            raise Failure("client", f"ClientError: {error}") from error
        except StoreUnreachable as error:
            raise Failure("internal", f"InternalServerError: {error}") from error
        self.journal.event("uploaded", objects=count)

    def failure_text(self) -> str:
        """What the process says of its failure: ``/opt/ml/output/failure``, else the end of its Python traceback, else
        that the disk is full, else nothing."""
        return self._failure_file() or _last_error(self.log.tail) or ("" if self._free() > SCARCE else FULL)

    def _failure_file(self) -> str:
        try:
            file = open_beneath(self.folder, "output/failure")
        except OSError:
            return ""
        try:
            return os.read(file, 4 * LONGEST_REASON).decode("utf-8", "replace")[:LONGEST_REASON].strip()
        except IsADirectoryError:
            return ""
        finally:
            os.close(file)

    def _free(self) -> int:
        """Bytes of the disk that are free."""
        disk = os.statvfs(self.folder.path)
        return disk.f_bavail * disk.f_frsize


def _last_error(lines: list[str]) -> str:
    """The error that ends the last traceback in ``lines``, without its frames."""
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].startswith("Traceback (most recent call last)"):
            rest = lines[index + 1 :]
            while rest and (rest[0].startswith((" ", "\t")) or not rest[0]):
                rest = rest[1:]
            return "\n".join(rest)[:LONGEST_REASON].strip()
    return ""


def main(path: str) -> int:
    """Run the agent of the job folder ``path``; its lock is held already, by the descriptor in ``CLARY_AGENT_LOCK``."""
    lock = os.environ.pop("CLARY_AGENT_LOCK", "")
    if os.getpid() != os.getsid(0):
        try:
            os.setsid()
        except PermissionError:
            pass  # leader of a process group already: started by hand
    import fcntl

    descriptor = (
        int(lock) if lock else os.open(os.path.join(path, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.stderr.write(f"another agent runs in {path}\n")
        return 3
    os.set_inheritable(descriptor, False)
    from clary.compute.agent.process import start_time

    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # who reads the pid may signal it at once; the file `stop` is seen all the same
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()} {start_time(os.getpid())}\n".encode(), 0)
    os.umask(0o022)
    if os.path.exists(os.path.join(path, "process")):
        kill_leftovers(os.path.realpath(path))
    began = time.time()
    warm = None
    if told := os.environ.pop("CLARY_AGENT_TOLD", ""):
        from clary.compute.agent.standby import wait

        path, warm = wait(path, int(told))
        if not path:
            return 0
    try:
        attempt = Attempt(JobFolder(path), warm)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        # Without a readable spec there is no attempt; still the end is written where it is looked for.
        journal = Journal(path, os.path.basename(os.path.realpath(path)), 0, "")
        journal.event("failed", exit_code=None, reason="internal", message=f"InternalServerError: {error}", began=began)
        return 1
    return attempt.run()
