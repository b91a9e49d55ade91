"""What README and pages say of the detector, held against its tables."""

import pytest

from coughlab import detector
from coughlab.detector.training import card, measures
from coughlab.studies import store
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def table():
    stored = detector.stored()
    return measures.summary(stored.table(store.PREDICTIONS), stored.thresholds[store.DETECTOR])


@pytest.mark.parametrize("protocol", ["person-disjoint", "external"])
@pytest.mark.parametrize("label", ["cough", "other"])
def test_the_readme_says_what_was_measured(table, protocol, label):
    rows = table[(table["protocol"] == protocol) & (table["label"] == label) & (table["kind"] == "all")]
    row = rows[rows["chain"] == "as recorded"].iloc[0]
    readme = " ".join((ROOT / "README.md").read_text().partition("## The cough detector")[2].split())
    assert f"{row['found']:.1%}" in readme and f"{row['recordings']} recordings of" in readme
    if protocol == "person-disjoint":
        assert f"{row['low']:.1%} to {row['high']:.1%}" in readme and f"{row['people']} people" in readme


def test_the_sentence_of_the_pages_has_figures_intervals_and_sizes(table):
    rows = table[(table["protocol"] == "person-disjoint") & (table["chain"] == "as recorded")]
    line = card.line(detector.stored())
    for label in ("cough", "other"):
        row = rows[(rows["kind"] == "all") & (rows["label"] == label)].iloc[0]
        assert f"{row['found']:.1%} (95% interval {row['low']:.1%} to {row['high']:.1%})" in line
        assert f"{row['recordings']:,} recordings of {row['people']:,} people or clips" in line


def test_false_coughs_are_as_rare_as_the_threshold_promises(table):
    from coughlab.detector.training.fitting import FALSE_SHARE

    others = table[
        (table["protocol"] == "person-disjoint") & (table["label"] == "other") & (table["kind"] == "all")
    ]
    assert others.set_index("chain").loc["as recorded", "found"] <= FALSE_SHARE
