"""Many recordings at once, run by Streamlit without a browser."""

import io
import json
import tempfile

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from coughlab import audio
from coughlab.evidence.verdict import HEADLINES
from coughlab.serving import batch, predictors, recordings
from pages.sections.batch import asking, listing
from tests import sounds
from tests.audio.test_archive import zipped
from tests.batches import VERDICT, coughs, failed, no_cough
from tests.conftest import ROOT

TASK = predictors.default().study.task
WAV = sounds.FORMATS["wav 16-bit"]()
NASTY = "![x](http://example.com/x.png) :material/home: <b>.wav"
MIXED = [
    coughs("b.wav"),
    coughs("A.wav", says=("covid", "covid"), certainty=(0.9, 0.9, 0.9), quality=["quiet"]),
    no_cough("c.wav"),
    failed(NASTY),
    coughs("e.wav", says=("covid", "not_covid")),
]


@pytest.fixture(autouse=True)
def temporary(monkeypatch, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def opened(**state):
    page = AppTest.from_file(str(ROOT / "pages/batch.py"), default_timeout=60)
    for name, value in state.items():
        page.session_state[name] = value
    page.run()
    assert not page.exception
    return page


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def hand_over(page, *uploads):
    page.file_uploader[0].set_value([(name, data, "") for name, data in uploads])
    return press(page, "Analyse all")


def with_answers(answers, *, more=()):
    """The page in a session with these answers; recordings in `more` have no answer yet."""
    names = [answer["file"] for answer in answers] + list(more)
    taken = recordings.take((name, io.BytesIO(WAV)) for name in names)
    return opened(batch=asking.Batch(taken, 0.05, list(answers)))


def texts(page):
    kinds = ("markdown", "text", "info", "warning", "error")
    return [element.value for kind in kinds for element in page.get(kind)]


def listed(page):
    return page.dataframe[0].value


def choices(page):
    return [option.content for option in page.button_group[0].proto.options]


def test_before_an_upload_the_page_says_what_it_is():
    page = opened()
    assert any("Not a medical device" in text for text in texts(page))
    assert not page.dataframe and not page.get("download_button")
    press(page, "Analyse all")
    assert page.warning[0].value.startswith("Choose recordings")


def test_files_and_zips_are_answered_one_by_one_and_nothing_stays_on_the_disk(temporary):
    data = zipped(("ward/x.wav", WAV), ("ward/bad.wav", b"RIFF"), ("ward/notes.txt", b"Dear Sir"))
    page = hand_over(
        opened(), ("c.wav", WAV), ("c.wav", sounds.FORMATS["webm opus"]()), ("ward.zip", data), ("n", b"")
    )
    names = ["c.wav", "c.wav (2)", "ward.zip/bad.wav", "ward.zip/x.wav", "n"]
    assert listed(page)["File"].tolist() == names
    assert list(temporary.iterdir()) == []
    found = page.session_state["batch"].answers
    assert found[0] == {"file": "c.wav"} | predictors.default().predict(audio.load(WAV)).to_dict()
    assert [answer.get("error", {}).get("code") for answer in found] == [
        *(None, None, "not_audio", None),
        "empty",
    ]
    assert f"**{batch.summary(batch.counts(found, TASK))}**" in texts(page)
    assert "Left out, as they are no recordings: ward.zip/notes.txt." in texts(page)
    assert not [button for button in page.button if button.label == "Cancel"]


def test_answers_are_not_computed_again_when_the_page_runs_again(monkeypatch):
    page = hand_over(opened(), ("c.wav", WAV))
    before = page.session_state["batch"].answers
    monkeypatch.setattr(batch, "answer", lambda *arguments, **options: 1 / 0)
    page.selectbox("order").set_value("By file name").run()
    assert not page.exception and page.session_state["batch"].answers is before


def test_new_files_take_the_place_of_the_earlier_ones():
    page = hand_over(opened(), ("one.wav", WAV))
    earlier = page.session_state["batch"]
    page = hand_over(page, ("two.wav", WAV))
    assert listed(page)["File"].tolist() == ["two.wav"]
    with pytest.raises(ValueError, match="closed"):
        earlier.taken.read("one.wav")


def test_the_prevalence_is_that_of_the_form():
    page = opened()
    page.number_input[0].set_value(30.0)
    page = hand_over(page, ("one.wav", WAV))
    assert page.session_state["batch"].prevalence == pytest.approx(0.3)
    expected = predictors.default().predict(
        audio.load(WAV), prevalence=page.session_state["batch"].prevalence
    )
    assert page.session_state["batch"].answers == [{"file": "one.wav"} | expected.to_dict()]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zipped(("../c.wav", WAV)), "outside its own folder"),
        (zipped(("bomb.wav", bytes(150 * 2**20))), "more than 100 times its size"),
        (zipped(*((f"{n}.wav", b"") for n in range(recordings.MOST + 1))), "more than 500"),
        (b"no zip", "not a ZIP file"),
    ],
    ids=["escapes", "bomb", "too many", "no zip"],
)
def test_a_hostile_zip_is_reported_and_the_other_files_are_answered(temporary, data, why):
    page = hand_over(opened(), ("evil.zip", data), ("good.wav", WAV))
    assert page.error[0].value == "This ZIP was not unpacked."
    assert any(text.startswith("evil.zip: ") and why in text for text in texts(page))
    table = listed(page).set_index("File")
    assert why in table.loc["evil.zip", "Remarks"] and table.loc["evil.zip", "Remarks"].startswith("Error")
    assert not table.loc["good.wav", "Remarks"].startswith("Error")
    assert list(temporary.parent.rglob("*")) == [temporary]


