"""Where objects are kept, and whether that place answers: for ``clary status`` and ``clary doctor``."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

from clary.cli.installation import Installation
from clary.cli.mistakes import Mistake
from clary.core.external_keys import ExternalKeys
from clary.core.settings import SettingsError

_PATIENCE_S = 15.0
"""A little more than the platform itself waits for a connection."""


def describe(installation: Installation) -> dict[str, str]:
    """``store`` (``own`` or ``external``), its ``place``, and the ``problem`` with it, empty if it can be used.

    The running platform tells, which may have other settings than this shell, and asks an external store with its keys;
    while none runs, the store is only asked whether it is there.
    """
    settings = installation.settings
    found = {"store": "own", "place": str(settings.objects), "problem": ""}
    if settings.objects_url:
        found |= {"store": "external", "place": settings.objects_url}
    try:
        if installation.running is not None:
            status, body = installation.client(_PATIENCE_S).send("GET", "/_clary/objects", "clary")
            document = json.loads(body)
            if status != 200:
                return found | {"problem": str(document.get("message", f"status {status}"))}
            return {name: str(document[name]) for name in found}
        if settings.objects_url:
            ExternalKeys(settings)
            found["problem"] = _silence(settings.objects_url)
    except (SettingsError, Mistake) as error:
        found["problem"] = str(error)
    except (OSError, ValueError, KeyError) as error:
        found["problem"] = f"the platform does not say whether it answers: {error!r}"
    return found


def _silence(url: str) -> str:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        return f"it does not answer: {error}"
    finally:
        connection.close()
    return ""
