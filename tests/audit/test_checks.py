"""Every planted fault is found, and a dataset without faults has no finding."""

import json
import re
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from coughlab.audio import synthetic
from coughlab.audit import checks, run
from coughlab.audit.checks import shortcut
from coughlab.audit.report import text
from coughlab.datasets import COLUMNS, Dataset, listing
from coughlab.evaluation import splits
from coughlab.studies import store
from tests.conftest import ROOT
from tests.surveys import same, survey


def findings(table, copies=None, probes=None, skipped=()):
    table = table.drop(columns="fingerprint").join(same(table) if copies is None else copies)
    usable = checks.usable(table)
    probes = shortcut.tried(usable) if probes is None else probes
    left_out = pd.DataFrame(skipped, columns=["recording", "reason"])
    found = checks.findings(checks.Inputs(table, usable, probes, left_out))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    known = checks.found()
    assert all(one["severity"] in known[one["kind"]].severities for one in found)
    return found


def found(kind, table, near=(), skipped=()):
    # The probes take longer than all other checks.
    probes = None if kind == "shortcut" else []
    return [one for one in findings(table, same(table, near), probes, skipped) if one["kind"] == kind]


def tried(table):
    return shortcut.tried(checks.usable(table.join(same(table))))


def only(kind, table, near=(), skipped=()):
    (finding,) = found(kind, table, near, skipped)
    return finding


@pytest.fixture(scope="module")
def clean():
    return findings(survey())


def test_a_sound_dataset_has_no_finding_except_that_people_are_unknown(clean):
    assert [(finding["kind"], finding["severity"]) for finding in clean] == [("person_overlap", "note")]
    assert "does not say who coughed" in clean[0]["message"]


def test_lost_files_are_listed_by_label_and_reason():
    table = survey()
    lost = [0, 2, 4, 5]
    table.loc[lost, "status"] = ["missing", "undecodable", "undecodable", "undecodable"]
    table.loc[lost, "problem"] = [
        "There is no such file.",
        *["The recording is silent. Try again."] * 2,
        "No.",
    ]
    finding = only("undecodable", table)
    assert (finding["severity"], finding["recordings"], finding["groups"]) == ("warning", 3, 0)
    assert (
        "The recording is silent (2)" in finding["message"]
        and "That is 1.0% of the recordings labelled not COVID, 0.5% of those labelled COVID. Why"
        in finding["message"]
    )
    assert finding["examples"] == [["2.wav"], ["4.wav"], ["5.wav"]]
    missing = only("missing", table)
    assert missing["examples"] == [["0.wav"]] and missing["message"].endswith(
        "0.5% of the recordings labelled not COVID."
    )
    table.loc[table["label"] == "covid", "status"] = "missing"
    assert only("missing", table)["severity"] == only("imbalance", table)["severity"] == "severe"


def test_copies_are_listed_by_kind():
    table = survey()
    table.loc[2, ["recording", "person", "audio_hash"]] = table.loc[0, ["recording", "person", "audio_hash"]]
    table.loc[[6, 8], "audio_hash"] = table.loc[4, "audio_hash"]
    near = [(10, 12)]
    assert only("listed_twice", table, near)["examples"] == [["0.wav", "0.wav"]]
    identical = only("identical_audio", table, near)
    assert (identical["recordings"], identical["groups"]) == (3, 1)
    assert identical["examples"] == [["4.wav", "6.wav", "8.wav"]]
    assert only("near_identical_audio", table, near)["examples"] == [["10.wav", "12.wav"]]
    assert identical["severity"] == "warning"
    table["audio_hash"] = [f"{k // 4}" for k in range(len(table))]
    many = only("identical_audio", table)
    assert (many["severity"], len(many["examples"]), many["more"]) == ("severe", 5, 95)


