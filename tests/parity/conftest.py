"""The fixtures of the parity tests."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clary.testing.server import Server


def _share(name: str) -> Any:
    """Load a module beside this file so that tests, which pytest imports one by one, can import it by its name."""
    specification = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


_lab = _share("parity_lab")
_clients = _share("parity_clients")
_share("parity_transform")


@pytest.fixture
def lab(clary_aws: Server) -> Any:
    """The session's server, empty but for the bucket ``parity``: a ``parity_lab.Lab``."""
    return _lab.Lab(clary_aws)


@pytest.fixture(scope="session")
def client_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Gives the client named by a file in ``clients/`` as a ``parity_clients.Client``."""

    def client(name: str) -> Any:
        return _clients.Client(_clients.environment(name), tmp_path_factory.mktemp(name))

    return client
