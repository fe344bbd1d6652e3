"""How a child process notices that the process which started it is gone.

The parent holds the other end of the child's standard input and never writes to it; the kernel closes it whatever
way the parent ends, also by ``kill -9``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


def when_parent_leaves(act: Callable[[], None]) -> None:
    """Call ``act``, in a thread of its own, once standard input has ended. Without a pipe there, never."""
    threading.Thread(target=_watch, args=(act,), name="parent", daemon=True).start()


def _watch(act: Callable[[], None]) -> None:
    try:
        while os.read(0, 1024):
            pass
    except OSError:
        return
    act()
