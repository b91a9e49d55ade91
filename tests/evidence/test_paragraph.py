"""The paragraph of the Reality check claims no more than its numbers support."""

import re

import pandas as pd
import pytest

from coughlab.evidence import paragraph as plain
from coughlab.evidence import steps, wording
from tests import evidences
from tests.tasks import COVID

BETTER, WORSE, GUESSING = (0.8, 0.7, 0.9), (0.3, 0.2, 0.4), (0.55, 0.45, 0.65)


def paragraph(*rows, model="mlp", **options):
    table = steps.steps("here", pd.DataFrame(rows), model, "roc_auc")
    return plain.paragraph(table, study="here", model=model, title="MLP", task=COVID, **options)


def row(protocol, auc, model="mlp", tested_on="here", **options):
    return evidences.row(model, protocol, tested_on, auc, **options)


def test_the_whole_story_of_a_model():
    table = steps.steps("kaggle-trial", evidences.kaggle_trial(), "mlp", "roc_auc")
    text = plain.paragraph(table, study="kaggle-trial", model="mlp", title="MLP", task=COVID, claimed=1.0)
    for sentence in (
        "reports an accuracy of 100% for a model of this kind.",
        "In kaggle-trial, tested as published",
        "in 97 of 100 pairs",
        "(ROC AUC 0.97, 95% interval 0.91 to 0.99; 166 recordings of 157 people).",
        "nobody is both trained and tested on, it is 91 of 100",
        "better than guessing in this dataset.",
        "reaches 0.97 (0.90 to 0.99) in the same test. The model is not clearly above that",
        "where a recording comes from may explain the score.",
        "On covid19-cough, a dataset it was not trained on, it is 48 of 100 (ROC AUC 0.48, 95% interval 0.45 to 0.52;"
        " 1,322 recordings of 1,320 people): compatible with guessing.",
        "Of 250 recordings of 51 people in coswara-sample, all of them without COVID, it predicts COVID for 28% of the recordings"
        " (95% interval 18% to 40%): false alarms.",
    ):
        assert sentence in text
    assert text.endswith("does not show that the model recognises COVID in recordings from elsewhere.")
    assert "nan" not in text and "  " not in text and "same people" not in text


@pytest.mark.parametrize(
    ("auc", "sentence"),
    [
        (BETTER, "better than guessing on these recordings"),
        (WORSE, "worse than guessing, it ranks them the wrong way round"),
        (GUESSING, "compatible with guessing"),
        # Shown as 0.50, so the paragraph does not claim more than guessing.
        ((0.55, 0.5012, 0.6), "compatible with guessing"),
        ((0.55, float("nan"), float("nan")), "nobody can tell whether that is better than guessing"),
    ],
)
def test_the_text_for_another_dataset_depends_on_its_interval(auc, sentence):
    text = paragraph(row("published", BETTER), row("external", auc, tested_on="there"))
    assert sentence in text
    assert ("This shows more than guessing on there. It does not show" in text) == (auc == BETTER)
    assert ("does not show that the model recognises COVID" in text) == (auc != BETTER)


@pytest.mark.parametrize(
    ("auc", "sentence"),
    [
        (BETTER, "better than guessing in this dataset"),
        (WORSE, "worse than guessing in this dataset"),
        (GUESSING, "): compatible with guessing"),
    ],
)
def test_the_text_for_the_strictest_test_within_the_dataset_depends_on_its_interval(auc, sentence):
    text = paragraph(row("published", BETTER), row("deduplicated", BETTER), row("source-balanced", auc))
    assert sentence in text and "When each source gives as many" in text and "counts once" not in text
    assert "may explain the score" not in text and "same people may have been trained and tested on" in text
    assert text.endswith(
        "It was tested on no other dataset: this does not show that the model would recognise COVID in recordings from elsewhere."
    )


def test_one_good_dataset_does_not_make_up_for_a_bad_one():
    rows = [row("external", auc, tested_on=name) for name, auc in (("there", BETTER), ("yonder", GUESSING))]
    text = paragraph(row("published", BETTER), *rows)
    assert "shows more than guessing" not in text and "does not show that the model recognises COVID" in text


@pytest.mark.parametrize(("shortcut", "above"), [((0.6, 0.5, 0.69), True), ((0.65, 0.6, 0.7), False)])
def test_only_a_score_above_the_shortcut_s_whole_interval_counts_as_better(shortcut, above):
    text = paragraph(row("deduplicated", BETTER), row("deduplicated", shortcut, model="shortcut"))
    assert ("less than the model, whose score such facts alone do not reach" in text) == above
    assert ("does not show that it hears an illness" in text) == (not above)
    assert 'The model "MLP" was trained on here.' in text


def test_a_success_on_another_dataset_is_also_compared_with_the_shortcut():
    text = paragraph(
        row("external", BETTER, tested_on="there"),
        row("external", (0.9, 0.8, 0.95), model="shortcut", tested_on="there"),
    )
    assert "better than guessing on these recordings" in text and "does not show that it hears" in text


def test_a_model_that_was_only_tested_as_published():
    text = paragraph(row("published", (0.998, 0.9, 1.0)), row("published", BETTER, model="shortcut"))
    assert "in more than 99 of 100 pairs" in text and "(ROC AUC over 0.99, 95% interval 0.90 to 1.00" in text
    assert "reaches 0.80 (0.70 to 0.90) in the same test" in text
    assert "It was tested in no stricter way: this does not show" in text


def test_a_model_that_was_not_tested_and_the_baselines():
    assert paragraph(row("published", BETTER), model="cnn") == 'The model "MLP" was not tested on here.'
    for model, sentence in (
        ("shortcut", "knows only how a recording was made"),
        ("random", "draws its answers by lot"),
    ):
        text = paragraph(row("published", BETTER, model=model), model=model)
        assert text.startswith("MLP is a baseline") and sentence in text
        assert "A baseline that" not in text


def test_the_paragraph_is_about_the_auc_only():
    table = steps.steps("here", pd.DataFrame([row("published", BETTER)]), "mlp", "accuracy")
    with pytest.raises(ValueError, match="ROC AUC"):
        plain.paragraph(table, study="here", model="mlp", title="MLP", task=COVID)


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.996, "roc_auc", "over 0.99"),
        (1.0, "roc_auc", "1.00"),
        (0.002, "roc_auc", "under 0.01"),
        (0.0, "accuracy", "0%"),
        (0.996, "accuracy", "over 99%"),
        (0.5, "false_alarms", "50%"),
    ],
)
def test_only_a_perfect_value_is_shown_as_perfect(value, metric, text):
    assert wording.write(value, metric) == text


def test_no_words_of_certainty():
    text = plain.paragraph(
        steps.steps("kaggle-trial", evidences.kaggle_trial(), "mlp", "roc_auc"),
        study="kaggle-trial",
        model="mlp",
        title="MLP",
        task=COVID,
    )
    assert not re.search(r"\b(proves?|detects?|diagnos\w+|useless|fraud|fails?)\b", text)
