"""The condition keys of one request.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from clary.core.clock import iso
from clary.services.iam.conditions import as_texts
from clary.services.iam.principals import Principal
from clary.services.iam.subjects import Subject

LATER = "aws:resourcetag/"
"""How a key of the whole platform begins that a resource has, instead of the request."""
_TYPES = {"root": "Account", "user": "User", "role": "AssumedRole"}


class RequestContext(Mapping[str, Sequence[str]]):
    """What is given of a request, and what follows from its caller and its resource; keys are in lower case."""

    def __init__(
        self,
        principal: Principal | None,
        subject: Subject | None,
        values: Mapping[str, Any],
        resource: str,
        clock: Callable[[], float],
    ) -> None:
        self._principal = principal
        self._subject = subject
        self._given = values
        self._resource = resource
        self._clock = clock
        self._known: dict[str, tuple[str, ...] | None] | None = None

    def get(self, key: str, default: Any = None) -> Any:
        """The values of a key, or ``default`` if the request has none."""
        # Most requests meet no condition and no variable, so that nothing of this is done for them.
        if self._known is None:
            self._known = {name.lower(): as_texts(value) for name, value in self._given.items() if value is not None}
        if key not in self._known:
            value = self._derived(key) if key.startswith("aws:") else None
            if value is None:
                value = self._given.get(key)
            self._known[key] = None if value is None else as_texts(value)
        values = self._known[key]
        return default if values is None else values

    def _derived(self, key: str) -> str | None:
        if key == "aws:currenttime":
            return iso(self._clock())
        if key == "aws:epochtime":
            return str(int(self._clock()))
        if key in ("aws:principalisawsservice", "aws:viaawsservice"):
            return "false"
        if key == "aws:resourceaccount":
            parts = self._resource.split(":", 5)
            owner = parts[4] if len(parts) == 6 else ""
            return owner or (self._principal.account if self._principal is not None else None)
        principal, subject = self._principal, self._subject
        if principal is None:
            return "Anonymous" if key == "aws:principaltype" else None
        if key.startswith("aws:principaltag/"):
            tags = {**(subject.tags if subject is not None else {}), **dict(principal.session_tags)}
            wanted = key.removeprefix("aws:principaltag/")
            return next((value for name, value in tags.items() if name.lower() == wanted), None)
        # For a role session, the ARN that policies mean is that of the role.
        values = {
            "aws:principalarn": subject.arn if subject is not None else principal.arn,
            "aws:principalaccount": principal.account,
            "aws:principalorgid": (subject.organization or None) if subject is not None else None,
            "aws:principaltype": _TYPES[principal.kind],
            "aws:userid": principal.user_id or None,
            "aws:username": principal.name if principal.kind == "user" else None,
        }
        return values.get(key)

    def __getitem__(self, key: str) -> Sequence[str]:
        values: Sequence[str] | None = self.get(key)
        if values is None:
            raise KeyError(key)
        return values

    def __iter__(self) -> Iterator[str]:
        return iter([name.lower() for name in self._given])

    def __len__(self) -> int:
        return len(self._given)


class ConditionKeys(Mapping[str, Any]):
    """The condition keys of one request about one resource, worked out when a policy asks for them.

    ``told`` gives those that the request has, and ``look`` those that its resource has, such as its tags: reading
    those costs a look into the database, and so nobody does before one of them is asked for. A request that says
    several things for a key that has one value, as a tuple, is asked about in that many ``rounds``.
    """

    def __init__(
        self, told: Callable[[], Mapping[str, Any]], look: Callable[[], Mapping[str, Any]], turn: int = 0
    ) -> None:
        self._tell = told
        self._look = look
        self._turn = turn

    @cached_property
    def _told(self) -> dict[str, Any]:
        turn = self._turn
        return {
            key: value[min(turn, len(value) - 1)] if isinstance(value, tuple) else value
            for key, value in self._tell().items()
        }

    @cached_property
    def _seen(self) -> dict[str, Any]:
        return {name.lower(): value for name, value in self._look().items()}

    @property
    def rounds(self) -> int:
        """How often the policies must be asked, by what they have asked for so far."""
        if "_told" not in vars(self):
            return 1
        return max((len(value) for value in self._tell().values() if isinstance(value, tuple)), default=1)

    def __getitem__(self, key: str) -> Any:
        if key in self._told:
            return self._told[key]
        key = key.lower()
        if key.startswith("aws:") and not key.startswith(LATER):
            raise KeyError(key)
        return self._seen[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    def __bool__(self) -> bool:
        # Whether there are any is nothing to work them out for.
        return True


def way_here(headers: Mapping[str, str], client: str, region: str) -> dict[str, str]:
    """The condition keys that every service has, of how a request came: ``client`` is the address that sent it.

    Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    values = {
        "aws:SecureTransport": "false",
        "aws:RequestedRegion": region,
        "aws:SourceIp": client,
        "aws:UserAgent": headers.get("user-agent", ""),
        "aws:Referer": headers.get("referer", ""),
    }
    return {key: value for key, value in values.items() if value}
