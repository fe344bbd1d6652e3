"""Where a tracking server is reached: its API below the platform's own address, its pages under a host name of their
own, so that what runs in them is of another origin than everything else."""

from __future__ import annotations

from urllib.parse import urlsplit

from clary.core.settings import Settings

PATH = "/_clary/mlflow/"
KIND = "mlflow-tracking-server"
"""What the routes of tracking servers are called, before their names: so do their ARNs."""


def api_url(settings: Settings, server: str) -> str:
    """The address of the server with this id, for MLflow's clients."""
    return f"{settings.public_url.rstrip('/') or settings.url}{PATH}{server}"


def pages_host(settings: Settings, server: str) -> str:
    """The host name of the server's pages, without a port; empty where the settings name no ``content_host``."""
    return f"{server}.{settings.content_host_name}" if settings.content_host_name else ""


def pages_url(settings: Settings, server: str) -> str:
    """The address of the server's pages, for browsers; empty as ``pages_host``."""
    host = pages_host(settings, server)
    public = urlsplit(settings.public_url or settings.url)
    return f"{public.scheme}://{host}{f':{public.port}' if public.port else ''}" if host else ""


def server_of(settings: Settings, host: str) -> str:
    """The id of the server whose pages have this host name (with or without a port), if it is one; else empty."""
    if not host.startswith("t-") or not settings.content_host_name:
        return ""
    server, _, domain = host.partition(":")[0].rstrip(".").lower().partition(".")
    return server if domain == settings.content_host_name else ""
