"""What a command says when it cannot do what it was asked."""

from __future__ import annotations


class Mistake(Exception):
    """Ends a command with a message for the person who typed it; ``code`` is the exit status."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class NotRunning(Mistake):
    """The installation that the command talks to does not run."""
