"""Where the edge's S3 is kept: the platform's own store, or an external one that the settings name."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from clary.core.external_keys import ExternalKeys
from clary.core.settings import Settings
from clary.edge.external.app import ExternalS3
from clary.edge.external.forwarding import Store
from clary.services.s3.call import Authorize
from clary.services.s3.http import S3Request, S3Response


class S3(Protocol):
    """What answers requests to S3 whose signatures hold."""

    def handle(self, request: S3Request) -> Awaitable[S3Response]:
        """The answer, of an error too."""
        ...


def external(settings: Settings, authorize: Authorize) -> ExternalS3 | None:
    """S3 over the external store that the settings name; None if they name none. Raises ``SettingsError`` if there are
    no keys for it."""
    if not settings.objects_url:
        return None
    store = Store(settings.objects_url, settings.objects_region, ExternalKeys(settings))
    return ExternalS3(settings, store, authorize)
