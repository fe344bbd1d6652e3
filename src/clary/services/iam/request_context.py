"""The condition keys of one request.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from clary.core.clock import iso
from clary.services.iam.conditions import as_texts
from clary.services.iam.principals import Principal
from clary.services.iam.subjects import Subject

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
            self._known[key] = None if value is None else (value,)
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
