"""``POST /api/v1/predict``: multipart field ``file`` in, prediction out."""

from functools import cache, partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from coughlab import audio, config
from coughlab.detector.detect import HEARD
from coughlab.evidence.verdict import HEADLINES, prevalence_of
from coughlab.serving import worker_process
from coughlab.web.endpoint import ApiError, Endpoint, running, threads
from coughlab.web.schema import (
    COUNT,
    ERRORS,
    NUMBER,
    SHARE,
    STRING,
    Schema,
    array,
    errors,
    form,
    mapping,
    operation,
    or_null,
    parameter,
    record,
    ref,
    response,
)
from coughlab.web.uploads import UploadMemory

_LABEL = STRING | {"description": "One of the two labels of the study that answers."}
_INTERVAL = array(or_null(NUMBER), minItems=2, maxItems=2)
_PREVALENCE = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_SCHEMAS = {
    "Remark": record(code=STRING, message=STRING),
    "Evidence": record(
        study=STRING,
        protocol=or_null(STRING),
        tested_on=or_null(STRING),
        recordings=or_null(COUNT),
        people=or_null(COUNT),
        splits=or_null(COUNT),
        auc=or_null(SHARE),
        auc_interval=or_null(_INTERVAL),
        likelihood_ratio=or_null(NUMBER),
        likelihood_ratio_interval=or_null(_INTERVAL),
        prevalence=_PREVALENCE,
        probability_after=or_null(SHARE),
        probability_after_interval=or_null(_INTERVAL),
        verdict={"enum": list(HEADLINES)},
        message=STRING,
    ),
    "Answer": record(
        label=or_null(_LABEL),
        probability=or_null(SHARE),
        model=STRING,
        cough=record(
            found=COUNT,
            probability=SHARE,
            heard=or_null(record(code={"enum": list(HEARD)}, message=STRING)),
        ),
        evidence=or_null(ref("Evidence")),
        novelty=or_null(
            record(
                p=or_null(SHARE),
                code={"enum": ["familiar", "unusual", "far", "unknown"]},
                message=STRING,
                trained_on=STRING,
            )
        ),
        models=mapping(
            record(
                label=_LABEL,
                probability=SHARE,
                threshold=SHARE,
                coughs=or_null(mapping(COUNT)),
                evidence=ref("Evidence"),
            )
        ),
        audio=record(duration_s=NUMBER, sample_rate=COUNT, channels=COUNT, codec=STRING),
        events=array(
            record(
                start_s=NUMBER,
                end_s=NUMBER,
                probability=SHARE,
                models=mapping(record(label=_LABEL, probability=SHARE)),
            )
        ),
        quality=array(ref("Remark")),
        study=STRING,
        version=STRING,
    ),
}
#: Parameters of the address; all except ``also`` can be fields of the form too.
_OPTIONS: dict[str, Schema] = {
    "also": STRING | {"description": "Large models to ask too, with commas between them."},
    "prevalence": _PREVALENCE
    | {
        "description": "How common the condition is among people like the one recorded; the study's own value unless given."
    },
    "force": {
        "enum": ["true", "false", "1", "0"],
        "description": "Whether to ask the models even where there is no cough; not by default.",
    },
}
_FILE: Schema = {
    "type": "string",
    "contentMediaType": "application/octet-stream",
    "description": f"The recording: {audio.FORMATS}, up to {audio.LIMITS.max_seconds:.0f} seconds.",
}


class Route(Endpoint):
    """Analyses one recording outside the event loop; the upload stays in memory."""

    path, order, schemas = "/api/v1/predict", 1, _SCHEMAS

    @operation(
        "predict",
        "Find the coughs in a recording and ask the models, with how far each answer can be believed.",
        {"200": response("The answer.", ref("Answer")), **errors(*ERRORS)},
        parameters=[parameter(name, option) for name, option in _OPTIONS.items()],
        requestBody=form(
            {"file": _FILE} | {name: option for name, option in _OPTIONS.items() if name != "also"}
        ),
    )
    async def post(self, request: Request) -> Response:
        """Analyse one recording."""
        with _memory().acquire() as take:
            data, fields = await self._body.form(request.headers, take)
            options = self._options(fields)
            also = [name for name in options.get("also", "").split(",") if name]
            prevalence = prevalence_of(options["prevalence"]) if "prevalence" in options else None
            force = _truth("force", options.get("force", "false"))

            # Without the app's lifespan, as in a program that uses only the routes, there are no workers.
            respond = running.pool.answer if running.pool else worker_process.respond
            answer = partial(respond, data, also=also, prevalence=prevalence, force=force)
            # The workers limit the number of requests, so that no request has to wait for a thread.
            body = await to_thread.run_sync(answer, limiter=threads("answers", 10_000))
        return Response(body, media_type="application/json")


@cache
def _memory() -> UploadMemory:
    return UploadMemory(config.value("COUGHLAB_UPLOADS_MB") * 2**20)


def _truth(name: str, text: str) -> bool:
    truth = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
    if truth is None:
        raise ApiError(400, f"bad_{name}", f"The option '{name}' must be true or false, or 1 or 0.")
    return truth
