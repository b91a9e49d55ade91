"""``GET /api/v1/openapi.json``: this API, described for programs."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from coughlab.web import openapi
from coughlab.web.endpoint import Endpoint
from coughlab.web.schema import errors, operation, response


class Route(Endpoint):
    """Public, so that a program can learn how to send its key."""

    path, order, public = "/api/v1/openapi.json", 5, True

    @operation(
        "description",
        "This description.",
        {"200": response("This description.", {"type": "object"}), **errors("500")},
    )
    async def get(self, request: Request) -> JSONResponse:
        """Describe the API."""
        return JSONResponse(openapi.document())
