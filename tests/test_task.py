"""A task: two labels, and their names in sentences."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from coughlab.task import Task
from tests.tasks import COVID, TUBERCULOSIS


def test_the_index_of_a_label_is_the_number_of_its_class():
    assert COVID.labels == ("not_covid", "covid")
    assert [COVID.labels.index(label) for label in ("not_covid", "covid")] == [0, 1]
    assert TUBERCULOSIS.labels == ("healthy", "tb")


def test_the_default_negative_label_is_not_and_the_positive_label():
    assert Task("asthma", "asthma").negative == "not_asthma"
    assert Task("asthma", "asthma", "well") == Task("asthma", "asthma", negative="well")
    assert Task("asthma", "asthma", "not_asthma") == Task("asthma", "asthma")


@pytest.mark.parametrize("positive", [True, np.True_, 1, np.bool_(0.7 >= 0.5)])
def test_a_class_has_its_label(positive):
    assert (COVID.label(positive), TUBERCULOSIS.label(positive)) == ("covid", "tb")
    assert (COVID.label(not positive), TUBERCULOSIS.label(not positive)) == ("not_covid", "healthy")


@pytest.mark.parametrize(
    "kind", [list, np.array, pd.Series, lambda labels: pd.Series(labels, dtype="category"), iter]
)
def test_every_label_but_one_is_negative(kind):
    labels = ["tb", "healthy", "TB", "asthma", "tb", ""]
    found = TUBERCULOSIS.is_positive(kind(labels))
    assert found.dtype == bool and found.tolist() == [True, False, False, False, True, False]


def test_an_empty_list_of_labels_has_no_positive_one():
    found = COVID.is_positive([])
    assert found.dtype == bool and found.shape == (0,)


@pytest.mark.parametrize(
    ("task", "label", "title"),
    [
        (COVID, "covid", "COVID"),
        (COVID, "not_covid", "not COVID"),
        (COVID, "healthy", "healthy"),
        (TUBERCULOSIS, "tb", "tuberculosis"),
        (TUBERCULOSIS, "healthy", "not tuberculosis"),
        (TUBERCULOSIS, "covid", "covid"),
        (TUBERCULOSIS, 3, "3"),
        (TUBERCULOSIS, None, "None"),
    ],
)
def test_the_title_of_a_label(task, label, title):
    assert task.title(label) == title


def test_every_placeholder_of_the_condition_is_filled():
    text = "With {condition} or without {condition}: {other} and 100%."
    assert TUBERCULOSIS.say(text) == "With tuberculosis or without tuberculosis: {other} and 100%."
    assert TUBERCULOSIS.say("Nothing.") == "Nothing."


def test_a_task_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        COVID.positive = "tb"
    assert (COVID.prevalence, TUBERCULOSIS.prevalence) == (0.05, 0.02)
