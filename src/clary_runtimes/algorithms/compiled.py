"""Functions compiled by numba. What it compiles is kept in the environment: only the first process waits for it.

numba's own cache needs a folder that can be written; one in an environment that is mounted read-only is used as it is.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba  # type: ignore[import-not-found]
from numba.core import caching  # type: ignore[import-not-found]

Function = TypeVar("Function", bound=Callable[..., Any])

FOLDER = Path(sys.prefix) / "share" / "clary" / "compiled"


class _InEnvironment(caching.InTreeCacheLocator):  # type: ignore[misc]
    """Names the cache's folder; its files hold a digest of the source and the kind of processor."""

    def get_cache_path(self) -> str:
        return str(FOLDER)

    def ensure_cache_path(self) -> None:
        with contextlib.suppress(OSError):
            FOLDER.mkdir(parents=True, exist_ok=True)


class _Files(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_InEnvironment,)


class _Cache(caching.FunctionCache):  # type: ignore[misc]
    _impl_class = _Files

    def save_overload(self, signature: object, compiled: object) -> None:
        with contextlib.suppress(OSError):  # the folder is read-only
            super().save_overload(signature, compiled)


def kernel(function: Function) -> Function:
    """``function`` compiled at its first call; it lets other threads of Python run meanwhile."""
    found = numba.njit(nogil=True)(function)
    found._cache = _Cache(function)
    result: Function = found
    return result


def part(function: Function) -> Function:
    """``function`` compiled as a part of the kernels that call it."""
    found: Function = numba.njit(function)
    return found
