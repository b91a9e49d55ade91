"""The JSON API: Starlette routes that Home.py serves beside the pages.

Every answer is JSON, errors included: ``{"error": {"code", "message"}}``. Uploads stay in memory, and recordings are analysed
off the event loop.
"""

import contextlib
import gc
import inspect
import logging
import os
from functools import cache, partial

from anyio import CapacityLimiter, to_thread
from starlette.endpoints import HTTPEndpoint
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from coughlab import __version__, audio, machine, serving, workers
from coughlab.evidence.answer import PREVALENCE, PrevalenceError, prevalence_of
from coughlab.store import StoreError

#: What a multipart body may hold beside the file.
OVERHEAD_BYTES = 64 * 1024
#: A body that is too large is read and dropped up to here, because most clients hear an answer only once they have sent all.
DRAIN_BYTES = 100 * 1024 * 1024

#: HTTP status of each code of `coughlab.audio.AudioError` that is not 400 (not readable as audio).
AUDIO_STATUS = {
    "too_large": 413,
    "too_long": 413,
    "silent": 422,
    "too_short": 422,
    "no_samples": 422,
    "not_finite": 422,
}

_log = logging.getLogger(__name__)
#: The workers, while the app runs.
_pool = None


class _Error(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class _Endpoint(HTTPEndpoint):
    """An endpoint whose every failure is a JSON error."""

    async def dispatch(self):
        try:
            await super().dispatch()
        except ClientDisconnect:
            return
        except _Error as error:
            await self._fail(error.status, error.code, error.message)
        except audio.AudioError as error:
            await self._fail(AUDIO_STATUS.get(error.code, 400), error.code, error.message)
        except serving.UnknownModelError as error:
            await self._fail(400, "unknown_model", str(error))
        except PrevalenceError as error:
            await self._fail(400, "bad_prevalence", str(error))
        except StoreError as error:
            _log.error("%s", error)
            await self._fail(503, "study_unavailable", str(error))
        except Exception:
            _log.exception("Unexpected error in %s", self.scope["path"])
            await self._fail(
                500, "internal", "Something went wrong here, not with the recording. Please try again."
            )

    async def method_not_allowed(self, request):
        allowed = ", ".join(self._allowed_methods)
        message = f"This address answers {allowed}, not {request.method}."
        return _error_response(405, "method_not_allowed", message, {"Allow": allowed})

    async def _fail(self, status, code, message):
        # A client that is still sending what nobody reads is told so by the end of the connection.
        headers = {"Connection": "close"} if status == 413 else None
        await _error_response(status, code, message, headers)(self.scope, self.receive, self.send)


class Predict(_Endpoint):
    """``POST /api/v1/predict``: multipart field ``file`` in, prediction out.

    ``?also=cnn1,cnn2`` asks large models too; ``?prevalence=0.05``, or a field of that name, says how common COVID is among
    people like the one recorded; ``?force=true``, or a field of that name, asks the models even where there is no cough.
    """

    async def post(self, request):
        """Analyse one recording."""
        data, fields = await _uploaded(request)
        also = [name for name in request.query_params.get("also", "").split(",") if name]
        options = fields | dict(request.query_params)
        prevalence = prevalence_of(options.get("prevalence", PREVALENCE))
        force = _truth("force", options.get("force", "false"))

        # Without the app's lifespan around it, as in a program that uses the routes alone, there are no workers.
        respond = _pool.answer if _pool else workers.respond
        answer = partial(respond, data, also=also, prevalence=prevalence, force=force)
        body = await to_thread.run_sync(answer, limiter=_threads())
        return Response(body, media_type="application/json")


class Models(_Endpoint):
    """``GET /api/v1/models``: the models, which of them answer here, and what they scored on which data."""

    async def get(self, request):
        """List the models of the study."""

        def describe():
            predictor = serving.default()
            study = predictor.study
            return {
                "study": study.name,
                "main": serving.MAIN_MODEL,
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

        return JSONResponse(await to_thread.run_sync(describe, limiter=_threads()))


def _records(scores):
    """Scores of one model; what is not defined, as the sensitivity where nobody has COVID, is null."""
    rows = scores.drop(columns="model").astype(object)
    return rows.where(rows.notna(), None).to_dict("records")


def _when(predictor, name):
    if name in predictor.names:
        return "always"
    return "when asked" if name in predictor.slow else "never"


class Health(_Endpoint):
    """``GET /api/v1/health``: whether the process answers, and with what."""

    async def get(self, request):
        """Report health."""

        def describe():
            predictor = serving.default()
            return {
                "status": "ok",
                "studies": [predictor.study.name],
                "models": [*predictor.names, *predictor.slow],
                "version": __version__,
            }

        return JSONResponse(await to_thread.run_sync(describe, limiter=_threads()))


class NotFound(_Endpoint):
    """Any other address below ``/api``."""

    async def dispatch(self):
        """Answer 404 whatever the method."""
        message = "There is nothing at this address. See /api/v1/predict, /api/v1/models and /api/v1/health."
        await self._fail(404, "not_found", message)


routes = [
    Route("/api/v1/predict", Predict),
    Route("/api/v1/models", Models),
    Route("/api/v1/health", Health),
    Route("/api", NotFound),
    Route("/api/{path:path}", NotFound),
]


@contextlib.asynccontextmanager
async def lifespan(app):
    """Start the workers, and read what pages need while the workers read what answers need."""
    # A page makes much that is soon freed, in a thread for each visitor, and here memory is scarcer than time.
    machine.mallopt(mmap_threshold=128 * 1024, trim_threshold=2**20, arena_max=2)
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    async with _answering(app, workers.Pool()):
        # Not in a thread of its own once the server listens: the first visitor would wait longer beside it.
        _prepare_pages()
        yield


@contextlib.asynccontextmanager
async def _answering(app, pool):
    global _pool
    _pool = pool
    yield
    pool.close()
    _pool = None


def serve(host, port, pool):
    """Serve the API alone, without the pages, until the process is told to end.

    Parameters
    ----------
    host : str
        Address to listen at.
    port : int
        Port to listen at.
    pool : coughlab.workers.Pool
        Who answers; closed at the end.
    """
    import uvicorn
    from starlette.applications import Starlette

    uvicorn.run(
        Starlette(routes=routes, lifespan=partial(_answering, pool=pool)),
        host=host,
        port=port,
        log_level="warning",
    )


def _prepare_pages():
    # Read once, then kept.
    with contextlib.suppress(StoreError):
        study = serving.default().study
        _ = study.scores, study.features, study.metrics, study.fits, study.trials, study.evidence
    # At the first element of the first page Streamlit asks where it was called from, and Python then looks at the file of every
    # module there is, a tenth of a second of the first visitor's; what it finds it keeps.
    inspect.stack()
    # What is loaded now stays for good, and to look through it for garbage would hold up everybody by a fifth of a second.
    gc.collect()
    gc.freeze()


@cache
def _threads():
    return CapacityLimiter(machine.cores())


class _InMemoryParser(MultiPartParser):
    # Starlette's parser would move anything above 1 MB to a file on disk.
    spool_max_size = audio.LIMITS.max_bytes + OVERHEAD_BYTES + 1


def _truth(name, text):
    truth = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
    if truth is None:
        raise _Error(400, f"bad_{name}", f"The option '{name}' must be true or false, or 1 or 0.")
    return truth


async def _uploaded(request: Request):
    """The bytes of the one file in field ``file``, and the fields that are text."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        message = "Send the recording as multipart/form-data in a field called 'file', as in: curl -F file=@cough.wav"
        raise _Error(415, "unsupported_media_type", message)
    parser = _InMemoryParser(request.headers, _limited(request.stream()), max_files=1, max_fields=10)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        message = (
            f"The upload could not be read: {error.message} Send one recording in a field called 'file'."
        )
        raise _Error(400, "bad_request", message) from error
    async with _closing(form):
        file = form.get("file")
        if file is None or isinstance(file, str):
            raise _Error(
                400, "no_file", "The request has no file. Send the recording in a field called 'file'."
            )
        return await file.read(), {name: value for name, value in form.items() if isinstance(value, str)}


@contextlib.asynccontextmanager
async def _closing(form):
    try:
        yield
    finally:
        await form.close()


async def _limited(stream):
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > DRAIN_BYTES:
            break
        if size <= audio.LIMITS.max_bytes + OVERHEAD_BYTES:
            yield chunk
    if size > audio.LIMITS.max_bytes + OVERHEAD_BYTES:
        raise audio.error("too_large", limit=audio.LIMITS.max_bytes / 2**20)


def _error_response(status, code, message, headers=None):
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
