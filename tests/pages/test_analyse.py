"""The pages, run by Streamlit without a browser."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from coughlab import audio, detector
from coughlab.audio import synthetic
from coughlab.evaluation.decision import Estimate
from coughlab.evidence import verdict as answer
from coughlab.serving import predictors
from coughlab.text import counted, percent
from tests import sounds
from tests.conftest import ROOT
from tests.recordings import heard
from tests.stored_studies import with_large

TASK = predictors.default().study.task


@pytest.fixture
def page():
    return AppTest.from_file(str(ROOT / "pages/analyse.py"), default_timeout=60).run()


def texts(page):
    return [
        element.value
        for kind in ("markdown", "text", "info", "warning", "error")
        for element in page.get(kind)
    ]


def refusals(page):
    """Errors that are not a verdict on an answer."""
    return [error.value for error in page.error if not error.value.startswith("## ")]


def upload(page, data, name="cough.wav"):
    page.file_uploader[0].set_value((name, data, "audio/wav"))
    return page.run()


def test_before_a_recording_the_page_says_what_to_do_and_what_it_is_not(page):
    assert not page.exception
    assert any("Not a medical device" in text for text in texts(page))
    assert not page.get("plotly_chart")


def test_the_sample_is_answered_and_marked_as_synthetic(page):
    page.button[0].click().run()
    assert not page.exception
    prediction = predictors.default().predict(audio.load(synthetic.sample()))
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour"]
    assert any("synthetic sample" in text for text in texts(page))
    assert any(f"**{len(prediction.events)} coughs** found" in text for text in texts(page))
    assert len(page.get("plotly_chart")) == 2


def test_without_a_cough_there_is_no_answer_unless_it_is_forced(page, no_cough):
    upload(page, no_cough, "other.wav")
    assert not page.exception and not refusals(page)
    boxes, shown = evidence_of(page)
    prediction = predictors.default().predict(audio.load(no_cough))
    (box,) = boxes
    assert box.startswith("## I hear no cough in this recording") and "Record again" in box
    assert prediction.cough.heard.message in box
    for remark in prediction.quality:
        assert (remark.message in box) == (remark.code != "noisy")
    assert cards(page) == [] and not page.dataframe and not page.number_input
    assert not any("Says:" in text or "believe" in text for text in shown)
    # The recording is shown all the same, without marks.
    assert len(page.get("audio")) == 1 and not any("found in" in text for text in shown)
    (chart,) = page.get("plotly_chart")
    assert not json.loads(chart.proto.spec)["layout"].get("shapes")

    (toggle,) = page.toggle
    toggle.set_value(True).run()
    assert not page.exception
    boxes, shown = evidence_of(page)
    assert any("I hear no cough" in box for box in boxes)
    assert any("No basis to answer" in box and "No cough is heard" in box for box in boxes)
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour"]
    assert shown.count(f"#### {answer.HEADLINES['no_basis']}") == 3
    assert not page.dataframe
    # The forced answer of this recording does not apply to the next one.
    upload(page, sounds.with_soundfile("WAV", samples=sounds.OTHERS["faint noise"][:-1]), "next.wav")
    assert cards(page) == [] and not page.toggle[0].value


class FixedDetector:
    """A detector that returns given coughs."""

    def __init__(self, *spans):
        self.heard = heard(*spans)

    def detect(self, recording):
        return self.heard


@pytest.mark.parametrize("n", [1, 3, 60])
def test_each_cough_is_listed_with_the_models_answers_about_it(page, monkeypatch, n):
    monkeypatch.setattr(detector, "default", lambda: FixedDetector(*((k, k + 0.4) for k in range(n))))
    data = sounds.with_soundfile("FLAC", samples=np.tile(sounds.cough(), 50))
    upload(page, data, "many.flac")
    assert not page.exception
    prediction = predictors.default().predict(audio.load(data))
    (table,) = [frame.value for frame in page.dataframe if "Cough" in frame.value]
    assert table["Cough"].tolist() == list(range(1, n + 1))
    assert table["Start"].tolist() == list(range(n)) and set(table["Is a cough"]) == {"90.0%"}
    for title, name in (("MLP", "mlp"), ("CNN", "cnn"), ("Nearest neighbour", "knn")):
        assert table[title].tolist() == [
            f"{TASK.title(answers[name].label)} ({percent(answers[name].probability)})"
            for answers in prediction.each
        ]
        sentence = answer.agreement(prediction.votes(name), prediction.models[name].label, TASK)
        assert any(f"- **{title}.** {sentence}" in text for text in texts(page))
    assert any("no proof" in text and "trained on whole recordings" in text for text in texts(page))
    # One player for the recording and one for the marked cough, for any number of coughs.
    assert len(page.get("audio")) == 2
    (sentence,) = [text for text in texts(page) if text.startswith("**Cough 1**")]
    assert ("Mark another line" in sentence) == (n > 1)
    assert any(f"**{counted(n, 'cough')}** found" in text for text in texts(page))


def evidence_of(page):
    """The boxes that may contain the verdict, and the elements of the page."""
    boxes = [box.value for kind in ("error", "warning", "info") for box in page.get(kind)]
    return [box for box in boxes if box.startswith("## ")], texts(page)


def test_the_verdict_comes_before_the_label_and_the_prevalence_counts(page):
    page.button[0].click().run()
    prediction = predictors.default().predict(audio.load(synthetic.sample()))
    (verdict,), shown = evidence_of(page)
    main = prediction.evidence["mlp"]
    assert verdict == f"## {answer.HEADLINES[main['verdict']]}\n\n{main['message']}"
    for name, block in prediction.evidence.items():
        assert f"#### {answer.HEADLINES[block['verdict']]}" in shown
        meaning = answer.meaning(block, prediction.models[name].label, TASK)
        assert any(block["message"] in text and meaning in text for text in shown)
    page.number_input[0].set_value(20.0).run()
    assert not page.exception and page.query_params["prevalence"] == "0.2"
    prediction = predictors.default().predict(audio.load(synthetic.sample()), prevalence=0.2)
    meaning = answer.meaning(prediction.evidence["mlp"], prediction.models["mlp"].label, TASK)
    assert "of 20.0%" in meaning and any(meaning in text for text in texts(page))


@pytest.mark.parametrize(("score", "loud"), [((0.5, 0.45, 0.55), True), ((0.8, 0.75, 0.85), False)])
def test_compatibility_with_chance_is_more_visible_than_the_label(monkeypatch, score, loud):
    predictor = predictors.default()
    ratios = {"covid": Estimate(3, 2, 4), "not_covid": Estimate(0.3, 0.2, 0.4)}
    known = answer.Known("kaggle-trial", "MLP", "external", "there", 9, 8, 1, Estimate(*score), ratios, None)
    monkeypatch.setitem(predictor.known, "mlp", known)
    page = AppTest.from_file(str(ROOT / "pages/analyse.py"), default_timeout=60).run()
    page.button[0].click().run()
    label = TASK.title(predictor.predict(audio.load(synthetic.sample())).models["mlp"].label)
    (card,) = [text for text in cards(page)[0] if "Says:" in text]
    assert f"Says: {label}" in card and card.startswith(":gray[") == loud
    ((verdict,), _) = evidence_of(page)
    assert bool(page.error) == loud == ("No better than guessing" in verdict)


@pytest.fixture
def large(monkeypatch, tmp_path):
    """The file of a large model that belongs to the app's study."""
    path = with_large(tmp_path)
    monkeypatch.setattr(predictors, "MODELS", tmp_path)
    return path


