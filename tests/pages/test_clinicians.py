"""The page "For clinicians", run by Streamlit without a browser; what the component computes is tested in a browser."""

import json

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from coughlab.evaluation import bootstrap, decision, scoring
from coughlab.serving import predictors
from coughlab.studies import store
from coughlab.studies.writer import replacing
from pages.components.clinical import OTHERS
from tests.conftest import ROOT

OTHER, HEALTHY = "Another dataset: elsewhere", "Another dataset: healthy"


def rows(model, protocol, tested_on, n, n_ill, separation):
    """Synthetic predictions; the probabilities of ill people are higher by `separation`."""
    draw = np.random.default_rng(n)
    ill = np.arange(n) < n_ill
    who = [f"{tested_on} {k}" for k in range(n)]
    return pd.DataFrame(
        {
            "study": "made",
            "protocol": protocol,
            "model": model,
            "split": 0,
            "role": "test",
            "tested_on": tested_on,
            "row": range(n),
            "recording": who,
            "person": who,
            "label": np.where(ill, "covid", "not_covid"),
            "positive": ill,
            "probability": np.clip(draw.normal(0.4, 0.1, n) + separation * ill, 0, 1),
            "seed": 0,
        }
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the committed study and one that was tested with several protocols."""
    folder = tmp_path_factory.mktemp("models")
    (folder / predictors.STUDY).symlink_to(store.MODELS / predictors.STUDY)
    predictions = pd.concat(
        [
            rows("mlp", "published", "made", 60, 20, 0.4),
            rows("mlp", "deduplicated", "made", 50, 10, 0.3),
            rows("mlp", "external", "elsewhere", 80, 30, 0.0),
            rows("mlp", "external", "healthy", 40, 0, 0.0),
            rows("knn", "published", "made", 60, 20, 0.4),
            rows("knn", "external", "elsewhere", 80, 30, -0.3),
        ],
        ignore_index=True,
    )
    thresholds = {"mlp": 0.5, "knn": 0.45}
    models = {
        name: {"title": name.upper(), "threshold": threshold, "serve": None, "large": {}}
        for name, threshold in thresholds.items()
    }
    with replacing(folder / "made") as writer:
        writer.write_table(store.PREDICTIONS, predictions)
        writer.write_table(store.METRICS, scoring.per_split(predictions, thresholds))
        writer.write_table(store.EVIDENCE, bootstrap.table(predictions, thresholds, n_boot=50))
        definition = predictors.default().study.manifest["definition"]
        writer.manifest |= {"definition": definition, "models": models}
    return folder, predictions


@pytest.fixture
def page(made, monkeypatch):
    """A function that runs the page with a link to the synthetic study."""
    monkeypatch.setattr(predictors, "MODELS", made[0])
    monkeypatch.setattr(store, "MODELS", made[0])

    def run(**query):
        page = AppTest.from_file(str(ROOT / "pages/clinicians.py"), default_timeout=60)
        page.query_params.update({"study": "made", **query})
        page.run()
        assert not page.exception
        return page

    return run


def sent(page):
    """The data that the component gets."""
    (component,) = page.get("bidi_component")
    return json.loads(component.proto.json)


def texts(page):
    return [element.value for element in page.markdown]


def test_the_strictest_test_comes_first_and_chance_is_mentioned_before_any_number(page, made):
    shown = page()
    options = shown.selectbox(key="protocol").options
    assert options == [OTHER, "Without copies", "Random rows, as published", HEALTHY]
    assert "not a medical device" in shown.warning[0].value
    assert "This model may be guessing" in shown.error[0].value
    data, of = sent(shown), made[1].query("model == 'mlp' and tested_on == 'elsewhere'")
    expected = decision.at(of, data["thresholds"])
    assert (data["threshold"], data["prevalence"], data["trained"]) == (0.5, 0.05, 0.2)
    assert (data["ill"], data["healthy"]) == (30, 50)
    for name, column in data["at"].items():
        np.testing.assert_allclose(np.array(column, dtype=float), expected[name], rtol=1e-7)
    assert data["corrected"] == expected["corrected"].tolist()
    assert not any("stricter test" in text for text in texts(shown))
    assert "elsewhere" in data["measured"] and "80 recordings of 80 people" in data["measured"]
    assert data["chosen"] == {
        key: [other[score] for score in decision.SHARES] for key, other in OTHERS.items()
    }


def test_a_link_restores_valid_values_and_unknown_values_are_reported(page):
    shown = page(
        protocol="published",
        threshold="0.123",
        prevalence="0.2",
        test_sensitivity="91.5",
        test_specificity="110",
        symptoms_sensitivity="many",
    )
    data = sent(shown)
    assert not shown.error and any("0.5 is a coin" in text for text in texts(shown))
    assert (data["threshold"], data["prevalence"], data["trained"]) == (0.123, 0.2, pytest.approx(1 / 3))
    assert 0.123 in data["thresholds"]
    assert any(f"a stricter test of this model: {OTHER}" in text for text in texts(shown))
    assert data["chosen"] == {"symptoms": [65.0, 78.3], "test": [91.5, 99.1]}
    messages = [warning.value for warning in shown.warning[1:]]
    assert (
        len(messages) == 2 and "symptoms\\_sensitivity" in messages[0]
    ) or "symptoms_sensitivity=many" in messages[0]
    shown = page(model="knn", protocol="none", threshold="2", prevalence="nan")
    assert "worse than guessing" in shown.error[0].value
    data = sent(shown)
    assert data["trained"] is None
    assert (data["title"], data["threshold"], data["prevalence"]) == ("KNN", 0.45, 0.05)


def test_without_covid_cases_only_the_specificity_is_shown(page, made):
    shown = page(protocol="external:healthy")
    assert not shown.get("bidi_component") and not shown.error
    of = made[1].query("tested_on == 'healthy'")
    score = scoring.scores(of, {"mlp": 0.5}).iloc[0]
    (message,) = [element.value for element in shown.info]
    assert f"**{score['specificity']:.1%}**" in message and f"{score['specificity_low']:.1%}" in message
    assert "Nobody in healthy has COVID" in message
    assert any("40 recordings of 40 people" in text for text in texts(shown))
