"""The JSON API: Starlette routes that Home.py serves beside the pages.

Every answer is JSON, errors included: ``{"error": {"code", "message"}}``; `coughlab.web.openapi` describes them. Uploads stay in
memory, and recordings are analysed off the event loop.
"""

import contextlib
import gc
import inspect
import logging
import os
from functools import cache, partial
from traceback import clear_frames

from anyio import CapacityLimiter, create_task_group, sleep, to_thread
from starlette.datastructures import Headers
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from coughlab import __version__, audio, config
from coughlab.evidence.verdict import PREVALENCE, PrevalenceError, prevalence_of
from coughlab.serving import health as condition
from coughlab.serving import predictors, workers
from coughlab.studies import store
from coughlab.studies.store import StoreError
from coughlab.system import logs, memory_folder, resources
from coughlab.web import keys, openapi
from coughlab.web import middleware as watch
from coughlab.web.uploads import Body, Held, UploadError, stay_in_memory

#: HTTP status of each code of `coughlab.audio.AudioError` that is not 400 (not readable as audio).
AUDIO_STATUS = {
    "too_large": 413,
    "too_long": 413,
    "silent": 422,
    "too_short": 422,
    "no_samples": 422,
    "not_finite": 422,
}
#: Seconds after which to try again where uploads take all the room there is.
RETRY_S = 2
#: How often visits that are over are looked for, and freed memory is given back, in seconds.
FREE_S = 5

_log = logging.getLogger(__name__)
#: While the app runs: the workers, and who may ask.
_pool, _keys = None, keys.OPEN


class _Error(Exception):
    """An answer that is an error."""

    def __init__(self, status, code, message, **headers):
        super().__init__(message)
        self.response = JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def _told(error):
    """Any error as one that can be answered."""
    match error:
        case _Error():
            return error
        case UploadError(status=503):
            return _Error(503, error.code, error.message, **{"Retry-After": str(RETRY_S)})
        case UploadError():
            return _Error(error.status, error.code, error.message)
        case audio.AudioError():
            return _Error(AUDIO_STATUS.get(error.code, 400), error.code, error.message)
        case predictors.UnknownModelError():
            return _Error(400, "unknown_model", str(error))
        case PrevalenceError():
            return _Error(400, "bad_prevalence", str(error))
        case keys.AccessError():
            return _Error(401, "no_key", str(error), **{"WWW-Authenticate": "Bearer"})
        case keys.RateError():
            return _Error(429, "too_many_requests", str(error), **{"Retry-After": str(error.retry_after)})
        case workers.BusyError():
            return _Error(503, "busy", str(error), **{"Retry-After": str(error.retry_after)})
        case StoreError():
            _log.error("%s", error)
            return _Error(503, "study_unavailable", str(error))
        case workers.WorkerError():
            return _Error(500, "internal", str(error))
    _log.error("Unexpected error", exc_info=error)
    return _Error(500, "internal", workers.FAULT)


class _Endpoint(HTTPEndpoint):
    """An endpoint whose every failure is a JSON error."""

    #: Whether whoever has no key may ask, even where one is needed.
    public = False

    async def dispatch(self):
        self._body = Body(self.receive)
        with contextlib.suppress(ClientDisconnect):
            try:
                self._admit(Headers(scope=self.scope))
                await self._answer()
            except ClientDisconnect:
                raise
            except Exception as error:
                response = _told(error).response
                # What was raised in a thread, and what was done there, know each other: the upload would stay in memory.
                clear_frames(error.__traceback__)
                await self._body.drop()
                # A client that is still sending what nobody reads is told so by the end of the connection.
                if not self._body.ended:
                    response.headers["Connection"] = "close"
                await response(self.scope, self.receive, self.send)

    async def _answer(self):
        await super().dispatch()

    def _admit(self, headers):
        # A page of another site could have its visitors' browsers ask, where none but they can reach this one.
        if headers.get("Sec-Fetch-Site") == "cross-site" and self.scope["method"] not in ("GET", "HEAD"):
            raise _Error(403, "cross_site", "A page of another site cannot ask here. Ask from a program.")
        if not self.public:
            _keys.admit(headers)

    async def method_not_allowed(self, request):
        allowed = ", ".join(self._allowed_methods)
        message = f"This address answers {allowed}, not {request.method}."
        raise _Error(405, "method_not_allowed", message, Allow=allowed)


