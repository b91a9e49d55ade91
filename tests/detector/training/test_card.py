"""The statements in README and pages about the detector, compared with its tables."""

import pandas as pd
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


def test_the_committed_card_is_what_is_written_from_the_tables():
    """The whole card except the table of training data, which needs the recordings."""
    stored = detector.stored()
    asked, events = stored.table(store.PREDICTIONS), stored.table(measures.EVENTS)
    listed = pd.DataFrame({"collection": ["a"], "kind": ["cough"], "recording": ["1"], "person": ["2"]})
    before, _, after = stored.read("README.md").decode().partition("| collection | kind |")
    table = "| collection | kind | recordings | people or clips |\n| --- | --- | --- | --- |\n| a | cough | 1 | 1 |\n"
    after = after.partition("\n\n")[2]
    assert card.write(stored.manifest, listed, asked, events) == f"{before}{table}\n{after}"


def test_false_coughs_are_as_rare_as_the_threshold_promises(table):
    from coughlab.detector.training.fitting import FALSE_SHARE

    others = table[
        (table["protocol"] == "person-disjoint") & (table["label"] == "other") & (table["kind"] == "all")
    ]
    assert others.set_index("chain").loc["as recorded", "found"] <= FALSE_SHARE
