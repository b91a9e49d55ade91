"""``GET /api/v1/models``: the models, which of them answer here, and what they scored on which data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse

from coughlab import __version__
from coughlab.serving import predictors
from coughlab.system import resources
from coughlab.web.endpoint import Endpoint, threads
from coughlab.web.schema import STRING, errors, mapping, operation, record, ref, response

if TYPE_CHECKING:  # the API starts and answers without pandas
    import pandas as pd

#: Fields of each model that are copied from the study.
_FACTS = ("title", "summary", "input", "threshold", "parameters", "epochs")

_SCHEMAS = {
    "Models": record(
        study=STRING,
        main=STRING,
        models=mapping({"type": "object", "required": ["title", "summary", "answers", "scores"]}),
        version=STRING,
    )
}


class Route(Endpoint):
    """The models of the default study."""

    path, order, schemas = "/api/v1/models", 2, _SCHEMAS

    @operation(
        "models",
        "The models, which of them answer here, and what they scored on which data.",
        {"200": response("The models.", ref("Models")), **errors("401", "429", "500", "503")},
    )
    async def get(self, request: Request) -> JSONResponse:
        """List the models of the study."""
        limiter = threads("others", resources.cores())
        return JSONResponse(await to_thread.run_sync(_models, limiter=limiter))


def _models() -> dict[str, object]:
    predictor = predictors.default()
    study = predictor.study

    def answers(name: str) -> str:
        if name in predictor.names:
            return "always"
        return "when asked" if name in predictor.slow else "never"

    return {
        "study": study.name,
        "main": study.main_model,
        "models": {
            name: {fact: model[fact] for fact in _FACTS}
            | {"answers": answers(name), "scores": _records(study.scores[study.scores["model"] == name])}
            for name, model in study.models.items()
        },
        "version": __version__,
    }


def _records(scores: pd.DataFrame) -> list[dict]:
    """Scores of one model; undefined values, such as a sensitivity without positives, are null."""
    rows = scores.drop(columns="model").astype(object)
    return rows.where(rows.notna(), None).to_dict("records")
