"""Pipe mode: the objects of a channel run through FIFOs, one an epoch, while the job reads them.

``/opt/ml/input/data/train_0`` is the first epoch of the channel ``train``. The reader may close it early; the FIFO of
the next epoch is there before this one ends. Nothing is kept on the disk and little in memory, however much there is.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from __future__ import annotations

import os
import stat
import threading
import time

from clary.compute.agent.channel import Channel, DataError, split_uri
from clary.compute.agent.flow import Flow
from clary.compute.agent.s3 import Interrupted, StoreError, StoreUnreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from clary.compute.agent.folder import JobFolder
    from clary.compute.agent.s3 import Store
    from clary.compute.spec import Input

ENDS_S = 5.0
"""Seconds that a feeder has to end once nobody reads any more."""


_BY_DESCRIPTOR = hasattr(os, "O_PATH") and os.path.isdir("/proc/self/fd")


class PipeFailure(Exception):
    """A channel cannot be streamed any further. ``reason`` is the class of the failure, the text is for the user."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Pipes:
    """The streamed channels of a job: ``add`` before the process starts, ``turn`` while it runs, ``close`` after."""

    def __init__(self, folder: JobFolder, store: Callable[[Callable[[], bool]], Store]) -> None:
        """``store`` gives a new connection to the store, which is used as long as what it is given says so."""
        self._folder = folder
        self._store = store
        self._over = threading.Event()
        self._feeders: list[_Feeder] = []

    def add(self, source: Input) -> None:
        """Make the first FIFOs of a channel, once there is something to stream. Raises ``DataError`` and others as
        ``Channel`` does."""
        channel = Channel(source, self._folder, self._store(lambda: not self._over.is_set()))
        try:
            channel.check()
        except StoreError as error:
            raise channel.missing(error) from error
        feeder = _Feeder(channel, self._folder, self._store(lambda: not self._over.is_set()), self._over)
        try:
            feeder.make(0)
        except FileExistsError as error:
            raise DataError(
                f"The pipe {source.path}_0 has the name of another input of the job; rename one of the channels."
            ) from error
        self._feeders.append(feeder)

    def start(self) -> None:
        """Begin to wait for readers."""
        for feeder in self._feeders:
            feeder.start()

    def turn(self) -> str | None:
        """Why the job cannot go on, if so."""
        failure = self.failure
        return None if failure is None else str(failure)

    def release(self) -> None:
        """Let go of the pipes of channels that have failed, now that the job has been told: what was read before the
        signal came must not look like all of the data."""
        for feeder in self._feeders:
            feeder.told.set()

    @property
    def failure(self) -> PipeFailure | None:
        """The first failure of any channel."""
        return next((feeder.failure for feeder in self._feeders if feeder.failure is not None), None)

    def close(self) -> None:
        """End the streaming; to be called when the job's process is gone."""
        self._over.set()
        until = time.monotonic() + ENDS_S
        for feeder in self._feeders:
            feeder.told.set()
            while feeder.is_alive() and time.monotonic() < until:
                feeder.release()
                feeder.join(0.01)


class _Feeder(threading.Thread):
    """Feeds one channel's FIFOs, one after the other."""

    def __init__(self, channel: Channel, folder: JobFolder, store: Store, over: threading.Event) -> None:
        # A daemon: where the job has taken the FIFO away, nothing ends the waiting for its reader.
        super().__init__(daemon=True)
        self.failure: PipeFailure | None = None
        self.told = threading.Event()
        self._channel = channel
        self._store = store
        self._over = over
        self._epoch = 0
        self._held: dict[int, int] = {}
        source = channel.source
        try:
            path = folder.host_path(source.path)
        except ValueError as error:
            raise DataError(f"The input path {error}.") from error
        self._name = os.path.basename(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # All names are looked up in this folder, whatever the job makes of the path to it.
        self._place = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._flow = Flow(source, store, folder.file(f"spool-{self._name}"))

    def make(self, epoch: int) -> None:
        """Make the FIFO of an epoch."""
        name = f"{self._name}_{epoch}"
        os.mkfifo(name, 0o644, dir_fd=self._place)
        if _BY_DESCRIPTOR:
            # From here on this very FIFO is meant, whatever the job makes of its name.
            self._held[epoch] = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._place)

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self.make(self._epoch + 1)
            except FileExistsError:
                pass  # the job made something of that name; its own loss
            except OSError as error:
                self._fail("internal", f"InternalServerError: {error}")
                return
            pipe = self._open()
            if pipe is None:
                return
            try:
                if not self._feed(pipe):
                    return
            finally:
                os.close(pipe)
            self._done()
            self._epoch += 1

    def release(self) -> None:
        """Let ``_open`` return that waits for a reader."""
        try:
            os.close(self._reach(os.O_RDONLY | os.O_NONBLOCK))
        except OSError:
            pass  # the job has removed it

    def _reach(self, way: int) -> int:
        """Open the FIFO of this epoch."""
        held = self._held.get(self._epoch)
        if held is not None:
            return os.open(f"/proc/self/fd/{held}", way | os.O_CLOEXEC)
        return os.open(f"{self._name}_{self._epoch}", way | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._place)

    def _open(self) -> int | None:
        """The FIFO of this epoch, once somebody reads it; None if nobody will."""
        try:
            pipe = self._reach(os.O_WRONLY)
        except OSError:
            return None
        # What the job may have put in its place is not written to.
        if self._over.is_set() or not stat.S_ISFIFO(os.fstat(pipe).st_mode):
            os.close(pipe)
            return None
        return pipe

    def _done(self) -> None:
        """Remove the FIFO of this epoch: who opened it again would wait for ever."""
        try:
            os.unlink(f"{self._name}_{self._epoch}", dir_fd=self._place)
        except OSError:
            pass  # the job has removed it
        if self._epoch in self._held:
            os.close(self._held.pop(self._epoch))

    def _feed(self, pipe: int) -> bool:
        """Stream one epoch; false if that was the last."""
        uri = self._channel.source.uri
        try:
            self._flow.begin(pipe)
            for uri, text in self._channel.pieces(self._epoch):
                if uri:
                    self._flow.object(*split_uri(uri))
                else:
                    self._flow.text(text)
            return True
        except BrokenPipeError:
            return True  # closed early: on to the next epoch
        except Interrupted:
            return False
        except StoreError as error:
            self._fail("client", f"ClientError: {self._channel.unavailable(uri, error)}")
        except DataError as error:
            self._fail("client", f"ClientError: {error}")
        except StoreUnreachable as error:
            self._fail("internal", f"InternalServerError: {error}")
        except OSError as error:
            self._fail("internal", f"InternalServerError: the channel {self._name} cannot be streamed: {error}")
        return False

    def _fail(self, reason: str, message: str) -> None:
        self.failure = PipeFailure(reason, message)
        self.told.wait()
