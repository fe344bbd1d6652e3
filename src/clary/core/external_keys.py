"""The keys with which the platform signs its requests to an external object store.

They are looked for in three places, the first of which counts: the private file ``secrets/objects.json`` of the home
folder, the environment of ``clary up``, and the AWS profile that the settings name. The default profile and
``AWS_ACCESS_KEY_ID`` do not count: in the shell of somebody who uses Clary they are keys of Clary itself.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clary.core.settings import Settings, SettingsError

ACCESS_KEY = "CLARY_OBJECTS_ACCESS_KEY"
SECRET_KEY = "CLARY_OBJECTS_SECRET_KEY"
TOKEN = "CLARY_OBJECTS_SESSION_TOKEN"
FILE = "objects.json"
_FRESH_SECONDS = 30.0
"""How long what a profile gave is used before it is asked again; it knows itself when its keys expire."""


@dataclass(frozen=True)
class Keys:
    """An access key of the external store; its secret is not shown."""

    access: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


class ExternalKeys:
    """Where the keys come from, and the keys. Raises ``SettingsError`` if there are none or they cannot be read."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        file = settings.secrets / FILE
        self.place = str(file)
        self._profile: Any = None
        self._lock = threading.Lock()
        self._until = float("inf")
        if file.exists():
            self._keys = _read(file)
        elif environ.get(ACCESS_KEY) or environ.get(SECRET_KEY):
            self.place = f"the environment ({ACCESS_KEY})"
            self._keys = Keys(environ.get(ACCESS_KEY, ""), environ.get(SECRET_KEY, ""), environ.get(TOKEN, ""))
        elif settings.objects_profile:
            self.place = f"the AWS profile {settings.objects_profile}"
            self._profile = _profile(settings.objects_profile)
            self._ask_profile()
        else:
            raise SettingsError(
                f"objects_url is set, and there are no keys for it: write {file} with AccessKeyId and SecretAccessKey, "
                f"set {ACCESS_KEY} and {SECRET_KEY}, or name an AWS profile in objects_profile"
            )
        if not (self._keys.access and self._keys.secret):
            raise SettingsError(f"the keys of the external store in {self.place} are not complete")

    @property
    def stale(self) -> bool:
        """Whether ``get`` may have to wait for others, as a profile that assumes a role does."""
        return time.monotonic() >= self._until

    def get(self) -> Keys:
        """The keys to sign with now."""
        if self.stale:
            self._ask_profile()
        return self._keys

    def _ask_profile(self) -> None:
        with self._lock:
            frozen = self._profile.get_frozen_credentials()
            self._keys = Keys(frozen.access_key, frozen.secret_key, frozen.token or "")
            self._until = time.monotonic() + _FRESH_SECONDS


def _read(file: Path) -> Keys:
    if file.stat().st_mode & 0o077:
        raise SettingsError(f"other users can read {file}; change that with: chmod go-rwx {file}")
    try:
        document = json.loads(file.read_text())
        return Keys(document["AccessKeyId"], document["SecretAccessKey"], document.get("SessionToken") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # What the file holds is not for a log.
        raise SettingsError(
            f"{file} must be a JSON object with AccessKeyId and SecretAccessKey ({type(error).__name__})"
        ) from None


def _profile(name: str) -> Any:
    # Only who uses it pays for loading it.
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        credentials = Session(profile=name).get_credentials()
    except BotoCoreError as error:
        raise SettingsError(f"objects_profile: {error}") from error
    if credentials is None:
        raise SettingsError(f"the AWS profile {name}, which objects_profile names, has no keys")
    return credentials
