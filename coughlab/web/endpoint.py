"""The base of all routes of the API: access control, and errors in JSON.

An error is ``{"error": {"code", "message"}}``: a stable code for programs, and a sentence for people.
"""

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from traceback import clear_frames
from typing import ClassVar

from anyio import CapacityLimiter
from starlette.datastructures import Headers, QueryParams
from starlette.endpoints import HTTPEndpoint
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from coughlab import audio
from coughlab.evidence.verdict import PrevalenceError
from coughlab.serving import predictors, workers
from coughlab.studies.store import StoreError
from coughlab.web import keys, options
from coughlab.web.schema import Schema
from coughlab.web.uploads import Body, UploadError

#: HTTP status of each code of `coughlab.audio.AudioError` that is not 400 (not readable as audio).
AUDIO_STATUS = {
    "too_large": 413,
    "too_long": 413,
    "silent": 422,
    "too_short": 422,
    "no_samples": 422,
    "not_finite": 422,
}
#: Seconds for `Retry-After` when uploads use all the allowed memory.
RETRY_S = 2

_log = logging.getLogger(__name__)


@dataclass
class Running:
    """The workers that answer, and the keys; `coughlab.web.lifespan` sets them while an app runs."""

    pool: workers.Pool | None = None
    known: keys.Keys = keys.OPEN


running = Running()


class ApiError(Exception):
    """An error as the API's answer."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.response = JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def _as_answer(error: Exception) -> ApiError:
    match error:
        case ApiError():
            return error
        case UploadError(status=503):
            return ApiError(503, error.code, error.message, **{"Retry-After": str(RETRY_S)})
        case UploadError():
            return ApiError(error.status, error.code, error.message)
        case audio.AudioError():
            return ApiError(AUDIO_STATUS.get(error.code, 400), error.code, error.message)
        case options.OptionError():
            return ApiError(400, error.code, str(error))
        case predictors.UnknownModelError():
            return ApiError(400, "unknown_model", str(error))
        case PrevalenceError():
            return ApiError(400, "bad_prevalence", str(error))
        case keys.AccessError():
            return ApiError(401, "no_key", str(error), **{"WWW-Authenticate": "Bearer"})
        case keys.RateError():
            return ApiError(429, "too_many_requests", str(error), **{"Retry-After": str(error.retry_after)})
        case workers.BusyError():
            return ApiError(503, "busy", str(error), **{"Retry-After": str(error.retry_after)})
        case StoreError():
            _log.error("%s", error)
            return ApiError(503, "study_unavailable", str(error))
        case workers.WorkerError():
            return ApiError(500, "internal", str(error))
    _log.error("Unexpected error", exc_info=error)
    return ApiError(500, "internal", workers.FAULT)


class Endpoint(HTTPEndpoint):
    """An endpoint that reports every failure as a JSON error. `coughlab.web.schema.operation` describes its handlers."""

    path: ClassVar[str]  # its address
    schemas: ClassVar[Mapping[str, Schema]] = {}  # schemas that the descriptions refer to
    public: ClassVar[bool] = False  # whether it answers without a key even where one is needed
    order: ClassVar[int] = 100  # its place in the description; those with the same are sorted by address

    @classmethod
    def operations(cls) -> dict[str, dict[str, object]]:
        """The description of each handler, by HTTP method in lower case."""
        handlers = {
            method: getattr(cls, method, None) for method in ("get", "post", "put", "patch", "delete")
        }
        return {method: handler.operation for method, handler in handlers.items() if handler}

    async def dispatch(self) -> None:
        """Check the request's key and answer it."""
        self._body = Body(self.receive)
        with contextlib.suppress(ClientDisconnect):
            try:
                self._admit(Headers(scope=self.scope))
                await self._answer()
            except ClientDisconnect:
                raise
            except Exception as error:
                response = _as_answer(error).response
                # An error raised in a thread and its frames refer to each other: the upload would stay in memory.
                clear_frames(error.__traceback__)
                await self._body.drop()
                # Closing the connection tells a client that is still sending that the server no longer reads.
                if not self._body.ended:
                    response.headers["Connection"] = "close"
                await response(self.scope, self.receive, self.send)

    async def _answer(self) -> None:
        self._options()
        await super().dispatch()

    def _options(self, fields: options.Pairs = ()) -> dict[str, str]:
        """The options in the address and in these fields of a form; OptionError if one is not described."""
        method = self.scope["method"].lower()
        operation = self.operations().get("get" if method == "head" else method)
        if operation is None:  # `method_not_allowed` reports it
            return {}
        return options.read(operation, QueryParams(self.scope["query_string"]).multi_items(), fields)

    def _admit(self, headers: Headers) -> None:
        # A page of another site could make its visitors' browsers send requests to a server that only they can reach.
        if headers.get("Sec-Fetch-Site") == "cross-site" and self.scope["method"] not in ("GET", "HEAD"):
            raise ApiError(403, "cross_site", "A page of another site cannot ask here. Ask from a program.")
        if not self.public:
            running.known.admit(headers)

    async def method_not_allowed(self, request: Request) -> Response:
        """Report that the route does not have the method."""
        allowed = ", ".join(self._allowed_methods)
        message = f"This address answers {allowed}, not {request.method}."
        raise ApiError(405, "method_not_allowed", message, Allow=allowed)


@cache
def threads(name: str, most: int) -> CapacityLimiter:
    """A limit on the threads for one kind of work; must be created in the event loop."""
    return CapacityLimiter(most)
