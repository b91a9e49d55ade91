"""Routes are discovered, served and described without a list."""

import subprocess
import sys

import anyio
import httpx
import jsonschema
import pytest
from starlette.applications import Starlette

from coughlab.web import api, middleware, openapi, routes

ADDED = '''
from starlette.responses import JSONResponse

from coughlab.web.endpoint import ApiError, Endpoint
from coughlab.web.schema import COUNT, errors, operation, record, ref, response


class Route(Endpoint):
    """Multiplies."""

    path, schemas = "/api/v1/double", {"Double": record(double=COUNT)}

    @operation(
        "double",
        "Twice a number.",
        {"200": response("The double.", ref("Double")), **errors("400", "401", "429", "500")},
        parameters=[{"name": "n", "in": "query", "required": True, "schema": COUNT}],
    )
    async def get(self, request):
        number = request.query_params.get("n", "")
        if not number.isdecimal():
            raise ApiError(400, "bad_n", "The option 'n' must be a whole number.")
        return JSONResponse({"double": 2 * int(number)})
'''


BEFORE = openapi.document()


@pytest.fixture
def added(tmp_path, monkeypatch):
    """An app with one more file among the routes."""
    (tmp_path / "double.py").write_text(ADDED)
    monkeypatch.setattr(routes, "__path__", [*routes.__path__, str(tmp_path)])
    yield Starlette(routes=routes.table(), middleware=middleware.stack())
    del sys.modules["coughlab.web.routes.double"]


def get(app, address):
    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(address)

    return anyio.run(ask)


def test_a_route_is_one_file(added):
    answer = get(added, "/api/v1/double?n=21")
    assert (answer.status_code, answer.json()) == (200, {"double": 42})
    assert "X-Request-ID" in answer.headers and "Content-Security-Policy" in answer.headers
    wrong = get(added, "/api/v1/double?n=many")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "bad_n")
    line = 'coughlab_requests_total{method="GET",route="/api/v1/double",status="200"} 1.0'
    assert line in get(added, "/api/v1/metrics").text.splitlines()
    assert "/api/v1/double" in get(added, "/api/v1/nothing").json()["error"]["message"]


def test_it_is_in_the_description_with_its_schema(added):
    document = get(added, "/api/v1/openapi.json").json()
    described = document["paths"].pop("/api/v1/double")["get"]
    assert (described["operationId"], described["parameters"][0]["name"]) == ("double", "n")
    assert list(described["responses"]) == ["200", "400", "401", "429", "500"] and "security" not in described
    schema = {"$ref": "#/components/schemas/Double", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate({"double": 42})
    del document["components"]["schemas"]["Double"]
    assert document == BEFORE


def test_every_handler_has_a_unique_name_and_every_schema_exists():
    names = [
        described["operationId"]
        for operations in openapi.document()["paths"].values()
        for described in operations.values()
    ]
    assert len(names) == len(set(names)) == len(api.routes) - 2
    schemas = openapi.document()["components"]["schemas"]
    assert all(name in schemas for endpoint in routes.endpoints() for name in endpoint.schemas)


def test_the_api_starts_without_what_only_pages_and_training_need():
    code = "import sys, coughlab.web.api; print(sorted({'pandas', 'pyarrow', 'scipy', 'sklearn', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
