"""What every request passes through: a small ASGI middleware for each job, in the order of `stack`."""

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

    `page` is the HTML file of all pages, where there are pages; `held` gives how many bytes of uploads all open pages hold.
    """
    return [
        Middleware(RequestId),
        Middleware(AccessLog, known=routes.addresses()),
        Middleware(SecurityHeaders, page=page),
        Middleware(UploadRoom, held=held),
    ]