def test_near_copies_and_identical_copies_of_one_group_are_listed_separately():
    table = survey()
    table.loc[4, "audio_hash"] = table.loc[2, "audio_hash"]
    near = [(0, 2), (0, 4)]
    copies = same(table, near)
    copies.loc[4, "copy"] = "identical_audio"
    examples = {f["kind"]: f["examples"] for f in findings(table, copies, [])}
    assert examples["identical_audio"] == [["2.wav", "4.wav"]]
    assert examples["near_identical_audio"] == [["0.wav", "2.wav"]]


def test_the_same_audio_under_two_labels_is_severe():
    table = survey()
    table.loc[1, "audio_hash"] = table.loc[0, "audio_hash"]
    finding = only("contradictory_labels", table)
    assert (finding["severity"], finding["recordings"], finding["groups"]) == ("severe", 2, 1)
    assert finding["examples"] == [["0.wav (not COVID)", "1.wav (COVID)"]]
    table.loc[[0, 1], "label"] = "covid"
    assert not found("contradictory_labels", table)


def test_people_on_both_sides_are_counted_as_the_published_splits_have_them():
    table = survey()
    # Fifty people of each label have three recordings each; all other people have one.
    table.loc[:299, "person"] = [f"p{k % 2}-{k // 6}" for k in range(300)]
    finding = only("person_overlap", table)
    assert (finding["severity"], finding["recordings"], finding["groups"]) == ("severe", 300, 100)
    both, tested = [], []
    for train, test in splits.published(table["label"], n_splits=200):
        people = set(table["person"].iloc[test])
        tested.append(len(people))
        both.append(len(people & set(table["person"].iloc[train])))
    share = float(finding["message"].split("both sides: ")[1].split("%")[0]) / 100
    assert share == pytest.approx(np.sum(both) / np.sum(tested), abs=0.01)
    assert int(finding["message"].split("about ")[1].split()[0]) == pytest.approx(np.mean(both), abs=1)
    assert finding["examples"][0] == ["0.wav", "2.wav", "4.wav"]
    few = survey()
    few.loc[2, "person"] = "person 0"
    assert only("person_overlap", few)["severity"] == "warning"


def test_copies_under_two_names_are_one_person():
    table = survey()
    table["person"] = [f"p{k // 2 * 2 + k % 2}" for k in range(len(table))]
    table.loc[[2, 4], "person"] = "a"
    table.loc[[6, 8], "person"] = "b"
    table.loc[6, "audio_hash"] = table.loc[4, "audio_hash"]
    finding = only("person_overlap", table)
    assert (finding["groups"], finding["recordings"]) == (1, 3)
    assert "1 of them stands in the data under several names" in finding["message"]


PLANTED = {
    "File facts alone": ("sample_rate", [44_100.0, 16_000.0]),
    "Source alone": ("source", ["phone", "clinic"]),
    "Loudness and bandwidth alone": ("level_rms_db", [-30.0, -20.0]),
    "Quietest moments alone": ("quiet_band3", [-5.0, 5.0]),
}


@pytest.mark.parametrize("title", PLANTED)
def test_each_shortcut_is_found_alone(title):
    table = survey(n=120)
    column, values = PLANTED[title]
    covid = (table["label"] == "covid").to_numpy()
    table[column] = np.where(covid, values[1], values[0])
    finding = only("shortcut", table)
    assert finding["title"] == title and finding["severity"] == "severe"
    assert finding["auc"] == finding["interval"][1] == 1 and finding["interval"][0] > shortcut.SEVERE_AUC
    assert "AUC of 1.00" in finding["message"] and "coin toss" in finding["message"]
    if title == "File facts alone":
        assert "the sample rate in Hz (AUC 1.00): typically 16,000 in COVID, 44,100 in" in finding["message"]
    if title == "Source alone":
        assert "typically clinic (100%) in COVID, phone (100%) in not COVID" in finding["message"]
    assert finding["recordings"] == 120


def test_auc_is_explained_once_and_a_weak_shortcut_is_a_warning():
    table = survey(n=300)
    covid = table["label"] == "covid"
    table["level_rms_db"] += 0.7 * covid
    table["duration_s"] += 20 * covid
    strong, weak = found("shortcut", table)
    assert (strong["severity"], weak["severity"]) == ("severe", "warning")
    assert "coin toss" in strong["message"] and "coin toss" not in weak["message"]
    assert shortcut.WARNING_AUC < weak["interval"][0] < shortcut.SEVERE_AUC


