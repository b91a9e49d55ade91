"""The JSON API, which Home.py serves beside the pages and ``coughlab serve`` alone."""

from functools import partial

from coughlab.serving import workers
from coughlab.web import keys, lifespan, middleware
from coughlab.web.routes import table

#: For Starlette.
routes = table()


def serve(host: str, port: int, pool: workers.Pool, known: keys.Keys) -> None:
    """Serve the API alone until the process ends: `known` checks the keys, `pool` answers and is closed at the end."""
    import uvicorn
    from starlette.applications import Starlette

    uvicorn.run(
        Starlette(
            routes=routes,
            middleware=middleware.stack(),
            lifespan=partial(lifespan.answering, pool=pool, known=known),
        ),
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
    )
