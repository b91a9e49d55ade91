"""The measures that are computed from the detector's tables."""

import numpy as np
import pandas as pd
import pytest

from coughlab.detector.events import STEP_S
from coughlab.detector.training import measures
from coughlab.evaluation.intervals import wilson


def asked(rows):
    """A predictions table of (person, kind, probability)."""
    return pd.DataFrame(
        [
            ("person-disjoint", 0, "here", f"{number}", person, kind, "as recorded", label, probability, 0)
            for number, (person, kind, probability) in enumerate(rows)
            for label in ["cough" if kind == "cough" else "other"]
        ],
        columns=measures.COLUMNS,
    )


def test_the_threshold_is_the_lowest_that_keeps_false_coughs_rare():
    others = np.linspace(0, 0.98, 50)
    table = asked([(f"{k}", "speech", p) for k, p in enumerate(others)] + [("a", "cough", 0.99)])
    at = measures.threshold(table, 0.02)
    assert (others >= at).mean() <= 0.02 < (others >= at - 0.01).mean()
    assert measures.threshold(asked([("a", "speech", 0.1)]), 0.02) == 0.5
    assert measures.threshold(asked([("a", "speech", 1.0)]), 0.02) == 0.99


def test_shares_have_the_intervals_of_people_not_of_recordings():
    rows = [
        ("a", "cough", 0.9),
        ("a", "cough", 0.9),
        ("b", "cough", 0.2),
        ("c", "dog bark", 0.7),
        ("d", "rain", 0.1),
    ]
    table = measures.summary(asked(rows), 0.6).set_index(["tested_on", "kind", "label"])
    every = table.loc[("all", "all", "cough")]
    assert (every["recordings"], every["people"]) == (3, 2)
    assert every["found"] == pytest.approx(2 / 3)
    assert (every["low"], every["high"]) == pytest.approx(wilson(2 / 3, 2))
    assert table.loc[("here", "environmental sounds", "other"), "found"] == pytest.approx(0.5)


def scene(true, probable, number=0, n=100):
    cough, probability = np.zeros(n, bool), np.zeros(n)
    for start, end in true:
        cough[start:end] = True
    for start, end in probable:
        probability[start:end] = 0.9
    return pd.DataFrame({"scene": number, "ground": "speech", "cough": cough, "probability": probability})


def test_coughs_are_found_missed_timed_split_joined_and_invented():
    late = round(measures.TOLERANCE_S / STEP_S) + 1
    moments = pd.concat(
        [
            scene([(10, 20), (40, 50)], [(10, 20), (42, 51)]),
            scene([(10, 30)], [(10 + late, 30)], 1),
            scene([(10, 20), (22, 30)], [(10, 30)], 2),
            scene([(10, 30)], [(10, 18), (22, 30)], 3),
            scene([(10, 20)], [(60, 70)], 4),
        ]
    )
    table = measures.coughs(moments, 0.6).set_index("ground")
    assert list(table.index) == ["all", "speech"]
    row = table.loc["all"]
    assert row["coughs"] == 7
    assert row["found"] == pytest.approx(6 / 7)
    assert row["alone"] == pytest.approx(3 / 6)
    assert row["timed"] == pytest.approx(2 / 6)
    assert row["extra"] == pytest.approx(1 / 7)
