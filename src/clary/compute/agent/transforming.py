"""The work of a batch transform: from the objects of the input, through the model, to the objects of the output."""

from __future__ import annotations

import os
import threading
import time
from queue import Queue, SimpleQueue

from clary.compute.agent.associating import Association, AssociationError
from clary.compute.agent.channel import Channel, split_uri
from clary.compute.agent.documents import dumps, loads
from clary.compute.agent.flow import Sink
from clary.compute.agent.invocation import InvocationError, Model, Parameters
from clary.compute.agent.journal import Log, end_line
from clary.compute.agent.outgoing import encrypted, refused
from clary.compute.agent.records import CHUNK, Plain, RecordError, Unzipped, payloads
from clary.compute.agent.s3 import Interrupted, Store, StoreError
from clary.compute.agent.staging import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from clary.compute.agent.attempt import Attempt

MB = 1 << 20
AHEAD = 4
"""Objects that may wait for their upload."""
SEE_LOGS = "See job logs for more information"


class Object:
    """One object of the input."""

    def __init__(self, bucket: str, key: str, name: str) -> None:
        self.bucket = bucket
        self.key = key
        self.name = name
        """Relative to the input, as its output is called relative to the output."""
        self.failed = False

    @property
    def label(self) -> str:
        return f"{self.bucket}/{self.key}"


class Call:
    """One request to the model, and its answer."""

    def __init__(self, source: Object, payload: bytes, file: int = -1) -> None:
        """``file`` is read instead of ``payload`` where that may be of any length, and belongs to the call."""
        self.source = source
        self.payload = payload
        self.file = file
        self.records: list[Any] = []
        self.answer = b""
        self.spool = ""
        """The file that has the answer, where that may be of any length."""
        self.error: InvocationError | AssociationError | None = None
        self.done = threading.Event()


