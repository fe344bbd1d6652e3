"""Bytes from one socket to another and back, for what has no network in common."""

from __future__ import annotations

import _queue as queue
import _socket as socket
import _thread  # `threading` takes as long to import as all that a job's network needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1 << 18
LARGEST = 256
"""Connections at a time; further ones wait until one is over. What connects is a job, which could open any number."""


def relay(listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
    """From now on carry each connection to ``listener`` on to one that ``connect`` makes, in threads of their own, as
    long as this process lives."""
    _thread.start_new_thread(_accept, (listener, connect))


def _accept(listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
    free: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(LARGEST):
        free.put(None)
    while True:
        free.get()
        try:
            number, _ = listener._accept()  # type: ignore[attr-defined]  # typeshed knows it as `socket` alone
        except ConnectionAbortedError:
            free.put(None)  # whoever came has gone
            continue
        except OSError:
            return  # closed
        _thread.start_new_thread(_carry, (socket.socket(fileno=number), connect, free))


def _carry(near: socket.socket, connect: Callable[[], socket.socket], free: queue.SimpleQueue[None]) -> None:
    try:
        far = connect()
    except OSError:
        near.close()  # as if nobody listened
        free.put(None)
        return
    for each in (near, far):
        if each.family != socket.AF_UNIX:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    back = _thread.allocate_lock()
    back.acquire()
    _thread.start_new_thread(_pump, (far, near, back.release))
    _pump(near, far, lambda: None)
    back.acquire()
    near.close()
    far.close()
    free.put(None)


def _pump(source: socket.socket, target: socket.socket, over: Callable[[], None]) -> None:
    try:
        while data := source.recv(CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)  # so that the other direction ends as well
            except OSError:
                pass  # it was over already
    finally:
        over()