def titles(page):
    """The models with a shown answer."""
    return [text.strip("*").split("**")[0] for text, *_ in cards(page)]


def cards(page):
    """The texts of each model's card."""
    shown = [[markdown.value for markdown in column.markdown] for column in page.get("column")]
    return [card for card in shown if any("Says:" in text for text in card)]


def test_a_large_model_answers_when_it_is_selected(large, page):
    assert not page.button_group
    page.button[0].click().run()
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour"]
    (pills,) = page.button_group
    assert "takes a second or two" in pills.label and pills.options == ["Big"]
    pills.select("big").run()
    assert not page.exception
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour", "Big"]
    page.button_group[0].unselect("big").run()
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour"]


def test_a_large_model_whose_file_is_absent_is_not_offered(large):
    large.unlink()
    page = AppTest.from_file(str(ROOT / "pages/analyse.py"), default_timeout=60).run()
    page.button[0].click().run()
    assert not page.exception and not page.button_group
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour"]


def test_the_download_is_the_answer_and_the_features(page):
    prediction = predictors.default().predict(audio.load(synthetic.sample()))
    document = json.loads(prediction.to_json())
    features = document.pop("features")
    assert document == prediction.to_dict()
    assert list(features.values()) == prediction.features.tolist()


@pytest.mark.parametrize("name", ["webm opus", "m4a aac", "mp3", "3gp aac"])
def test_an_upload_is_answered(page, name):
    upload(page, sounds.FORMATS[name](), "cough.wav")
    assert not page.exception and not refusals(page)
    assert len(cards(page)) == 3


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("not_audio", b"A letter, renamed."),
        ("too_short", sounds.with_soundfile("WAV", samples=sounds.cough()[15_000:16_000])),
    ],
)
def test_a_file_that_cannot_be_analysed_gets_the_api_s_message(page, code, data):
    with pytest.raises(audio.AudioError) as refused:
        audio.load(data)
    assert refused.value.code == code
    upload(page, data)
    assert not page.exception
    assert refusals(page) == [str(refused.value)]
    assert not page.get("plotly_chart")


