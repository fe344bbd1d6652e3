"""What the quickstart shows while it works."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Say = Callable[[str], None]


class Display:
    """Stages one after another, each with a line of progress and its time."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self.times: list[tuple[str, float]] = []

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[Say]:
        """One stage. What is yielded shows a line of progress: on a terminal in place, else as a line of its own."""
        began = time.monotonic()
        with self.console.status(f"{title} …") as status:
            shown = ""

            def say(text: str) -> None:
                nonlocal shown
                # The algorithms' logs carry a tab as AWS's do, spelled out.
                text = text.replace("#011", "  ")
                if text == shown:
                    return
                shown = text
                if self.console.is_terminal:
                    room = max(20, self.console.width - len(title) - 8)
                    status.update(f"{title} … [dim]{escape(text[:room])}[/dim]")
                else:
                    self.console.print(f"    {escape(text)}")

            try:
                yield say
            except BaseException:
                self.console.print(f"[red]✗[/red] {title}  [dim]{time.monotonic() - began:.1f} s[/dim]")
                raise
        seconds = time.monotonic() - began
        self.times.append((title, seconds))
        self.console.print(f"[green]✓[/green] {title:<44} [dim]{seconds:5.1f} s[/dim]")

    def note(self, text: str) -> None:
        """A line that stays."""
        self.console.print(f"    [dim]{escape(text)}[/dim]")

    def results(self, rows: int, accuracy: float, area: float) -> None:
        """The table at the end."""
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(justify="left")
        table.add_column(justify="right")
        for title, seconds in self.times:
            table.add_row(title, f"{seconds:.1f} s")
        table.add_row("[bold]Total[/bold]", f"[bold]{sum(seconds for _, seconds in self.times):.1f} s[/bold]")
        table.add_section()
        table.add_row("", "")
        table.add_row("Held-out rows", str(rows))
        table.add_row("[bold]Accuracy[/bold]", f"[bold]{accuracy:.3f}[/bold]")
        table.add_row("[bold]AUC[/bold]", f"[bold]{area:.3f}[/bold]")
        self.console.print()
        self.console.print(table)
