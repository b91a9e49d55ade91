"""Many splits, run by Streamlit without a browser."""

import time

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from coughlab.evaluation import comparison, metrics
from coughlab.serving import predictors
from coughlab.studies import retrain
from tests.conftest import ROOT


def opened(**state):
    page = AppTest.from_file(str(ROOT / "pages/splits.py"), default_timeout=60)
    for name, value in state.items():
        page.session_state[name] = value
    page.run()
    assert not page.exception
    return page


def text_of(page):
    return "\n".join(element.value for element in page.markdown)


@pytest.fixture(scope="module")
def stored():
    study = predictors.default().study
    return study.metrics[study.metrics["protocol"] == "published"]


def frames(page):
    return [element.value for element in page.dataframe]


def test_the_first_splits_are_shown_with_counts_loss_accuracy_and_matrix(stored):
    page = opened(model="knn")
    expected = comparison.wide(stored, "knn").head(5)
    pd.testing.assert_frame_equal(frames(page)[0], expected, check_dtype=False)
    text = text_of(page)
    for row in expected.to_dict("records"):
        assert f"**Split {row['split']}**" in text
        assert f"| **{row['tp']}** | {row['fn']} |" in text and f"| {row['fp']} | **{row['tn']}** |" in text
        assert f"{row['accuracy_test']:.1%}, log loss {row['log_loss_test']:.3f}" in text
    assert "Measured on kaggle-trial" in text
    assert not page.get("plotly_chart")


def test_the_distribution_of_every_metric_and_the_lucky_split(stored):
    page = opened(view="many", model="knn", metric="sensitivity")
    (frame,) = frames(page)
    assert frame["metric"].tolist() == [metric.title for metric in metrics.PER_SPLIT.values()]
    expected = comparison.summary(stored, "knn")
    assert frame["mean"].tolist() == expected["mean"].tolist()
    lucky = comparison.lucky(stored, "knn", "sensitivity")
    assert comparison.luck_in_words(lucky, "Nearest neighbour", "sensitivity") in text_of(page)
    assert len(page.get("plotly_chart")) == 1


def test_fewer_splits_can_be_looked_at(stored):
    page = opened(view="many", model="knn")
    stored_splits = int(stored.loc[stored["model"] == "knn", "split"].nunique())
    assert page.select_slider[0].value == "all" and f"of {stored_splits} splits" in text_of(page)
    page.select_slider[0].set_value("20").run()
    assert not page.exception
    (frame,) = frames(page)
    few = stored[stored["split"] < 20]
    assert frame["mean"].tolist() == comparison.summary(few, "knn")["mean"].tolist()
    assert "of 20 splits" in text_of(page)


def test_changing_to_a_model_with_fewer_splits_works(stored):
    page = opened(view="many", model="knn", splits="100")
    page.selectbox(key="model").select("cnn").run()
    assert not page.exception
    n = int(stored.loc[stored["model"] == "cnn", "split"].nunique())
    assert f"of {n} splits" in text_of(page) or n > 100


def test_two_models_on_the_same_splits(stored):
    page = opened(view="pair", model="mlp", other="knn", metric="accuracy")
    result = comparison.paired(stored, "mlp", "knn", "accuracy")
    expected = comparison.difference_in_words(result, "MLP", "Nearest neighbour", "accuracy")
    assert expected in text_of(page) and "95% interval of the difference" in expected
    assert len(page.get("plotly_chart")) == 1


def test_a_model_is_not_compared_with_itself():
    page = opened(view="pair", model="cnn", other="cnn")
    assert page.selectbox(key="other").value != "cnn"
    assert "CNN" not in page.selectbox(key="other").options


def test_a_model_that_cannot_be_retrained_has_a_reason():
    page = opened(view="retrain", model="cnn")
    assert "CNN cannot be retrained here" in page.info[0].value
    assert not page.get("form")


def wait_for(job):
    end = time.monotonic() + 120
    while job.state == "running":
        assert time.monotonic() < end
        time.sleep(0.05)


def press_train(page):
    next(button for button in page.button if button.label == "Train").click().run()
    assert not page.exception
    return page.session_state.job


def test_a_model_is_retrained_and_compared_with_the_stored_splits(stored):
    page = opened(view="retrain", model="knn", train=3)
    job = press_train(page)
    assert job.order == retrain.Order("knn", 0, 0.3, 3)
    wait_for(job)
    page.run()
    assert not page.exception and page.success[0].value == "All 3 splits are done."
    each, summary = frames(page)
    expected = comparison.wide(stored, "knn").head(3)
    pd.testing.assert_frame_equal(each, expected, check_dtype=False)
    assert "3 of the 3 splits that are stored too gave exactly the stored probabilities" in text_of(page)
    assert "3 random splits with 30% test rows, seed 0" in text_of(page)
    assert summary["stored"].tolist() == comparison.summary(stored, "knn")["mean"].tolist()


def test_a_running_training_can_be_cancelled_and_another_one_takes_its_place():
    page = opened(view="retrain", model="forest", train=200, seed=3)
    first = press_train(page)
    assert first.state == "running"
    second = press_train(page)
    assert (first.state, second.state) == ("cancelled", "running")
    next(button for button in page.button if button.label == "Cancel").click().run()
    assert not page.exception and second.state == "cancelled"
    page.run()
    assert page.warning[0].value.startswith("Cancelled after")


def test_too_many_trainings_are_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(retrain, "MAX_JOBS", 0)
    page = opened(view="retrain", model="knn")
    next(button for button in page.button if button.label == "Train").click().run()
    assert not page.exception
    assert "running already" in page.error[0].value


def test_a_missing_study_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(predictors, "MODELS", tmp_path)
    page = opened()
    assert len(page.error) == 1


def test_a_study_without_the_published_protocol_can_be_trained_here(monkeypatch):
    study = predictors.default().study
    others = study.metrics[study.metrics["protocol"] != "published"]
    monkeypatch.setitem(vars(study), "metrics", others)
    page = opened(view="retrain", model="knn")
    assert [field.label for field in page.number_input] == ["Splits to train", "Seed"]
