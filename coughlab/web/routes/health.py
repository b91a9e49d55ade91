"""``GET /api/v1/health``: whether the process is alive, whether it can answer, with what, and what is wrong."""

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse

from coughlab import __version__, config
from coughlab.serving import health, predictors
from coughlab.studies import store
from coughlab.studies.store import StoreError
from coughlab.web.endpoint import Endpoint, threads
from coughlab.web.schema import BOOLEAN, STRING, array, errors, operation, parameter, record, ref, response

_SCHEMAS = {
    "Health": record(
        alive=BOOLEAN,
        ready=BOOLEAN,
        studies=array(STRING),
        models=array(STRING),
        problems=array(record(code=STRING, message=STRING, stops=BOOLEAN)),
        version=STRING,
    )
}
#: A monitor's own option, which changes nothing: refused, a server in good health would be reported as down.
_CACHE_BUSTER = STRING | {"description": "Ignored. Uptime Kuma adds it, so that no cache answers."}


class Route(Endpoint):
    """Public, so that a monitor of the server needs no key."""

    path, order, public, schemas = "/api/v1/health", 3, True, _SCHEMAS

    @operation(
        "health",
        "Whether recordings can be answered, and what is wrong.",
        {
            "200": response("Recordings can be answered.", ref("Health")),
            "503": response("No recording can be answered.", ref("Health")),
            **errors("500"),
        },
        parameters=[parameter("uptime_kuma_cachebuster", _CACHE_BUSTER)],
    )
    async def get(self, request: Request) -> JSONResponse:
        """Report health: 200 where recordings can be answered, else 503."""
        found = await to_thread.run_sync(_health, limiter=threads("health", 1))
        return JSONResponse(found, 200 if found["ready"] else 503)


def _health() -> dict[str, object]:
    problems = health.problems(disks=() if config.value("COUGHLAB_READ_ONLY") == "on" else None)
    try:
        predictor = predictors.default()
        models = [*predictor.names, *predictor.slow]
    except StoreError as error:
        models = []
        problems = problems or [{"code": "study_damaged", "message": str(error), "stops": True}]
    return {
        "alive": True,
        "ready": not any(problem["stops"] for problem in problems),
        "studies": store.names(store.MODELS),
        "models": models,
        "problems": problems,
        "version": __version__,
    }
