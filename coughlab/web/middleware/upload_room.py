"""Limits uploads to pages: bytes in memory at once, and the duration of each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from coughlab import config
from coughlab.web.uploads import PAGES_LONGEST_S, Body, UploadError

#: The largest upload that Streamlit accepts, as set in `.streamlit/config.toml`.
_LARGEST = 100 * 2**20
_FULL = PlainTextResponse(
    "More is uploaded at once than fits here. Try again in some minutes.", 503, {"Retry-After": "60"}
)


class UploadRoom:
    """Middleware: forwards an upload to a page if it fits beside the uploads in all open pages (`held`, in bytes)."""

    def __init__(self, app: ASGIApp, held: Callable[[], int] = lambda: 0) -> None:
        self._app, self._held = app, held
        self._room, self._coming = config.value("COUGHLAB_PAGES_MB") * 2**20, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request."""
        # Streamlit's address for uploads may be below that of a page.
        if (
            scope["type"] != "http"
            or scope["method"] not in ("PUT", "POST")
            or "/_stcore/upload_file" not in scope["path"]
        ):
            return await self._app(scope, receive, send)
        body = Body(receive, config.value("COUGHLAB_PAGES_STALL_S"), PAGES_LONGEST_S)
        with self._reserve(scope) as found:
            try:
                if found:
                    return await self._app(scope, body.receive, send)
                await body.drop()
                answer = _FULL
            except UploadError as error:
                answer = PlainTextResponse(error.message, error.status)
            await answer(scope, receive, send)

    @contextmanager
    def _reserve(self, scope: Scope) -> Iterator[bool]:
        """Whether there is room for an upload; reserves it until the upload has ended."""
        size = Headers(scope=scope).get("Content-Length", "")
        # Without a length it may have the maximum size; Streamlit refuses a larger length without reading.
        coming = int(size) if size.isascii() and size.isdigit() else _LARGEST
        coming *= coming <= _LARGEST
        found = self._held() + self._coming + coming <= self._room
        self._coming += coming * found
        try:
            yield found
        finally:
            self._coming -= coming * found
