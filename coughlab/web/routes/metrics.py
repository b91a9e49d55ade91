"""``GET /api/v1/metrics``: figures for Prometheus."""

from prometheus_client import Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from coughlab.web.endpoint import Endpoint, running
from coughlab.web.middleware.access_log import registry
from coughlab.web.schema import STRING, errors, operation, response

#: Metrics of the workers, by attribute of `coughlab.serving.workers.Pool`.
_WORKERS = {
    "size": Gauge("coughlab_workers", "Processes that answer.", registry=registry),
    "admitted": Gauge(
        "coughlab_workers_admitted", "Recordings that are answered, or wait for it.", registry=registry
    ),
    "replaced": Gauge(
        "coughlab_workers_replaced", "Processes that were replaced since the start.", registry=registry
    ),
}


class Route(Endpoint):
    """The metrics of `coughlab.web.middleware.access_log` and of the workers."""

    path, order = "/api/v1/metrics", 4

    @operation(
        "metrics",
        "Figures for Prometheus.",
        {"200": response("The figures.", STRING, "text/plain"), **errors("401", "429", "500")},
    )
    async def get(self, request: Request) -> Response:
        """Report the figures."""
        for name, gauge in _WORKERS.items():
            gauge.set(getattr(running.pool, name, 0))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
