"""The OpenAPI 3.1 description of the API, built from its routes."""

from coughlab import __version__
from coughlab.web import routes
from coughlab.web.schema import STRING, Schema, record

_KEY = "Header 'Authorization: Bearer <key>'. Who runs the server gives keys out, if it wants any."


def document() -> Schema:
    """The description, JSON-serializable."""
    found = routes.endpoints()
    schemas: dict[str, Schema] = {"Error": record(error=record(code=STRING, message=STRING))}
    for endpoint in found:
        schemas |= endpoint.schemas
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CoughLab",
            "version": __version__,
            "description": "For research and teaching. Not a medical device: no answer is a diagnosis. An option that is not"
            " described here is refused.",
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": _KEY}},
            "headers": {
                "X-Request-ID": {
                    "description": "The id of the request; the log of the server has the same.",
                    "schema": STRING,
                }
            },
        },
        # A key, or none if the server does not require one.
        "security": [{"key": []}, {}],
        "paths": {
            endpoint.path: {
                method: operation | ({"security": []} if endpoint.public else {})
                for method, operation in endpoint.operations().items()
            }
            for endpoint in found
        },
    }
