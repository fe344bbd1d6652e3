"""Studio's files: the page that stands at every address below it, and the scripts, styles and fonts that it loads."""

from __future__ import annotations

import gzip
import html
import mimetypes
from functools import cached_property
from pathlib import Path

from clary.wire.http import Request, Response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # The design system sets styles of single elements, such as the widths of columns.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""What the pages may load and do; nothing from elsewhere, and no script that somebody wrote into a name."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_ABSENT = b"Studio is not built in this installation: its pages need npm's registry once. See docs/studio.md.\n"


class StudioPages:
    """The files in ``folder``, served below ``prefix`` + ``/studio/``."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix

    def answer(self, request: Request) -> Response:
        """A file, or the page; only GET and HEAD."""
        if request.method not in ("GET", "HEAD"):
            return Response(405, {"allow": "GET, HEAD"}, b"")
        name = request.path.removeprefix("/studio").lstrip("/")
        if (asset := self._assets.get(name)) is not None:
            return self._asset(request, name, asset)
        if name.startswith("assets/"):
            return Response(404, dict(HEADERS), b"")
        if not self._page:
            return Response(404, {**HEADERS, "content-type": "text/plain; charset=utf-8"}, _ABSENT)
        headers = {**HEADERS, "content-type": "text/html; charset=utf-8", "cache-control": "no-cache"}
        return Response(200, headers, self._page)

    def _asset(self, request: Request, name: str, asset: tuple[bytes, bytes]) -> Response:
        whole, packed = asset
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        # Files whose names carry a hash of what is in them never change.
        kept = "public, max-age=31536000, immutable" if name.startswith("assets/") else "public, max-age=3600"
        headers = {**HEADERS, "content-type": kind, "cache-control": kept, "vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", "") and len(packed) < len(whole):
            return Response(200, {**headers, "content-encoding": "gzip"}, packed)
        return Response(200, headers, whole)

    @cached_property
    def _assets(self) -> dict[str, tuple[bytes, bytes]]:
        """All files by name, plain and packed: a few megabytes, read when somebody first opens Studio."""
        return {
            file.relative_to(self._folder).as_posix(): (data := file.read_bytes(), gzip.compress(data, 6))
            for file in sorted(self._folder.rglob("*"))
            if file.is_file() and file.name != "index.html" and not file.name.startswith(".")
        }

    @cached_property
    def _page(self) -> bytes:
        file = self._folder / "index.html"
        if not file.is_file():
            return b""
        base = f'<base href="{html.escape(self._prefix)}/studio/" />'
        return file.read_text("utf-8").replace("<head>", f"<head>\n    {base}", 1).encode()
