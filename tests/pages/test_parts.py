"""What pages share: tables as CSV, and the line that says what was measured on what."""

import io

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from coughlab import serving
from coughlab.spreadsheet import to_csv
from pages import parts
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def study():
    return serving.default().study


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_never_becomes_a_formula(start):
    text = f"{start}HYPERLINK(1)"
    frame = pd.DataFrame(
        {"name": [text, "cough.wav"], text: ["a", text], "kind": pd.Categorical([text, "b"])}
    )
    read = pd.read_csv(io.StringIO(to_csv(frame), newline=""), dtype=str)
    assert list(read.columns) == ["name", f"'{text}", "kind"]
    assert read["name"].tolist() == [f"'{text}", "cough.wav"]
    assert read[f"'{text}"].tolist() == ["a", f"'{text}"]
    assert read["kind"].tolist() == [f"'{text}", "b"]


def test_numbers_are_written_as_they_are():
    frame = pd.DataFrame({"a": [-1.5, 0.1 + 0.2], "b": [-3, 4], "c": [True, False]}, index=[7, 8])
    assert to_csv(frame) == "a,b,c\r\n-1.5,-3,True\r\n0.30000000000000004,4,False\r\n"


def test_missing_text_stays_empty():
    assert to_csv(pd.DataFrame({"a": ["-x", None], "b": [1.0, None]})) == "a,b\r\n'-x,1.0\r\n,\r\n"


def test_the_frame_itself_stays_as_it_was():
    frame = pd.DataFrame({"a": ["=1"]})
    to_csv(frame)
    assert frame["a"].tolist() == ["=1"]


def test_the_whole_feature_table_comes_back(study):
    read = pd.read_csv(io.StringIO(to_csv(study.features)))
    pd.testing.assert_series_equal(read["mfcc1"].astype("float32"), study.features["mfcc1"])
    assert read["recording"].str.removeprefix("'").tolist() == study.features["recording"].tolist()


def test_the_feature_table_is_measured(study):
    table = study.features
    sentence = parts.measured(study, table)
    assert sentence == (
        f"Measured on kaggle-trial: {len(table)} rows, {table['recording'].nunique()} recordings"
        f" of {table['person'].nunique()} people."
    )


def test_predictions_are_measured_on_what_they_were_asked_about():
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
    assert parts.measured(study, rows[rows["role"] == "test"]) == (
        "Measured on kaggle-trial, published protocol (random 70/30 splits), 2 splits, test rows: 2 recordings of 2 people."
    )
    assert parts.measured(study, rows[rows["split"] == 1]) == (
        "Measured on kaggle-trial, published protocol (random 70/30 splits), 1 split, train and test rows:"
        " 3 recordings of 3 people."
    )


def page():
    import pandas as pd
    import plotly.graph_objects as go

    from pages import parts

    study = parts.study()
    parts.measured_on(study, study.features, "A note.")
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))
    parts.chart(figure, "two-points", key="points", alt="Two points")
    parts.table(pd.DataFrame({"a": [1]}), "one", key="one")


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


def test_a_study_that_is_not_there_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(serving, "MODELS", tmp_path)
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    assert "There is no study" in app.error[0].value
    assert not app.get("plotly_chart")


@pytest.mark.parametrize("name", ["compare", "matrices", "splits", "reality", "clinicians"])
def test_a_choice_that_another_dataset_does_not_have_is_forgotten(name):
    page = AppTest.from_file(str(ROOT / f"pages/{name}.py"), default_timeout=60).run()
    for key, value in (("model", "cnn2"), ("protocol", "Nobody on both sides")):
        if key in page.session_state and key in [box.key for box in page.selectbox]:
            page.selectbox(key).set_value(value).run()
            assert not page.exception
    for study in ("covid19-cough", "kaggle-trial"):
        page.selectbox("study").set_value(study).run()
        assert not page.exception
        assert "There is no" not in " ".join(error.value for error in page.error)
    if name != "reality":
        assert page.selectbox("protocol").value != "Nobody on both sides"