def test_silence_holds_no_cough_and_no_answer_about_it_can_be_forced(page):
    silence = sounds.with_soundfile("WAV", samples=np.zeros(48_000, np.float32))
    upload(page, silence)
    assert not page.exception and not refusals(page)
    assert any("I hear no cough in this recording" in text and "Silence" in text for text in texts(page))
    page.toggle[0].set_value(True).run()
    assert not page.exception
    with pytest.raises(audio.AudioError) as refused:
        audio.load(silence)
    assert str(refused.value) in refusals(page)


def test_the_latest_choice_is_shown_by_name(page):
    upload(page, b"A letter, renamed.", "letter.wav")
    assert refusals(page) and "letter.wav" in texts(page)
    page.button[0].click().run()
    assert not refusals(page) and "The synthetic sample" in texts(page)
    upload(page, sounds.FORMATS["flac 16-bit"](), "<b>cough</b>.flac")
    assert not refusals(page) and "<b>cough</b>.flac" in texts(page)


def test_a_removed_recording_is_forgotten(page):
    upload(page, sounds.FORMATS["flac 16-bit"]())
    assert page.get("plotly_chart")
    page.file_uploader[0].set_value(None).run()
    assert not page.get("plotly_chart") and any(
        "Record, upload or try the sample" in text for text in texts(page)
    )


def test_removing_one_recording_keeps_the_other(page):
    upload(page, sounds.FORMATS["flac 16-bit"](), "kept.flac")
    page.audio_input[0].set_value(("audio.wav", synthetic.sample(), "audio/wav")).run()
    assert "Your recording" in texts(page)
    page.audio_input[0].set_value(None).run()
    assert "kept.flac" in texts(page) and page.get("plotly_chart")


def test_removing_a_recording_that_is_not_shown_changes_nothing(page):
    upload(page, sounds.FORMATS["flac 16-bit"]())
    page.button[0].click().run()
    page.file_uploader[0].set_value(None).run()
    assert "The synthetic sample" in texts(page) and page.get("plotly_chart")


def test_quality_remarks_come_before_the_answers(page, monkeypatch):
    quiet = (sounds.cough() * 0.005).astype(np.float32)
    monkeypatch.setattr(detector, "default", lambda: FixedDetector((0.2, 0.6)))
    upload(page, sounds.with_soundfile("WAV", "FLOAT", samples=quiet))
    boxes = [block.value for block in page.main if block.type in ("error", "warning", "info")]
    assert "very quiet" in boxes[0] and boxes[1].startswith("## ")


def test_a_missing_study_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(predictors, "MODELS", tmp_path)
    page = AppTest.from_file(str(ROOT / "pages/analyse.py"), default_timeout=60).run()
    page.button[0].click().run()
    assert not page.exception
    assert len(page.error) == 1 and "kaggle-trial" in page.error[0].value


def test_about_shows_the_card_and_every_score():
    page = AppTest.from_file(str(ROOT / "pages/about.py"), default_timeout=60).run()
    assert not page.exception
    shown = "\n".join(texts(page))
    study = predictors.default().study
    head = study.read("README.md").decode().partition("## Random rows")[0]
    assert all(line.lstrip("# ") in shown for line in head.splitlines())
    answering = study.evidence[study.evidence["model"].isin(predictors.default().names)]
    assert answering["model"].nunique() == 3
    for row in answering.to_dict("records"):
        name = "specificity" if np.isnan(row["roc_auc"]) else "roc_auc"
        value, low, high = (f"{row[name + end]:.2f}" for end in ("", "_low", "_high"))
        assert f"{value} (95% interval {low} to {high}), {row['splits']} split" in shown
        assert f"{row['recordings']:,} recordings of {row['people']:,} people" in shown