def test_copies_do_not_make_a_shortcut():
    """Without grouping, many copies of few recordings would be recognised by their exact length."""
    table = survey(n=30).iloc[np.repeat(np.arange(30), 10)].reset_index(drop=True)
    table["recording"] = [f"{k}.wav" for k in range(300)]
    table["person"] = [f"person {k}" for k in range(300)]
    assert not found("shortcut", table)


def test_one_class_has_no_shortcut_but_a_severe_imbalance():
    table = survey().assign(label="not_covid")
    finding = only("imbalance", table)
    assert finding["severity"] == "severe" and "false alarms" in finding["message"]
    assert not found("shortcut", table) and not found("small_sample", table)
    probes = tried(table)
    assert len(probes) == 4 and all("only one class" in one["why"] for one in probes)


def test_imbalance_says_what_always_answering_the_same_would_score():
    table = survey(labels=["covid", *["not_covid"] * 9])
    finding = only("imbalance", table)
    assert (finding["severity"], finding["recordings"]) == ("warning", 40)
    assert "right in 90.0%" in finding["message"]
    assert only("imbalance", survey(labels=["covid", *["not_covid"] * 24]))["severity"] == "severe"
    assert not found("imbalance", survey(labels=[f"class {k}" for k in range(10)]))


def test_small_sample_gives_the_interval_of_a_perfect_score():
    # The rarest class has 20 people, of whom 6 are tested. Wilson's lower limit of 6 of 6 is 6 / (6 + 1.96^2).
    table = survey(n=80, labels=["covid", *["not_covid"] * 3])
    finding = only("small_sample", table)
    assert finding["interval"] == [pytest.approx(6 / (6 + 1.959964**2), abs=1e-4), 1.0]
    assert (finding["severity"], finding["recordings"]) == ("warning", 20)
    assert only("small_sample", survey(n=12))["severity"] == "severe"
    table["person"] = table["label"] + (table.index // 4 % 3).astype(str)
    assert only("small_sample", table)["severity"] == "severe"


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (
            1,
            "of 1 person, who can be in training or in test only. Even a model that is right about this person",
        ),
        (
            2,
            "of 2 people; with 30% of them to test on, of 1 person. Even a model that is right about this person",
        ),
        (
            5,
            "of 5 people; with 30% of them to test on, of 2 people. Even a model that is right about each of them",
        ),
    ],
)
def test_few_people_are_counted_in_words_that_are_true(n, said):
    table = survey(n=60 + n, labels=[*["covid"] * n, *["not_covid"] * 60])
    assert said in only("small_sample", table)["message"]


def test_no_message_speaks_of_no_people_or_of_one_people():
    several = survey(n=40)
    several.loc[2, "person"] = several.loc[0, "person"]
    assert (
        "less than 1 person on average stands on both sides: " in only("person_overlap", several)["message"]
    )
    several.loc[[4, 6], "person"] = several.loc[0, "person"]
    assert "about 1 person stands on both sides: " in only("person_overlap", several)["message"]
    # A class without a usable recording, one usable recording, and none.
    lost = survey(n=60, labels=["asthma", "covid", "not_covid"])
    lost.loc[lost["label"] == "asthma", "status"] = "missing"
    alone = only("imbalance", lost)
    assert "usable recordings, none is labelled asthma. Nothing can be learnt" in alone["message"]
    assert "Mend or replace the recordings labelled asthma" in alone["advice"]
    assert only("missing", lost)["message"].endswith("That is all of the recordings labelled asthma.")
    lost.loc[lost.index > 1, "status"] = "missing"
    alone = only("imbalance", lost)["message"]
    assert alone.startswith("Only one recording is usable, labelled COVID. Nothing can be learnt")
    every = [findings(table, probes=[]) for table in (several, lost, lost.assign(status="missing"))]
    for finding in (one for found_in in every for one in found_in):
        assert not re.search(r"\b(?:0|1) people|\babout 0|\b0 \(|\bAll 1\b", finding["message"])