class Predict(_Endpoint):
    """``POST /api/v1/predict``: multipart field ``file`` in, prediction out.

    ``?also=cnn1,cnn2`` asks large models too; ``?prevalence=0.05``, or a field of that name, says how common COVID is among
    people like the one recorded; ``?force=true``, or a field of that name, asks the models even where there is no cough.
    """

    async def post(self, request):
        """Analyse one recording."""
        with _held().one() as take:
            data, fields = await self._body.form(request.headers, take)
            also = [name for name in request.query_params.get("also", "").split(",") if name]
            options = fields | dict(request.query_params)
            prevalence = prevalence_of(options.get("prevalence", PREVALENCE))
            force = _truth("force", options.get("force", "false"))

            # Without the app's lifespan around it, as in a program that uses the routes alone, there are no workers.
            respond = _pool.answer if _pool else workers.respond
            answer = partial(respond, data, also=also, prevalence=prevalence, force=force)
            # The workers say when there are too many, so that nobody has to wait for a thread.
            body = await to_thread.run_sync(answer, limiter=_threads("answers", 10_000))
        return Response(body, media_type="application/json")


class Models(_Endpoint):
    """``GET /api/v1/models``: the models, which of them answer here, and what they scored on which data."""

    async def get(self, request):
        """List the models of the study."""

        def describe():
            predictor = predictors.default()
            study = predictor.study
            return {
                "study": study.name,
                "main": predictors.MAIN_MODEL,
                "models": {
                    name: {
                        key: model[key]
                        for key in ("title", "summary", "input", "threshold", "parameters", "epochs")
                    }
                    | {
                        "answers": _when(predictor, name),
                        "scores": _records(study.scores[study.scores["model"] == name]),
                    }
                    for name, model in study.models.items()
                },
                "version": __version__,
            }

        return JSONResponse(await to_thread.run_sync(describe, limiter=_threads("others", resources.cores())))


def _records(scores):
    """Scores of one model; what is not defined, as the sensitivity where nobody has COVID, is null."""
    rows = scores.drop(columns="model").astype(object)
    return rows.where(rows.notna(), None).to_dict("records")


def _when(predictor, name):
    if name in predictor.names:
        return "always"
    return "when asked" if name in predictor.slow else "never"


class Health(_Endpoint):
    """``GET /api/v1/health``: whether the process is alive, whether it can answer, with what, and what is wrong."""

    public = True

    async def get(self, request):
        """Report health: 200 where recordings can be answered, else 503."""
        health = await to_thread.run_sync(_health, limiter=_threads("health", 1))
        return JSONResponse(health, 200 if health["ready"] else 503)


def _health():
    found = condition.problems(disks=() if config.value("COUGHLAB_READ_ONLY") == "on" else None)
    try:
        predictor = predictors.default()
        models = [*predictor.names, *predictor.slow]
    except StoreError as error:
        models = []
        found = found or [{"code": "study_damaged", "message": str(error), "stops": True}]
    return {
        "alive": True,
        "ready": not any(problem["stops"] for problem in found),
        "studies": store.names(store.MODELS),
        "models": models,
        "problems": found,
        "version": __version__,
    }


class Metrics(_Endpoint):
    """``GET /api/v1/metrics``: figures for Prometheus."""

    async def get(self, request):
        """Report the figures."""
        body, media_type = watch.metrics(_pool)
        return Response(body, media_type=media_type)


class Description(_Endpoint):
    """``GET /api/v1/openapi.json``: this API, described for programs."""

    public = True

    async def get(self, request):
        """Describe the API."""
        return JSONResponse(openapi.document())


class NotFound(_Endpoint):
    """Any other address below ``/api``."""

    public = True

    async def _answer(self):
        raise _Error(404, "not_found", f"There is nothing at this address. There is {', '.join(ADDRESSES)}.")


_ENDPOINTS = {
    "/api/v1/predict": Predict,
    "/api/v1/models": Models,
    "/api/v1/health": Health,
    "/api/v1/metrics": Metrics,
    "/api/v1/openapi.json": Description,
}
#: Where something is.
ADDRESSES = tuple(_ENDPOINTS)

