"""What the edge asks of control for itself: the reset for tests, the sign-in of people, the sessions of browsers with
tracking servers, what Studio must know, how the work goes, and that control keeps what the edge has measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from clary.control import model
from clary.control.watching import Watching
from clary.core.errors import ServiceError, ValidationException
from clary.resources.context import Platform, ServiceApp
from clary.services import s3_notifications
from clary.services.iam.api import Identities
from clary.services.iam.sign_in import SignIns
from clary.services.kms.api import Keys
from clary.services.sagemaker.mlflow.api import Sessions, key_of
from clary.wire import plainly
from clary.wire.http import Request, Response

_STUDIO = "/_clary/studio/"


class OwnRequests:
    """Answers them; the edge has checked who may ask."""

    def __init__(
        self,
        identities: Identities,
        services: Mapping[str, ServiceApp],
        account: str,
        reset: Callable[[], None],
        keep_metrics: Callable[[bytes], None],
        platform: Platform,
        watching: Watching,
    ) -> None:
        self._watching = watching
        self._identities = identities
        self._sign_ins = SignIns(identities, identities.clock)
        self._tracking_sessions = Sessions(identities)
        self._keys = Keys(identities)
        self._services = services
        self._account = account
        self._reset = reset
        self._keep_metrics = keep_metrics
        self._platform = platform

    def answer(self, request: Request) -> Response:
        """One request."""
        try:
            told = self._told(request)
        except ServiceError as error:
            return plainly.refusal(error)
        if told is None:
            return Response(404, {"content-type": "application/json"}, b'{"message":"There is no such page."}')
        return Response(200, {"content-type": "application/json"}, orjson.dumps(told))

    def _told(self, request: Request) -> dict[str, Any] | None:
        page = (request.method, request.path.removeprefix(_STUDIO))
        if page == ("POST", "/_clary/reset"):
            self._reset()
            return {}
        if page == ("POST", "/_clary/metrics"):
            self._keep_metrics(request.body)
            return {}
        if page == ("POST", "/_clary/watching/numbers"):
            return self._watching.numbers()
        if page == ("POST", "/_clary/watching/work"):
            return self._watching.work()
        if page == ("POST", "/_clary/watching/own-problems"):
            return self._watching.own_problems()
        if page == ("POST", "/_clary/watching/problems"):
            return self._watching.problems(_members(request)["account"])
        if page == ("POST", "/_clary/mlflow/session"):
            members = _members(request)
            return {"session": self._tracking_sessions.begin(key_of(members["server"]), members["ticket"])}
        if page == ("POST", "/_clary/kms/managed"):
            members = _members(request)
            self._keys.refresh()
            return {"arn": self._keys.managed_key(members["account"], members["region"], members["service"]).arn}
        if page == ("POST", "/_clary/s3/notices"):
            return {"done": s3_notifications.deliver(self._platform, _document(request)["notices"])}
        if page == ("POST", "/_clary/s3/destinations"):
            asked = _document(request)
            found = s3_notifications.validate(self._platform, asked["account"], asked["bucket"], asked["destinations"])
            return {"invalid": found}
        if page == ("POST", "sign-in"):
            members = _members(request)
            return {"session": self._sign_ins.by_password(self._account, members["UserName"], members["Password"])}
        if page == ("POST", "sign-in/link"):
            return {"session": self._sign_ins.by_link(_members(request)["ticket"])}
        if page == ("POST", "sign-out"):
            self._sign_ins.end(self._sign_ins.read(_members(request)["session"])[1])
            return {}
        if page == ("GET", "model"):
            return model.nouns(self._services.values())
        words = page[1].split("/")
        if page[0] == "GET" and len(words) == 3 and words[0] == "model" and words[1] in self._services:
            return model.operation(words[1], words[2])
        return None


class _Text(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise ValidationException(f"{name} is required.")


class _Document(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        raise ValidationException(f"{name} is required.")


def _document(request: Request) -> _Document:
    """The body as an object. Raises ``ValidationException``."""
    try:
        members = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        members = None
    if not isinstance(members, dict):
        raise ValidationException("The request must be a JSON object.")
    return _Document(members)


def _members(request: Request) -> _Text:
    """The body as an object of texts. Raises ``ValidationException``."""
    try:
        members = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        members = None
    if not isinstance(members, dict) or not all(isinstance(value, str) for value in members.values()):
        raise ValidationException("The request must be a JSON object of texts.")
    return _Text(members)
