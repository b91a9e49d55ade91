"""Shared parts of pages: the selection, and the line that says what was measured on what."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from coughlab.serving import predictors
from pages.shared.measured import measured
from pages.shared.text import literal
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def study():
    return predictors.default().study


def test_the_feature_table_is_measured(study):
    table = study.features
    sentence = measured(study, table)
    assert sentence == (
        f"Measured on kaggle-trial: {len(table)} rows, {table['recording'].nunique()} recordings"
        f" of {table['person'].nunique()} people."
    )


def test_the_line_for_predictions_names_their_data():
    rows = pd.DataFrame(
        {
            "protocol": "published",
            "split": [0, 0, 1, 1, 1],
            "role": ["test", "test", "test", "train", "train"],
            "tested_on": "kaggle-trial",
            "recording": ["a", "b", "a", "c", "d"],
            "person": ["p", "q", "p", "q", "r"],
        }
    ).astype({"protocol": "category", "role": "category", "tested_on": "category"})
    study = type("Study", (), {"name": "kaggle-trial"})
    assert measured(study, rows[rows["role"] == "test"]) == (
        "Measured on kaggle-trial, published protocol (random 70/30 splits), 2 splits, test rows: 2 recordings of 2 people."
    )
    assert measured(study, rows[rows["split"] == 1]) == (
        "Measured on kaggle-trial, published protocol (random 70/30 splits), 1 split, train and test rows:"
        " 3 recordings of 3 people."
    )


def page():
    import pandas as pd
    import plotly.graph_objects as go

    from pages.shared.chart import show_chart
    from pages.shared.measured import measured_on
    from pages.shared.study import stored_study
    from pages.shared.table import show_table

    study = stored_study()
    measured_on(study, study.features, "A note.")
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))
    show_chart(figure, "two-points", key="points", alt="Two points")
    show_table(pd.DataFrame({"a": [1]}), "one", key="one")


def test_a_name_in_markdown_is_shown_literally():
    assert literal("a_b*c* :red[d]\n    e") == r"a\_b\*c\* \:red\[d\] e"
    assert literal("Müller 咳 7") == "Müller 咳 7"


def test_charts_and_tables_come_with_their_downloads(study):
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    assert app.markdown[0].value.endswith("A note.]")
    (chart,) = app.get("plotly_chart")
    assert chart.proto.alt == "Two points"
    (buttons,) = app.get("bidi_component")
    assert '"name": "two-points"' in buttons.proto.json
    assert [button.label for button in app.get("download_button")] == [":small[↓ CSV]"]
    assert app.dataframe[0].value["a"].tolist() == [1]


def test_a_missing_study_gives_a_message(monkeypatch, tmp_path):
    monkeypatch.setattr(predictors, "MODELS", tmp_path)
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    assert "There is no study" in app.error[0].value
    assert not app.get("plotly_chart")


@pytest.mark.parametrize("name", ["compare", "matrices", "splits", "reality", "clinicians"])
def test_a_choice_that_another_dataset_does_not_have_is_dropped(name):
    page = AppTest.from_file(str(ROOT / f"pages/{name}.py"), default_timeout=60).run()
    for key, value in (("model", "cnn2"), ("protocol", "person-disjoint")):
        if key in page.session_state and key in [box.key for box in page.selectbox]:
            page.selectbox(key).set_value(value).run()
            assert not page.exception
    for study in ("covid19-cough", "kaggle-trial"):
        page.selectbox("study").set_value(study).run()
        assert not page.exception
        assert "There is no" not in " ".join(error.value for error in page.error)
    if name != "reality":
        assert page.selectbox("protocol").value != "person-disjoint"
