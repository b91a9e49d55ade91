"""A line in the log for each request, and metrics for Prometheus."""

import logging
import time
from collections.abc import Iterable

from h11 import LocalProtocolError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Prefixes of addresses whose rest is variable, such as a visit or a file, and the label for all of them.
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
#: Requests without a line in the log: a page's resources, and health checks.
_QUIET = {
    "static",
    "component",
    "streamlit",
    "streamlit health",
    "open page",
    "/api/v1/health",
    "/api/v1/metrics",
}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_log = logging.getLogger("coughlab.requests")

#: All metrics of this process.
registry = CollectorRegistry()
_requests = Counter(
    "coughlab_requests", "Requests answered.", ["route", "method", "status"], registry=registry
)
_seconds = Histogram(
    "coughlab_request_seconds",
    "From a request's first byte to its answer's last.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=registry,
)
_pages = Gauge("coughlab_open_pages", "Pages that are open in browsers.", registry=registry)


class AccessLog:
    """Middleware: logs and counts each request; addresses that are not `known` are replaced by their kind."""

    def __init__(self, app: ASGIApp, known: Iterable[str] = ()) -> None:
        self._app, self._known = app, frozenset(known)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request."""
        if scope["type"] == "websocket":
            with _pages.track_inprogress():
                return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status, size = time.perf_counter(), 0, 0

        async def counted_send(message: Message) -> None:
            nonlocal status, size
            try:
                await send(message)
            except LocalProtocolError:
                if message["type"] != "http.response.start":
                    raise
                # The server itself has refused the body, and closes the connection.
                raise ClientDisconnect from None
            status = message.get("status", status)
            size += len(message.get("body", b""))

        try:
            await self._app(scope, receive, counted_send)
        except ClientDisconnect:
            pass
        finally:
            self._write(scope, status, size, time.perf_counter() - began)

    def _write(self, scope: Scope, status: int, size: int, seconds: float) -> None:
        route = scope["path"] if scope["path"] in self._known else _kind(scope["path"])
        method = scope["method"] if scope["method"] in _METHODS else "other"
        # A client that disconnects before the answer gets none.
        _requests.labels(route, method, status or "none").inc()
        _seconds.labels(route).observe(seconds)
        if route not in _QUIET or status >= 500:
            facts = {"route": route, "method": method, "status": status, "ms": round(1000 * seconds, 1)}
            _log.info("answered" if status else "left", extra={"facts": facts | {"bytes": size}})


def _kind(path: str) -> str:
    # Streamlit also requests some of its own addresses below each page's address.
    path = path[max(path.find("/_stcore/"), 0) :]
    return next((kind for start, kind in _KINDS.items() if path.startswith(start)), "page")
