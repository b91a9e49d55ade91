"""The API's routes, one module each: its class ``Route`` has the address, the handler and their description.

A new module in this folder is found, served and described automatically.
"""

from starlette.routing import Route

from coughlab.system import registry
from coughlab.web.endpoint import ApiError, Endpoint


def endpoints() -> list[type[Endpoint]]:
    """The endpoint of each route, in the order of the description."""
    found = (module.Route for module in registry.modules(__name__))
    return sorted(found, key=lambda endpoint: (endpoint.order, endpoint.path))


def addresses() -> list[str]:
    """The addresses of all routes."""
    return [endpoint.path for endpoint in endpoints()]


def table() -> list[Route]:
    """All routes, for Starlette; any other address below ``/api`` gives an error in JSON."""
    return [
        *(Route(endpoint.path, endpoint) for endpoint in endpoints()),
        Route("/api", _NotFound),
        Route("/api/{path:path}", _NotFound),
    ]


class _NotFound(Endpoint):
    public = True

    async def _answer(self) -> None:
        raise ApiError(
            404, "not_found", f"There is nothing at this address. There is {', '.join(addresses())}."
        )
