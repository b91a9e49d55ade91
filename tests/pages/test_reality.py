"""The page "Reality check", run by Streamlit without a browser."""

import pytest
from streamlit.elements.lib import streamlit_plotly_theme
from streamlit.testing.v1 import AppTest

from coughlab.charts import staircase
from coughlab.evaluation.protocols import PROTOCOLS
from coughlab.evidence import paragraph, steps
from coughlab.serving import predictors
from tests.conftest import ROOT


def opened(**state):
    page = AppTest.from_file(str(ROOT / "pages/reality.py"), default_timeout=60)
    for name, value in state.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def text_of(page):
    return "\n".join(element.value for element in page.markdown)


@pytest.fixture(scope="module")
def study():
    return predictors.default().study


@pytest.fixture(scope="module")
def page():
    return opened()


def test_every_model_is_shown_at_every_step(page, study):
    in_numbers, everything = (frame.value for frame in page.dataframe[:2])
    reasons = steps.ruled_out(study.features, study.task)
    first = next(iter(study.models))
    expected = steps.steps(study.name, study.evidence, first, "roc_auc", reasons=reasons)
    assert in_numbers["value"].tolist() == pytest.approx(expected["value"].tolist(), nan_ok=True)
    assert in_numbers["reason"].tolist() == expected["reason"].tolist()
    assert set(in_numbers["title"]) >= {one.title for one in PROTOCOLS.values()} - {"On another dataset"}
    titles = [entry["title"] for entry in study.models.values()]
    assert everything["model"].unique().tolist() == titles
    assert len(everything) == len(titles) * len(expected)
    assert len(page.get("plotly_chart")) == 4
    measures = page.dataframe[3].value
    assert measures.groupby("measure")["of"].apply(list).map(["as answered", "recalibrated"].__eq__).all()
    assert "Brier score" in set(measures["measure"])


def test_the_paragraph_is_there_before_any_chart(page, study):
    first = next(iter(study.models))
    table = steps.steps(study.name, study.evidence, first, "roc_auc")
    text = paragraph.paragraph(
        table,
        study=study.name,
        model=first,
        title=study.models[first]["title"],
        task=study.task,
        claimed=1.0,
    )
    assert text in text_of(page)
    assert "no source has recordings of both labels" in "".join(page.dataframe[0].value["reason"])
    for source in ("10.1038/s42256-023-00773-8", "10.1038/s41746-021-00553-x", "bootstrap over people"):
        assert source in text_of(page)


def test_a_link_carries_model_and_metric(study):
    page = opened(model="knn", metric="balanced_accuracy")
    assert (page.selectbox(key="model").value, page.selectbox(key="metric").value) == (
        "knn",
        "balanced_accuracy",
    )
    expected = steps.steps(study.name, study.evidence, "knn", "balanced_accuracy")
    assert page.dataframe[0].value["value"].tolist() == pytest.approx(expected["value"].tolist(), nan_ok=True)
    assert "accuracy of 98% for a model of this kind" in text_of(page)


def test_the_text_of_the_charts_has_the_theme_s_colour():
    assert staircase.INK == streamlit_plotly_theme.GRAY_90


def test_a_missing_study_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(predictors, "MODELS", tmp_path)
    assert len(opened().error) == 1
