"""The ASGI middleware that every request passes through, one small class per job, in the order of `stack`."""

from collections.abc import Callable
from os import PathLike

from starlette.middleware import Middleware

from coughlab.web import routes
from coughlab.web.middleware.access_log import AccessLog
from coughlab.web.middleware.request_id import RequestId
from coughlab.web.middleware.security_headers import SecurityHeaders
from coughlab.web.middleware.upload_room import UploadRoom


def stack(page: str | PathLike | None = None, held: Callable[[], int] = lambda: 0) -> list[Middleware]:
    """All middleware of an app, the outermost first.

    `page` is the HTML file of all pages, if there are pages; `held` returns the bytes of uploads in all open pages.
    """
    return [
        Middleware(RequestId),
        Middleware(AccessLog, known=routes.addresses()),
        Middleware(SecurityHeaders, page=page),
        Middleware(UploadRoom, held=held),
    ]
