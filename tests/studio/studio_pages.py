"""What a test sees of Studio: a page that watches itself, and accessibility as axe judges it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, Request, expect

ROOT = Path(__file__).parents[2]
AXE = ROOT / "src" / "clary" / "studio" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""The rules that a page must keep: levels A and AA of WCAG 2.2."""
SOON_MS = 15_000
"""How long a page may take to show what a test waits for, on a busy machine."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium(playwright: Playwright) -> Browser:
    """The browser of this machine, without a window and asking nobody. Raises ``FileNotFoundError``."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise FileNotFoundError("chromium is needed: sudo apt-get install chromium")
    return playwright.chromium.launch(executable_path=program, args=list(FLAGS))


@dataclass
class Studio:
    """A browser's tab that shows Studio, and all that it asked for and complained of."""

    page: Page
    base: str
    """The address of Studio, without a slash at its end."""
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Errors and warnings of the console, and exceptions that nothing caught."""
    expected: list[str] = field(default_factory=list)
    """Parts of problems that a test provokes."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(SOON_MS)
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.requests.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def open(self, path: str = "/") -> None:
        """Show a page by its path below Studio, and wait until it is there."""
        self.page.goto(self.base + path)
        self.settle()

    def settle(self) -> None:
        """Wait until the page has its heading and waits for nothing that it shows as loading."""
        expect(self.page.get_by_role("heading", level=1).first).to_be_visible(timeout=SOON_MS)
        expect(self.page.locator("[class*=awsui_spinner]:visible")).to_have_count(0, timeout=SOON_MS)

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", level=1, name=name)

    def button(self, name: str, exact: bool = True) -> Locator:
        return self.page.get_by_role("button", name=name, exact=exact)

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def theme(self, name: str) -> None:
        """Make this browser show all pages in a theme."""
        self.page.evaluate("name => localStorage.setItem('clary-theme', name)", name)

    def check(self) -> None:
        """Nothing went wrong that the test did not provoke, and nothing left this machine."""
        wrong = [each for each in self.problems if not any(part in each for part in self.expected)]
        assert not wrong, "\n".join(wrong)
        host = urlsplit(self.base).netloc
        assert {urlsplit(url).netloc for url in self.requests} <= {host}

    def violations(self) -> list[str]:
        """What hinders people, as axe finds it: each rule with the first element that breaks it."""
        # Evaluated as the debugger's, which the page's policy does not bind.
        self.page.evaluate(AXE.read_text("utf-8"))
        found: dict[str, Any] = self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
        )
        return [
            f"{each['id']}: {each['help']}; {len(each['nodes'])} times, as in {each['nodes'][0]['html'][:300]}"
            for each in found["violations"]
        ]


def path(*names: str) -> str:
    """A path below Studio of names."""
    return "/" + "/".join(quote(name, safe="") for name in names)
