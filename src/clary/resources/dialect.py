"""How a service speaks of its resources: the verbs of its operations, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clary.core.errors import ServiceError


@dataclass(frozen=True, eq=False)
class Dialect:
    """One service's way to put the ordinary operations of its nouns into names and errors."""

    service: str
    """The service's name in botocore."""
    verbs: Mapping[str, tuple[str, ...]]
    """How operations spell each verb of the grammar; ``{noun}`` and ``{nouns}`` stand for the noun."""
    missing: Callable[[str, str, str], ServiceError]
    """Takes a noun, a name and an ARN, gives the error for a name that is not there."""
    present: Callable[[str, str, str], ServiceError]
    """The same for a name that is taken."""
    principal: str = ""
    """The service that a role must trust which a request hands on; empty where roles are not handed on."""
    small_names: bool = False
    """Whether names are kept in small letters, however a request writes them."""
    ignored: frozenset[str] = frozenset()
    """Members of requests that say nothing about the resource, such as the catalogue of the caller's own account."""
    owner: str = ""
    """The member of requests that names the account of what they are about, if that is another's than the caller's."""
    page: int = 10
    """How many rows a page has when the request does not say."""

    def spell(self, verb: str, noun: str) -> list[str]:
        """The names that the operation ``verb`` of ``noun`` may have."""
        return [
            pattern.format(noun=noun, nouns=nouns)
            for pattern in self.verbs.get(verb, ())
            for nouns in (_plurals(noun) if "{nouns}" in pattern else ("",))
        ]


def _plurals(noun: str) -> tuple[str, ...]:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return (f"{noun[:-1]}ies",)
    return (f"{noun}es",) if noun.endswith("s") else (f"{noun}s",)
