"""The API described for programs, as OpenAPI 3.1: ``/api/v1/openapi.json``."""

from coughlab import __version__, audio
from coughlab.datasets import LABELS
from coughlab.detector.detect import HEARD
from coughlab.evidence.verdict import HEADLINES, PREVALENCE

_SOURCE = "For research and teaching. Not a medical device: no answer is a diagnosis."


def document():
    """The description.

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": "CoughLab", "version": __version__, "description": _SOURCE},
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": _KEY}},
            "headers": {
                "X-Request-ID": {
                    "description": "The id of the request; the log of the server has the same.",
                    "schema": {"type": "string"},
                }
            },
        },
        # A key, or none where the server wants none.
        "security": [{"key": []}, {}],
        "paths": {
            "/api/v1/predict": {"post": _predict()},
            "/api/v1/models": {
                "get": _operation(
                    "models",
                    "The models, which of them answer here, and what they scored on which data.",
                    {"200": _json("The models.", "Models"), **_errors("401", "429", "500", "503")},
                )
            },
            "/api/v1/health": {
                "get": _operation(
                    "health",
                    "Whether recordings can be answered, and what is wrong.",
                    {
                        "200": _json("Recordings can be answered.", "Health"),
                        "503": _json("No recording can be answered.", "Health"),
                        **_errors("500"),
                    },
                    security=[],
                )
            },
            "/api/v1/metrics": {
                "get": _operation(
                    "metrics",
                    "Figures for Prometheus.",
                    {
                        "200": {
                            "description": "The figures.",
                            "headers": _ID,
                            "content": {"text/plain": {"schema": {"type": "string"}}},
                        },
                        **_errors("401", "429", "500"),
                    },
                )
            },
            "/api/v1/openapi.json": {
                "get": _operation(
                    "description",
                    "This description.",
                    {
                        "200": {
                            "description": "This description.",
                            "headers": _ID,
                            "content": {"application/json": {"schema": {"type": "object"}}},
                        },
                        **_errors("500"),
                    },
                    security=[],
                )
            },
        },
    }


_KEY = "Header 'Authorization: Bearer <key>'. Who runs the server gives keys out, if it wants any."
_ID = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
_WHEN = {
    "400": "The recording cannot be read, or an option is not what it can be.",
    "401": "A key is needed, or the one sent is not known.",
    "403": "A browser asked for a page of another site.",
    "408": "The upload stopped before its end.",
    "413": "The recording is too large or too long.",
    "415": "The body is not multipart/form-data.",
    "422": "The recording was read, and cannot be answered: it is too short, or holds no sound.",
    "429": "The key was used too often; Retry-After says when it may be used again.",
    "500": "Something went wrong that is not the request's fault.",
    "503": "The server is busy, and Retry-After says when to try again; or a model is missing.",
}


def _operation(name, summary, responses, **more):
    return {"operationId": name, "summary": summary, "responses": responses, **more}


def _json(description, schema):
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "headers": _ID, "content": content}


def _errors(*statuses):
    return {status: _json(_WHEN[status], "Error") for status in statuses}


def _predict():
    options = {
        "also": ("Large models to ask too, with commas between them.", {"type": "string"}),
        "prevalence": (
            f"How common COVID is among people like the one recorded; {PREVALENCE} unless told.",
            _PREVALENCE,
        ),
        "force": (
            "Whether to ask the models even where there is no cough; not unless told.",
            {"enum": ["true", "false", "1", "0"]},
        ),
    }
    fields = {
        name: schema | {"description": told} for name, (told, schema) in options.items() if name != "also"
    }
    file = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "description": f"The recording: {audio.FORMATS}, up to {audio.LIMITS.max_seconds:.0f} seconds.",
    }
    body = {"type": "object", "properties": {"file": file, **fields}, "required": ["file"]}
    return _operation(
        "predict",
        "Find the coughs in a recording and ask the models, with how far each answer can be believed.",
        {"200": _json("The answer.", "Answer"), **_errors(*_WHEN)},
        parameters=[
            {"name": name, "in": "query", "description": told, "schema": schema}
            for name, (told, schema) in options.items()
        ],
        requestBody={"required": True, "content": {"multipart/form-data": {"schema": body}}},
    )


def _object(**properties):
    """A schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(schema):
    return {"anyOf": [schema, {"type": "null"}]}


def _of(schema):
    """A schema of an object whose every property is alike, as of models by name."""
    return {"type": "object", "additionalProperties": schema}


def _ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


_STRING, _NUMBER, _COUNT = {"type": "string"}, {"type": "number"}, {"type": "integer", "minimum": 0}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_PREVALENCE = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_LABEL = {"enum": list(LABELS)}
_INTERVAL = {"type": "array", "items": _or_null(_NUMBER), "minItems": 2, "maxItems": 2}
_SCHEMAS = {
    "Error": _object(error=_object(code=_STRING, message=_STRING)),
    "Remark": _object(code=_STRING, message=_STRING),
    "Evidence": _object(
        study=_STRING,
        protocol=_or_null(_STRING),
        tested_on=_or_null(_STRING),
        recordings=_or_null(_COUNT),
        people=_or_null(_COUNT),
        splits=_or_null(_COUNT),
        auc=_or_null(_SHARE),
        auc_interval=_or_null(_INTERVAL),
        likelihood_ratio=_or_null(_NUMBER),
        likelihood_ratio_interval=_or_null(_INTERVAL),
        prevalence=_PREVALENCE,
        probability_after=_or_null(_SHARE),
        probability_after_interval=_or_null(_INTERVAL),
        verdict={"enum": list(HEADLINES)},
        message=_STRING,
    ),
    "Answer": _object(
        label=_or_null(_LABEL),
        probability=_or_null(_SHARE),
        model=_STRING,
        cough=_object(
            found=_COUNT,
            probability=_SHARE,
            heard=_or_null(_object(code={"enum": list(HEARD)}, message=_STRING)),
        ),
        evidence=_or_null(_ref("Evidence")),
        novelty=_or_null(
            _object(
                p=_or_null(_SHARE),
                code={"enum": ["familiar", "unusual", "far", "unknown"]},
                message=_STRING,
                trained_on=_STRING,
            )
        ),
        models=_of(
            _object(
                label=_LABEL,
                probability=_SHARE,
                threshold=_SHARE,
                coughs=_or_null(_of(_COUNT)),
                evidence=_ref("Evidence"),
            )
        ),
        audio=_object(duration_s=_NUMBER, sample_rate=_COUNT, channels=_COUNT, codec=_STRING),
        events={
            "type": "array",
            "items": _object(
                start_s=_NUMBER,
                end_s=_NUMBER,
                probability=_SHARE,
                models=_of(_object(label=_LABEL, probability=_SHARE)),
            ),
        },
        quality={"type": "array", "items": _ref("Remark")},
        study=_STRING,
        version=_STRING,
    ),
    "Models": _object(
        study=_STRING,
        main=_STRING,
        models=_of({"type": "object", "required": ["title", "summary", "answers", "scores"]}),
        version=_STRING,
    ),
    "Health": _object(
        alive={"type": "boolean"},
        ready={"type": "boolean"},
        studies={"type": "array", "items": _STRING},
        models={"type": "array", "items": _STRING},
        problems={
            "type": "array",
            "items": _object(code=_STRING, message=_STRING, stops={"type": "boolean"}),
        },
        version=_STRING,
    ),
}
