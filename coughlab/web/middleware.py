"""What whoever runs CoughLab sees of it: a line in the log for each request, figures for Prometheus, and headers for browsers.

A request is known by an id, which its answer and all lines about it carry.
"""

import base64
import hashlib
import logging
import re
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

from h11 import LocalProtocolError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

from coughlab import config
from coughlab.system import logs
from coughlab.web.uploads import PAGES_LONGEST_S, Body, UploadError

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: Beginnings of addresses whose rest names a visit or a file, or is one of many; others are told whole where they are known.
_KINDS = {
    "/_stcore/upload_file": "upload",
    "/_stcore/stream": "open page",
    "/_stcore/health": "streamlit health",
    "/_stcore/host-config": "streamlit",
    "/media": "media",
    "/component": "component",
    "/static": "static",
    "/oauth2callback": "login",
    "/auth": "login",
    "/api": "unknown api",
}
#: The largest upload that Streamlit takes, as `.streamlit/config.toml` has it.
_LARGEST = 100 * 2**20
#: Not worth a line each: what a page loads, and who asks whether all is well.
_QUIET = {
    "static",
    "component",
    "streamlit",
    "streamlit health",
    "open page",
    "/api/v1/health",
    "/api/v1/metrics",
}

_log = logging.getLogger("coughlab.requests")

_registry = CollectorRegistry()
_requests = Counter(
    "coughlab_requests", "Requests answered.", ["route", "method", "status"], registry=_registry
)
_seconds = Histogram(
    "coughlab_request_seconds",
    "From a request's first byte to its answer's last.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=_registry,
)
_pages = Gauge("coughlab_open_pages", "Pages that are open in browsers.", registry=_registry)
_workers = {
    name: Gauge(f"coughlab_workers{end}", told, registry=_registry)
    for name, end, told in (
        ("size", "", "Processes that answer."),
        ("admitted", "_admitted", "Recordings that are answered, or wait for it."),
        ("replaced", "_replaced", "Processes that were replaced since the start."),
    )
}


def metrics(pool):
    """The figures of this process.

    Parameters
    ----------
    pool : coughlab.serving.workers.Pool or None
        Who answers.

    Returns
    -------
    body : bytes
        In the text format of Prometheus.
    media_type : str
        Its type.
    """
    for name, gauge in _workers.items():
        gauge.set(getattr(pool, name, 0))
    return generate_latest(_registry), CONTENT_TYPE_LATEST


class Watched:
    """Middleware: gives each request an id, a line, its figures, and its answer the headers that browsers go by.

    Parameters
    ----------
    app : callable
        The ASGI app.
    routes : iterable of str
        Addresses that are told whole.
    page : path-like, optional
        The HTML file of all pages; scripts that are written in it may run, and no others that are not files of the app.
    held : callable, optional
        Gives how many bytes of uploads all open pages hold.
    """

    def __init__(self, app, routes=(), page=None, held=lambda: 0):
        self._app, self._routes, self._held = app, frozenset(routes), held
        self._room, self._coming = config.value("COUGHLAB_PAGES_MB") * 2**20, 0
        self._ancestors = config.value("COUGHLAB_FRAME_ANCESTORS")
        self._policy = _POLICY.format(scripts=" ".join(_hashes(page) if page else ()))

    async def __call__(self, scope, receive, send):
        """Pass a request on."""
        if scope["type"] == "websocket":
            with _pages.track_inprogress():
                return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        given = Headers(scope=scope).get("X-Request-ID", "")
        token = logs.request_id.set(given if _ID.fullmatch(given) else uuid.uuid4().hex)
        route, began, status, size = self._route(scope["path"]), time.perf_counter(), 0, 0

        async def told(message):
            nonlocal status, size
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers(scope["path"]))
                try:
                    await send(message)
                except LocalProtocolError:
                    # The server itself has refused what came of the body, and closes the connection.
                    raise ClientDisconnect from None
                status = message["status"]
            else:
                size += len(message.get("body", b""))
                await send(message)

        try:
            if route == "upload" and scope["method"] in ("PUT", "POST"):
                await self._upload(scope, receive, told)
            else:
                await self._app(scope, receive, told)
        except ClientDisconnect:
            pass
        finally:
            seconds = time.perf_counter() - began
            method = scope["method"] if scope["method"] in _METHODS else "other"
            # Who leaves before the answer gets none.
            _requests.labels(route, method, status or "none").inc()
            _seconds.labels(route).observe(seconds)
            if route not in _QUIET or status >= 500:
                facts = {"route": route, "method": method, "status": status, "ms": round(1000 * seconds, 1)}
                _log.info("answered" if status else "left", extra={"facts": facts | {"bytes": size}})
            logs.request_id.reset(token)

    async def _upload(self, scope, receive, send):
        """Pass an upload of a page on, if there is room for it, and not forever."""
        body = Body(receive, config.value("COUGHLAB_PAGES_STALL_S"), PAGES_LONGEST_S)
        with self._room_for(scope) as found:
            try:
                if found:
                    await self._app(scope, body.receive, send)
                    return
                await body.drop()
                answer = _FULL
            except UploadError as error:
                answer = PlainTextResponse(error.message, error.status)
            await answer(scope, receive, send)

    @contextmanager
    def _room_for(self, scope):
        """Whether there is room for an upload, which it has to itself until it has ended."""
        size = Headers(scope=scope).get("Content-Length", "")
        # Whoever does not tell may send as much as may be; whoever wants to send more is sent away unread by Streamlit.
        coming = int(size) if size.isascii() and size.isdigit() else _LARGEST
        coming *= coming <= _LARGEST
        found = self._held() + self._coming + coming <= self._room
        self._coming += coming * found
        try:
            yield found
        finally:
            self._coming -= coming * found

    def _route(self, path):
        if path in self._routes:
            return path
        # Below the address of each page Streamlit looks for some of its own.
        path = path[max(path.find("/_stcore/"), 0) :]
        return next((kind for start, kind in _KINDS.items() if path.startswith(start)), "page")

    def _headers(self, path):
        # Streamlit shows components in frames of the app's own pages.
        own = ["'self'"] if path.startswith(("/component/", "/_stcore/", "/media/")) else []
        ancestors = " ".join([*own, *self._ancestors]) or "'none'"
        headers = {
            "X-Request-ID": logs.request_id.get(),
            "Content-Security-Policy": f"{self._policy}; frame-ancestors {ancestors}",
            "Permissions-Policy": _PERMISSIONS,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if not self._ancestors:
            headers["X-Frame-Options"] = "SAMEORIGIN" if own else "DENY"
        return headers


def _hashes(page):
    """What allows the scripts that are written in an HTML file, and only those (CSP 3, section 6.7.2.3)."""
    text = Path(page).read_text(encoding="utf-8")
    for script in re.findall(r"<script>(.*?)</script>", text, re.DOTALL):
        yield f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


_FULL = PlainTextResponse(
    "More is uploaded at once than fits here. Try again in some minutes.", 503, {"Retry-After": "60"}
)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
#: All comes from the app itself. Streamlit writes styles into the page, and makes scripts of texts for its components (blob).
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
_PERMISSIONS = ", ".join(
    [
        "microphone=(self)",
        *(f"{name}=()" for name in ("camera", "geolocation", "payment", "usb", "serial", "display-capture")),
    ]
)