class Work:
    """What one attempt does, once the model server is healthy."""

    def __init__(self, attempt: Attempt, over: threading.Event) -> None:
        """It ends early when ``over`` is set."""
        assert attempt.spec.transform is not None
        self._folder = attempt.folder
        self._transform = attempt.spec.transform
        self._association = Association(self._transform)
        self._log = Log(attempt.folder.path, name="data-log")
        self._over = over
        self._wanted: Callable[[], bool] = lambda: not (over.is_set() or attempt.stop_wanted())
        self._ends: SimpleQueue[BaseException | None] = SimpleQueue()
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._answers: SimpleQueue[Call | Object | None] = SimpleQueue()
        self._uploads: Queue[tuple[Object, str] | None] = Queue(AHEAD)
        self._lock = threading.Lock()
        self._spools = 0
        self.failure: tuple[str, str] | None = None
        """Reason and message of the first object that could not be transformed."""
        self.unanswered = False
        """Whether a request got no answer at all."""

    def run(self, addresses: Sequence[str], names: Sequence[str]) -> None:
        """Transform everything, with the containers at ``addresses`` (see ``Model``). Raises what the attempt ends
        with: ``DataError``, ``StoreUnreachable``, ``Interrupted`` and ``OSError``."""
        self._parameters = parameters = Parameters(self._transform, addresses[0])
        self._say(str(parameters))
        # So many payloads are there at most: half of them with the model, the others ready for it.
        self._room = threading.Semaphore(2 * parameters.concurrent)
        invoke = [lambda: self._invoke(Model(addresses, names, self._transform, self._over))] * parameters.concurrent
        parts = [lambda: self._read(len(invoke)), *invoke, self._assemble, self._upload]
        for part in parts:
            threading.Thread(target=self._guarded, args=(part,), daemon=True).start()
        for _ in parts:
            if (error := self._ends.get()) is not None:
                # The other threads may wait for one that is no more; nobody waits for them.
                self._over.set()
                raise error
        if self._transform.capture and self.failure is None:
            from clary.compute.agent.capturing import write_manifests

            write_manifests(self._folder, connect(self._folder, self._wanted), list(self._done()))

    def _guarded(self, part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as error:  # noqa: BLE001 - the thread that waits for this one raises it
            self._ends.put(error)
        else:
            self._ends.put(None)

    # -- reading

    def _read(self, workers: int) -> None:
        store = connect(self._folder, self._wanted)
        channel = Channel(self._transform.source, self._folder, store)
        done = {(bucket, key) for bucket, key, _ in self._done()}
        try:
            for bucket, key, name, _ in channel.members():
                if not key.endswith("/") and (bucket, key) not in done:
                    self._object(store, channel, Object(bucket, key, name))
        except StoreError as error:
            raise channel.missing(error) from error
        for _ in range(workers):
            self._calls.put(None)
        self._answers.put(None)

    def _object(self, store: Store, channel: Channel, source: Object) -> None:
        opened = _Opened(self._folder.file("input"))
        try:
            store.read(source.bucket, source.key, opened)
            for call in self._pieces(source, opened.take()):
                self._room.acquire()
                if not self._wanted():
                    raise Interrupted
                self._answers.put(call)
                self._calls.put(call)
                if source.failed:
                    break
        except StoreError as error:
            self._fail(source, "client", [str(channel.unavailable(f"s3://{source.label}", error))])
        except (RecordError, AssociationError) as error:
            self._fail(source, "client", [str(error)])
        finally:
            opened.close()
        self._answers.put(source)

    def _pieces(self, source: Object, file: int) -> Iterator[Call]:
        transform, parameters = self._transform, self._parameters
        opened = Unzipped(file) if transform.unzip else Plain(file)
        try:
            if not parameters.payload_mb and not self._association.needed and self._is_whole():
                yield Call(source, b"", os.dup(file))
                return
            for payload in payloads(opened.read, transform.split, parameters.single, parameters.payload_mb * MB):
                call = Call(source, payload)
                if self._association.needed:
                    call.payload, call.records = self._association.take(payload)
                yield call
        finally:
            opened.close()

    def _is_whole(self) -> bool:
        """Whether an object without a limit is one payload."""
        split = self._transform.split
        return split == "None" or not self._parameters.single

    # -- the model

    def _invoke(self, model: Model) -> None:
        try:
            while (call := self._calls.get()) is not None:
                try:
                    if not (call.source.failed or self._over.is_set()):
                        self._ask(model, call)
                except (InvocationError, AssociationError) as error:
                    call.error = error
                finally:
                    if call.file >= 0:
                        os.close(call.file)
                    call.payload = b""
                    call.done.set()
        finally:
            model.close()

    def _ask(self, model: Model, call: Call) -> None:
        if call.file < 0:
            answer = model.invoke(call.payload)
            call.answer = self._association.give(call.records, answer) if self._association.needed else answer
            return
        call.spool = self._spool()

        def pieces() -> Iterator[bytes]:
            opened = Unzipped(os.dup(call.file)) if self._transform.unzip else Plain(os.dup(call.file))
            try:
                yield from iter(lambda: opened.read(CHUNK), b"")
            finally:
                opened.close()

        def take(answer: Iterator[bytes]) -> None:
            with open(call.spool, "wb") as file:
                for piece in answer:
                    file.write(piece)

        try:
            model.stream(pieces, take)
        except RecordError as error:
            raise AssociationError(str(error)) from error

    # -- the output

    def _assemble(self) -> None:
        path = ""
        while (item := self._answers.get()) is not None:
            if isinstance(item, Object):
                if not item.failed:
                    if not path:
                        path = self._spool()
                        with open(path, "wb"):
                            pass  # of nothing comes nothing
                    self._uploads.put((item, path))
                elif path:
                    os.unlink(path)
                path = ""
                continue
            item.done.wait()
            self._room.release()
            if not self._wanted():
                raise Interrupted
            if isinstance(item.error, InvocationError):
                self.unanswered = self.unanswered or item.error.unanswered
                self._fail(item.source, item.error.reason, item.error.lines)
            elif item.error is not None:
                self._fail(item.source, "client", [str(item.error)])
            if item.source.failed:
                continue
            path = path or self._spool()
            self._write(path, item)
        self._uploads.put(None)

    def _write(self, path: str, call: Call) -> None:
        if call.spool:
            os.rename(call.spool, path)  # the only answer of its object
            if self._transform.assemble_lines:
                with open(path, "a+b") as whole:
                    end_line(whole.fileno())
            return
        answer = call.answer
        # Joined and filtered records are lines wherever the input is split, as their answers could not be told apart.
        lines = self._transform.assemble_lines or (self._association.needed and self._transform.split != "None")
        with open(path, "ab", buffering=0) as file:
            view = memoryview(answer)
            while view:
                view = view[file.write(view) :]
            if lines and answer and not answer.endswith(b"\n"):
                file.write(b"\n")

    def _upload(self) -> None:
        store = connect(self._folder, self._wanted)
        transform = self._transform
        bucket, prefix = split_uri(transform.output)
        prefix = prefix.rstrip("/") + "/" if prefix.rstrip("/") else ""
        while (item := self._uploads.get()) is not None:
            source, path = item
            with open(path, "rb") as file:
                try:
                    store.put(bucket, f"{prefix}{source.name}.out", file.fileno(), encrypted(transform.output_key))
                except StoreError as error:
                    raise refused(self._folder.spec, transform.output, transform.output_key, error) from error
            self._note_done(source)
            os.unlink(path)

    def _spool(self) -> str:
        with self._lock:
            self._spools += 1
            return self._folder.file(f"output-{self._spools}")

    # -- what is remembered, and what is said

    def _done(self) -> Iterator[tuple[str, str, str]]:
        """Bucket, key and name of the objects that this attempt and earlier ones of the job have transformed."""
        try:
            with open(self._folder.file("done"), encoding="utf-8") as file:
                for line in file:
                    # An agent may have been killed while it wrote; those of versions before wrote no names.
                    if line.endswith("]\n") and len(entry := loads(line)) == 3:
                        bucket, key, name = entry
                        yield bucket, key, name
        except FileNotFoundError:
            pass

    def _note_done(self, source: Object) -> None:
        file = os.open(self._folder.file("done"), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            end_line(file)
            os.write(file, (dumps([source.bucket, source.key, source.name]) + "\n").encode())
        finally:
            os.close(file)

    def _fail(self, source: Object, reason: str, lines: list[str]) -> None:
        """An object cannot be transformed: the others are all the same, and the job fails in the end."""
        with self._lock:
            if source.failed:
                return
            source.failed = True
            word = "ClientError" if reason == "client" else "AlgorithmError"
            self.failure = self.failure or (reason, f"{word}: {SEE_LOGS}")
        for line in lines:
            self._say(f"{source.label}: {line}")

    def _say(self, text: str) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        self._log.note(f"{stamp}.{int(now % 1 * 1000):03d}:[sagemaker logs]: {text}")


class _Opened(Sink):
    """An object as an open file: the store's own on this machine, else a copy in the job's folder."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1
        self._copies = False

    def file(self, file: int) -> None:
        self.close()
        self._file = os.dup(file)

    def data(self, data: bytes) -> None:
        if self._file < 0:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            os.unlink(self._path)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]

    def take(self) -> int:
        """The descriptor, which is the caller's from now on."""
        if self._file < 0:
            self.data(b"")
        file, self._file = self._file, -1
        return file

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
