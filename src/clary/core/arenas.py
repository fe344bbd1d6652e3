"""The memory of a process with many threads."""

from __future__ import annotations

_M_ARENA_MAX = -8
"""As in ``malloc.h``: https://man7.org/linux/man-pages/man3/mallopt.3.html"""


def share_memory(arenas: int = 2) -> None:
    """Let all threads take their memory from so many arenas.

    The C library gives each thread one of its own, and what is free in one is of no use to the others: a process
    that does the same work in a different thread each time grows for a long time.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other libraries have neither the function nor the arenas
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, arenas)
