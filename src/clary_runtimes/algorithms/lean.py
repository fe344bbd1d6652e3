"""Importing a library without what it only offers to others.

XGBoost and LightGBM import pandas and scikit-learn to fit in with them, where they are installed. A model server that
needs neither would start later for it, and hold 55 MB more, at every endpoint.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


def do_without(*names: str) -> None:
    """From now on these modules cannot be imported in this process, unless they are already."""
    for name in names:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


@contextmanager
def without(*names: str) -> Iterator[None]:
    """For the body of a ``with`` statement these modules cannot be imported, unless they are already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