def test_too_many_files_are_refused_in_a_sentence(monkeypatch, temporary):
    monkeypatch.setattr(recordings, "MOST", 2)
    page = hand_over(opened(), *((f"{n}.wav", WAV) for n in range(3)))
    assert "more than 2 recordings" in page.error[0].value
    assert not page.dataframe and "batch" not in page.session_state
    assert list(temporary.iterdir()) == []


class PageRunAgain(BaseException):
    """The exception that Streamlit raises in a page that is run again."""


class FakeProgress:
    """A stand-in for the progress display; it interrupts the page after some answers."""

    def __init__(self, after):
        self.after, self.updates = after, []

    def container(self):
        return io.StringIO()  # any context manager

    def __call__(self, stage, done, total):
        self.updates.append((done, total))
        if done == self.after:
            raise PageRunAgain


def test_cancel_keeps_what_was_answered_and_the_rest_can_follow(monkeypatch):
    names = [f"{n}.wav" for n in range(4)]
    taken = recordings.take((name, io.BytesIO(WAV)) for name in names)
    stopped, progress = asking.Batch(taken, 0.05), FakeProgress(after=2)
    monkeypatch.setattr(asking, "Progress", lambda bar: progress)
    with pytest.raises(PageRunAgain):
        asking._answer(stopped, progress, predictors.default())
    assert progress.updates == [(0, 4), (1, 4), (2, 4)]
    assert [answer["file"] for answer in stopped.answers] == names[:2]
    monkeypatch.undo()
    page = opened(batch=stopped)
    assert "Stopped: 2 of 4 files are answered, and kept." in texts(page)
    assert listed(page)["File"].tolist() == names[:2]
    kept = list(stopped.answers)
    press(page, "Go on with the rest")
    assert listed(page)["File"].tolist() == names and stopped.answers[:2] == kept
    assert not any("Stopped:" in text for text in texts(page))


def test_a_batch_that_was_stopped_before_its_first_answer_can_be_continued():
    page = with_answers([], more=["a.wav"])
    assert "Stopped: 0 of 1 files are answered, and kept." in texts(page) and not page.dataframe
    press(page, "Go on with the rest")
    assert listed(page)["File"].tolist() == ["a.wav"]


def test_every_file_says_what_was_found_and_names_are_never_markup():
    page = with_answers(MIXED)
    table = listed(page).set_index("File")
    assert table["Coughs"].tolist()[:3] == [2, 3, 0] and pd.isna(table.loc[NASTY, "Coughs"])
    assert table.loc["c.wav", "Remarks"] == "No cough. Heard instead: It sounds like speech."
    assert pd.isna(table.loc["c.wav", "MLP says"]) and pd.isna(table.loc["c.wav", "MLP: COVID"])
    assert table.loc[NASTY, "Remarks"] == "Error: This is not a sound file."
    assert table.loc["A.wav", ["MLP says", "Remarks", "MLP: COVID"]].tolist() == ["COVID", "It is quiet.", 75]
    assert table.loc["b.wav", "Coughs at (s)"] == "0.00-0.25; 0.50-0.75"
    assert "example.com" not in "\n".join(element.value for element in [*page.markdown, *page.error])


