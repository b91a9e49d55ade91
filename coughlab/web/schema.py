"""Building blocks of the API's description, in OpenAPI 3.1 and JSON Schema."""

from collections.abc import Callable, Mapping
from typing import TypeVar

Schema = Mapping[str, object]
_Handler = TypeVar("_Handler", bound=Callable)

#: The media type of a form with a file.
FORM = "multipart/form-data"
ID = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
#: When an answer has each error status.
ERRORS = {
    "400": "The recording cannot be read, or an option is unknown, or is not what it can be.",
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

STRING, NUMBER, COUNT = {"type": "string"}, {"type": "number"}, {"type": "integer", "minimum": 0}
BOOLEAN = {"type": "boolean"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def operation(name: str, summary: str, responses: Schema, **more: object) -> Callable[[_Handler], _Handler]:
    """Describe the handler of one HTTP method: its operationId, its summary, its responses by status.

    The ``parameters`` and the ``requestBody`` are also what `coughlab.web.options` accepts. Any other option is refused, so that
    every operation has the response 400.
    """
    responses = dict(sorted({**errors("400"), **responses}.items()))
    description = {"operationId": name, "summary": summary, "responses": responses, **more}

    def describe(handler: _Handler) -> _Handler:
        setattr(handler, "operation", description)  # noqa: B010 type checkers do not know this attribute
        return handler

    return describe


def response(description: str, schema: Schema, media_type: str = "application/json") -> dict[str, object]:
    """A response with a body of one type."""
    return {"description": description, "headers": ID, "content": {media_type: {"schema": schema}}}


def errors(*statuses: str) -> dict[str, object]:
    """The responses that are errors, by status."""
    return {status: response(ERRORS[status], ref("Error")) for status in statuses}


def parameter(name: str, schema: Schema) -> dict[str, object]:
    """A parameter of the address; its description is that of its schema."""
    rest = {key: value for key, value in schema.items() if key != "description"}
    return {"name": name, "in": "query", "description": schema["description"], "schema": rest}


def form(properties: Mapping[str, Schema]) -> dict[str, object]:
    """The body of a request: a form that has a file and these other fields."""
    schema = {
        "type": "object",
        "properties": properties,
        "required": ["file"],
        "additionalProperties": False,
    }
    return {"required": True, "content": {FORM: {"schema": schema}}}


def ref(name: str) -> dict[str, object]:
    """A reference to a schema in the ``schemas`` of a route."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(**properties: Schema) -> dict[str, object]:
    """A schema of an object that has these properties and no others."""
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def mapping(schema: Schema) -> dict[str, object]:
    """A schema of an object whose properties all have one schema, such as models by name."""
    return {"type": "object", "additionalProperties": schema}


def array(items: Schema, **more: object) -> dict[str, object]:
    """A schema of a list."""
    return {"type": "array", "items": items, **more}


def or_null(schema: Schema) -> dict[str, object]:
    """A schema that also allows null."""
    return {"anyOf": [schema, {"type": "null"}]}
