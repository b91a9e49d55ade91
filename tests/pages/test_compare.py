"""The page "Compare models", run by Streamlit without a browser."""

import pytest
from streamlit.testing.v1 import AppTest

from coughlab.serving import predictors
from coughlab.studies import case_study
from tests.conftest import ROOT


@pytest.fixture
def page():
    return AppTest.from_file(str(ROOT / "pages/compare.py"), default_timeout=60).run()


def texts(page):
    return [element.value for element in page.markdown]


def test_every_model_is_a_row_with_the_means_of_the_first_splits(page):
    assert not page.exception
    shown, study = page.dataframe[0].value, predictors.default().study
    expected = case_study.table(study, n_splits=case_study.SPLITS)
    assert shown["Model"].tolist() == [model["title"] for model in study.models.values()]
    assert shown["Splits"].max() == case_study.SPLITS
    assert shown["ROC AUC"].tolist() == expected["ROC AUC", "mean"].tolist()
    assert shown["Accuracy: SD"].equals(expected["Accuracy", "SD"].set_axis(shown.index))
    assert "Accuracy: published" in shown and "Accuracy: lowest" not in shown


def test_all_splits_and_other_columns_on_demand(page):
    page.segmented_control(key="splits").set_value("all")
    page.pills(key="beside").set_value(["lowest", "highest"])
    page.run()
    assert not page.exception
    shown, study = page.dataframe[0].value, predictors.default().study
    assert shown["Splits"].tolist() == case_study.table(study)["Splits", ""].tolist()
    assert "Accuracy: lowest" in shown and "Accuracy: SD" not in shown


def test_the_page_says_what_the_scores_were_measured_on(page):
    measured = [text for text in texts(page) if "Measured on kaggle-trial" in text]
    assert len(measured) == 3
    assert all("5 splits" in text and "people" in text for text in measured)


def test_each_published_model_s_difference_is_explained(page):
    study = predictors.default().study
    for name, why in case_study.WHY.items():
        reached, of = case_study.reached(study, name)
        title = study.models[name]["title"]
        assert any(
            title in text and f"{reached} of our {of} splits" in text and why in text for text in texts(page)
        )


def test_curves_of_the_models_picked(page):
    assert len(page.get("plotly_chart")) == 3
    page.multiselect(key="curves").set_value([]).run()
    assert not page.exception and len(page.get("plotly_chart")) == 1
    assert any("Pick a model" in text for text in texts(page))


def test_a_link_carries_the_state():
    page = AppTest.from_file(str(ROOT / "pages/compare.py"), default_timeout=60)
    page.query_params["splits"] = "all"
    page.query_params["curves"] = "knn,tree"
    page.run()
    assert not page.exception
    assert page.segmented_control(key="splits").value == "all"
    assert page.multiselect(key="curves").value == ["knn", "tree"]
