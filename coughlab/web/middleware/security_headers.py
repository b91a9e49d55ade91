"""Headers that limit what a page of the app may do in a browser, and where it may be shown."""

import base64
import hashlib
import re
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coughlab import config

#: Everything is loaded from the app itself. Streamlit writes styles into the page, and loads its components' scripts as blobs.
_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' blob: {scripts}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    ]
)
_CLOSED = ("camera", "geolocation", "payment", "usb", "serial", "display-capture")
_HEADERS = {
    "Permissions-Policy": ", ".join(["microphone=(self)", *(f"{name}=()" for name in _CLOSED)]),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """Middleware: adds the headers to every answer; the only inline scripts that may run are those of the HTML file `page`."""

    def __init__(self, app: ASGIApp, page: str | PathLike | None = None) -> None:
        self._app, self._ancestors = app, config.value("COUGHLAB_FRAME_ANCESTORS")
        self._policy = _POLICY.format(scripts=" ".join(script_hashes(page) if page else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers(scope["path"]))
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    def _headers(self, path: str) -> dict[str, str]:
        # Streamlit shows components in frames from the app's own address.
        own = ["'self'"] if path.startswith(("/component/", "/_stcore/", "/media/")) else []
        ancestors = " ".join([*own, *self._ancestors]) or "'none'"
        headers = {"Content-Security-Policy": f"{self._policy}; frame-ancestors {ancestors}"} | _HEADERS
        if not self._ancestors:
            headers["X-Frame-Options"] = "SAMEORIGIN" if own else "DENY"
        return headers


def script_hashes(page: str | PathLike) -> Iterator[str]:
    """The sources that allow the inline scripts of an HTML file, and only those (CSP 3, section 6.7.2.3)."""
    text = Path(page).read_text(encoding="utf-8")
    for script in re.findall(r"<script>(.*?)</script>", text, re.DOTALL):
        yield f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