routes = [
    *(Route(address, endpoint) for address, endpoint in _ENDPOINTS.items()),
    Route("/api", NotFound),
    Route("/api/{path:path}", NotFound),
]


def middleware(**pages):
    """What all requests pass through: `coughlab.web.middleware.Watched`.

    Parameters
    ----------
    **pages
        ``page`` and ``held`` of it, where there are pages.

    Returns
    -------
    list of starlette.middleware.Middleware
    """
    return [Middleware(watch.Watched, routes=ADDRESSES, **pages)]


def lifespan(secrets, address, free=lambda: None):
    """What goes on while an app with pages runs: the workers, and what pages need is read while they read what answers need.

    Parameters
    ----------
    secrets : callable
        Gives the app's secrets, a mapping.
    address : str or None
        What the app listens at; None for all addresses.
    free : callable
        Ends visits that are over; called every few seconds.

    Returns
    -------
    callable
        For Starlette.

    Raises
    ------
    SystemExit
        If a setting or the secrets hold what they cannot, with a sentence: a server would tell it in a stack trace.
    """
    try:
        config.check()
        known = keys.from_secrets(secrets(), address)
    except (config.SettingError, keys.SecretsError) as error:
        raise SystemExit(f"coughlab: {error}") from None

    @contextlib.asynccontextmanager
    async def running(app):
        # A page makes much that is soon freed, in a thread for each visitor, and here memory is scarcer than time.
        resources.mallopt(mmap_threshold=128 * 1024, trim_threshold=2**20, arena_max=2)
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        async with _answering(app, workers.shared(), known, free):
            # Not in a thread of its own once the server listens: the first visitor would wait longer beside it.
            _prepare_pages()
            yield

    return running


async def _freeing(free):
    while True:
        await sleep(FREE_S)
        try:
            free()
        except Exception:  # whatever it is, it is no reason to end
            _log.exception("Visits that are over could not be freed")
        # What was sent, and what became of it, lies scattered over the heap.
        await to_thread.run_sync(resources.trim, limiter=_threads("trim", 1))


@contextlib.asynccontextmanager
async def _answering(app, pool, known, free=lambda: None):
    global _pool, _keys
    resources.no_core_dumps()
    memory_folder.sweep()
    stay_in_memory()
    logs.start()
    _pool, _keys = pool, known
    async with create_task_group() as tasks:
        tasks.start_soon(_freeing, free)
        yield
        tasks.cancel_scope.cancel()
    pool.close()
    _pool, _keys = None, keys.OPEN


def serve(host, port, pool, known):
    """Serve the API alone, without the pages, until the process is told to end.

    Parameters
    ----------
    host : str
        Address to listen at.
    port : int
        Port to listen at.
    pool : coughlab.serving.workers.Pool
        Who answers; closed at the end.
    known : coughlab.web.keys.Keys
        Who may ask.
    """
    import uvicorn
    from starlette.applications import Starlette

    uvicorn.run(
        Starlette(
            routes=routes, middleware=middleware(), lifespan=partial(_answering, pool=pool, known=known)
        ),
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
    )


def _prepare_pages():
    # Read once, then kept.
    with contextlib.suppress(StoreError):
        study = predictors.default().study
        _ = study.scores, study.features, study.metrics, study.fits, study.trials, study.evidence
    # At the first element of the first page Streamlit asks where it was called from, and Python then looks at the file of every
    # module there is, a tenth of a second of the first visitor's; what it finds it keeps.
    inspect.stack()
    # What is loaded now stays for good, and to look through it for garbage would hold up everybody by a fifth of a second.
    gc.collect()
    gc.freeze()


@cache
def _threads(name, most):
    """How many threads may do one kind of thing; it has to be made where the event loop runs."""
    return CapacityLimiter(most)


@cache
def _held():
    return Held(config.value("COUGHLAB_UPLOADS_MB") * 2**20)


def _truth(name, text):
    truth = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
    if truth is None:
        raise _Error(400, f"bad_{name}", f"The option '{name}' must be true or false, or 1 or 0.")
    return truth