def test_a_dataset_without_usable_recordings_is_reported():
    table = survey(n=10).assign(status="missing", problem="There is no such file.")
    kinds = {finding["kind"]: finding["severity"] for finding in findings(table)}
    assert kinds == {"missing": "severe", "imbalance": "severe"}


def test_the_most_severe_findings_come_first():
    table = survey(n=60, labels=["covid", *["not_covid"] * 9])
    table.loc[1, "audio_hash"] = table.loc[0, "audio_hash"]
    ranks = [checks.SEVERITIES.index(finding["severity"]) for finding in findings(table)]
    assert ranks == sorted(ranks) and len(set(ranks)) == 3


def test_a_shortcut_that_was_not_tried_has_a_reason():
    table = survey(n=40).assign(source="here")
    probes = {one["title"]: one for one in tried(table)}
    assert "same in every recording" in probes["Source alone"]["why"]
    assert probes["File facts alone"]["interval"][0] < 0.5 < probes["File facts alone"]["interval"][1]
    assert shortcut.in_short(probes["File facts alone"]).endswith(", cannot be told from guessing.")
    assert pd.DataFrame(probes.values())["recordings"].eq(40).all()


def test_what_the_loader_left_out_is_a_finding():
    reasons = [("a", "No label."), ("b", "No label."), ("c", "Not a cough.")]
    finding = only("skipped", survey(n=97), skipped=reasons)
    assert (finding["severity"], finding["recordings"]) == ("note", 3)
    assert "3 of 100 lines" in finding["message"] and "No label (2); Not a cough (1)." in finding["message"]
    assert only("skipped", survey(n=3), skipped=reasons)["severity"] == "warning"
    # What a system left behind is counted, but is no loss.
    junk = [(f".{name}", listing.JUNK) for name in "abc"]
    finding = only("skipped", survey(n=97), skipped=[*reasons, *30 * junk])
    assert (finding["severity"], finding["recordings"]) == ("note", 93)


TEMPORARY = '''
"""Recordings that were made on a Monday."""
from coughlab.audit.checks import Check, finding

def find(inputs):
    yield finding("severe", len(inputs.table), "All of it was recorded on a Monday.", "Record on Tuesdays.")

CHECK = Check("mondays", "Mondays", "Recordings of Mondays.", 0, find, ("severe",))
'''


def test_a_check_is_added_by_its_module_alone(monkeypatch, tmp_path):
    (tmp_path / "temporary.py").write_text(TEMPORARY)
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    wav = synthetic.recording(onsets_s=(0.1,), duration_s=0.8, rate=8000)
    paths = [tmp_path / f"{k}.wav" for k in range(2)]
    soundfile.write(paths[0], wav, 8000)
    table = pd.DataFrame([(path.name, path.name, "ill", "here", path) for path in paths], columns=COLUMNS)
    skipped = pd.DataFrame(columns=["recording", "reason"])
    try:
        report = run.audit(Dataset("own", table, skipped))
        assert report["findings"][0]["kind"] == "mondays" and not report["sound"]
        assert report["findings"][0]["recordings"] == 2
        assert "SEVERE: mondays" in text(report)
        run.save(report, tmp_path)
        assert run.load("own", tmp_path) == report
    finally:
        sys.modules.pop("coughlab.audit.checks.temporary", None)
    monkeypatch.undo()
    with pytest.raises(store.StoreError, match="of another version"):
        run.load("own", tmp_path)


def test_the_documentation_describes_checks_as_they_are():
    lines = [
        f"| `{check.name}` | {check.title} | {', '.join(check.severities)} | {check.looks_for} |"
        for check in checks.found().values()
    ]
    written = (ROOT / "docs" / "audit.md").read_text().splitlines()
    documented = [line for line in written if line.startswith("| `")]
    assert len(documented) > 5 and documented == [line for line in lines if line in documented]
    assert len({check.order for check in checks.found().values()}) == len(lines)