def test_the_verdict_is_above_the_list_with_what_it_was_measured_on():
    answers = [coughs("a"), coughs("b"), coughs("c", verdict="no_basis"), no_cough("d"), failed("e")]
    page = with_answers(answers)
    (box,) = [info.value for info in page.info if "How far to believe" in info.value]
    assert VERDICT["message"] in box and "So it is for 2 of 3 files that got a label." in box
    assert f"For 1: {HEADLINES['no_basis'].lower()}." in box
    page = with_answers([coughs("a", verdict="below_chance")])
    assert "worse than guessing" in page.error[0].value
    page = with_answers([no_cough("d"), failed("e")])
    assert not any("How far to believe" in text for text in texts(page))


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("all", ["b.wav", "A.wav", "c.wav", NASTY, "e.wav"]),
        ("coughs", ["b.wav", "A.wav", "e.wav"]),
        ("none", ["c.wav"]),
        ("errors", [NASTY]),
        ("look", ["A.wav", NASTY, "e.wav"]),
        ("covid", ["A.wav", "e.wav"]),
        ("not_covid", ["b.wav"]),
    ],
)
def test_filters(choice, names):
    page = with_answers(MIXED)
    assert f"{batch.kinds(TASK)[choice][0]} {len(names)}" in choices(page)
    page.button_group[0].set_value(choice).run()
    assert not page.exception and listed(page)["File"].tolist() == names
    labels = [button.label for button in page.get("download_button")]
    shown = [] if choice == "all" else [f"CSV of the {len(names)} shown", f"JSON of the {len(names)} shown"]
    assert labels == [*shown, "CSV of all 5", "JSON of all 5"]


def test_filters_without_files_are_not_offered():
    assert choices(with_answers([no_cough("a")])) == ["All 1", "No cough 1"]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("As they came", ["b.wav", "A.wav", "c.wav"]),
        ("By file name", [NASTY, "A.wav", "b.wav"]),
        ("Most coughs first", ["A.wav", "b.wav", "e.wav"]),
        ("Highest probability of COVID first", ["A.wav", "e.wav", "b.wav"]),
        ("What needs a look first", ["A.wav", NASTY, "e.wav"]),
    ],
)
def test_orders(order, first):
    page = with_answers(MIXED)
    page.selectbox("order").set_value(order).run()
    assert not page.exception and listed(page)["File"].tolist()[:3] == first


def marked(page, row):
    batch = page.session_state["batch"]
    page.session_state[f"files {batch.number} all As they came"] = {
        "selection": {"rows": [row], "columns": [], "cells": []}
    }
    page.run()
    assert not page.exception
    return page


def test_a_marked_recording_is_played_and_drawn_with_its_coughs_numbered():
    page = marked(with_answers(MIXED), 1)
    assert len(page.get("audio")) == 1
    (chart,) = page.get("plotly_chart")
    shown = json.loads(chart.proto.spec or chart.proto.figure.spec)["layout"]
    assert [note["text"] for note in shown["annotations"]] == ["1", "2", "3"]
    assert [(shape["x0"], shape["x1"]) for shape in shown["shapes"]] == [(0, 0.25), (0.5, 0.75), (1, 1.25)]
    assert "It is quiet." in [warning.value for warning in page.warning]
    models, each = (frame.value for frame in page.dataframe[1:])
    assert models["Model"].tolist() == ["MLP", "CNN"] and models["Says"].tolist() == ["COVID", "COVID"]
    assert each["Cough"].tolist() == [1, 2, 3] and each["MLP"].tolist() == 3 * ["COVID (75.0%)"]
    assert any(VERDICT["message"] in text for text in texts(page))


def test_a_selected_recording_without_a_cough_names_the_sound_and_has_no_label():
    page = marked(with_answers(MIXED), 2)
    assert any("no cough in this recording" in text and "like speech" in text for text in texts(page))
    assert len(page.get("audio")) == len(page.get("plotly_chart")) == len(page.dataframe) == 1


def test_a_selected_file_that_is_not_a_recording_has_a_reason():
    page = marked(with_answers(MIXED), 3)
    assert "This is not a sound file." in [error.value for error in page.error]
    assert NASTY in [text.value for text in page.text]
    assert not page.get("audio") and not page.get("plotly_chart")


def test_downloads():
    table = pd.read_csv(io.StringIO(listing.csv(MIXED, TASK, ["mlp", "cnn"])))
    assert table["file"].tolist() == [answer["file"] for answer in MIXED]
    assert list(table) == list(batch.table(MIXED, TASK, ["mlp", "cnn"]))
    assert json.loads(listing.json(MIXED, TASK, [])) == MIXED


def test_without_a_study_the_page_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(predictors, "MODELS", tmp_path)
    page = opened()
    assert "There is no study" in page.error[0].value
