"""The fixtures of Studio's tests: a Clary of their own, real resources, and a headless Chromium."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clary.cli.installation import Installation
from clary.core.settings import load
from clary.studio import STATIC
from clary.testing.server import Server, server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext


def _share(name: str) -> Any:
    """Load a module beside this file so that tests, which pytest imports one by one, can import it by its name."""
    specification = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


_pages = _share("studio_pages")
_share("studio_serving")
_share("studio_tuning")
_contents = _share("studio_contents")
_share("studio_places")


@pytest.fixture(scope="session")
def studio_server() -> Iterator[Server]:
    """A Clary that no other test empties."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("Studio is not built in this checkout: npm's registry was not to be reached")
    with server() as running:
        yield running


@pytest.fixture(scope="session")
def contents(studio_server: Server) -> Any:
    """Something of everything that Studio has pages for."""
    return _contents.fill(studio_server)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one file: its event loop is in the way of tests that run one themselves."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = _pages.chromium(playwright)
        yield browser
        browser.close()


def link(running: Server, environ: Mapping[str, str] | None = None) -> str:
    """A one-time link for the administrator."""
    return Installation(load(running.home, environ or {})).studio_link()


@pytest.fixture
def one_time_link() -> Callable[..., str]:
    return link


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, studio_server: Server) -> Any:
    """What a browser keeps of the administrator's sign-in."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(link(studio_server))
    page.get_by_role("heading", level=1, name="Home").wait_for()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def tab(chromium: Browser, studio_server: Server) -> Iterator[Callable[..., Any]]:
    """Opens tabs, each in a browser profile of its own; when the test ends, none of them may have had a problem."""
    contexts: list[BrowserContext] = []
    tabs: list[Any] = []

    def open_tab(state: Any = None, base: str = "", width: int = 1440, height: int = 900, **options: Any) -> Any:
        context = chromium.new_context(
            storage_state=state, viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        tabs.append(_pages.Studio(context.new_page(), base or f"{studio_server.url}/studio"))
        return tabs[-1]

    yield open_tab
    for opened in tabs:
        opened.check()
    for context in contexts:
        context.close()


@pytest.fixture
def studio(tab: Callable[..., Any], signed_in: Any) -> Any:
    """A tab in which the administrator is signed in."""
    return tab(signed_in)


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder that pictures of all pages go to: ``$CLARY_STUDIO_SCREENSHOTS`` or ``.cache/studio-screenshots``."""
    folder = Path(os.environ.get("CLARY_STUDIO_SCREENSHOTS") or _pages.ROOT / ".cache" / "studio-screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
