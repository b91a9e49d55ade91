"""The pages, run by Streamlit without a browser."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from coughlab import audio, serving, synthetic, words
from coughlab.evidence.metrics import SCORES
from tests import sounds
from tests.conftest import ROOT
from tests.studies import with_large


@pytest.fixture
def page():
    return AppTest.from_file(str(ROOT / "pages/analyse.py"), default_timeout=60).run()


def texts(page):
    return [
        element.value
        for kind in ("markdown", "text", "info", "warning", "error")
        for element in page.get(kind)
    ]


def upload(page, data, name="cough.wav"):
    page.file_uploader[0].set_value((name, data, "audio/wav"))
    return page.run()


def test_before_a_recording_the_page_says_what_to_do_and_what_it_is_not(page):
    assert not page.exception
    assert any("Not a medical device" in text for text in texts(page))
    assert not page.get("plotly_chart")


def test_the_sample_is_answered_and_said_to_be_synthetic(page):
    page.button[0].click().run()
    assert not page.exception
    prediction = serving.default().predict(audio.load(synthetic.sample()))
    shown = [text for text in texts(page) if text.startswith("### ")]
    assert len(shown) == len(prediction.models) == 3
    assert any("synthetic sample" in text for text in texts(page))
    assert any(f"**{len(prediction.events)} cough-like sounds** found" in text for text in texts(page))
    assert len(page.get("plotly_chart")) == 2


def test_every_score_says_what_it_was_measured_on(page):
    page.button[0].click().run()
    scored = [text for text in texts(page) if "How it scored" in text]
    assert len(scored) == 3
    scores = serving.default().study.scores.set_index("model")
    for text, name in zip(scored, serving.default().names, strict=True):
        score = scores.loc[name]
        assert f"on kaggle-trial, mean of {score['splits']} random 70/30 splits" in text
        for kind in ("sensitivity", "specificity"):
            assert f"{kind} {words.score(score, kind)}" in text


@pytest.fixture
def large(monkeypatch, tmp_path):
    """The file of a large model, which the app's study has."""
    path = with_large(tmp_path)
    monkeypatch.setattr(serving, "MODELS", tmp_path)
    return path


def titles(page):
    """The models whose answers are shown."""
    shown = [card.markdown[0].value for card in page.get("column") if card.get("progress")]
    return [text.strip("*").split("**")[0] for text in shown]


def test_a_large_model_is_asked_when_it_is_picked(large, page):
    assert not page.button_group
    page.button[0].click().run()
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour"]
    (pills,) = page.button_group
    assert "takes a second or two" in pills.label and pills.options == ["Big"]
    pills.select("big").run()
    assert not page.exception
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour", "Big"]
    assert len([text for text in texts(page) if "How it scored" in text]) == 4
    page.button_group[0].unselect("big").run()
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour"]


def test_a_large_model_whose_file_is_absent_is_not_offered(large):
    large.unlink()
    page = AppTest.from_file(str(ROOT / "pages/analyse.py"), default_timeout=60).run()
    page.button[0].click().run()
    assert not page.exception and not page.button_group
    assert titles(page) == ["MLP", "CNN", "Nearest neighbour"]


def test_the_download_is_the_answer_and_the_features(page):
    prediction = serving.default().predict(audio.load(synthetic.sample()))
    document = json.loads(prediction.to_json())
    features = document.pop("features")
    assert document == prediction.to_dict()
    assert list(features.values()) == prediction.features.tolist()


@pytest.mark.parametrize("name", ["webm opus", "m4a aac", "mp3", "3gp aac"])
def test_an_upload_is_answered(page, name):
    upload(page, sounds.FORMATS[name](), "cough.wav")
    assert not page.exception and not page.error
    assert len([text for text in texts(page) if text.startswith("### ")]) == 3


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("not_audio", b"A letter, renamed."),
        ("silent", sounds.with_soundfile("WAV", samples=np.zeros(48_000, np.float32))),
    ],
)
def test_what_cannot_be_analysed_is_said_in_the_api_s_sentence(page, code, data):
    with pytest.raises(audio.AudioError) as refused:
        audio.load(data)
    assert refused.value.code == code
    upload(page, data)
    assert not page.exception
    assert [error.value for error in page.error] == [str(refused.value)]
    assert not page.get("plotly_chart")


def test_the_latest_choice_is_shown_by_name(page):
    upload(page, b"A letter, renamed.", "letter.wav")
    assert page.error and "letter.wav" in texts(page)
    page.button[0].click().run()
    assert not page.error and "The synthetic sample" in texts(page)
    upload(page, sounds.FORMATS["flac 16-bit"](), "<b>cough</b>.flac")
    assert not page.error and "<b>cough</b>.flac" in texts(page)


def test_what_is_taken_back_is_forgotten(page):
    upload(page, sounds.FORMATS["flac 16-bit"]())
    assert page.get("plotly_chart")
    page.file_uploader[0].set_value(None).run()
    assert not page.get("plotly_chart") and "chosen" not in page.session_state


def test_taking_one_back_leaves_the_other(page):
    upload(page, sounds.FORMATS["flac 16-bit"](), "kept.flac")
    page.audio_input[0].set_value(("audio.wav", synthetic.sample(), "audio/wav")).run()
    assert "Your recording" in texts(page)
    page.audio_input[0].set_value(None).run()
    assert "kept.flac" in texts(page) and page.get("plotly_chart")


def test_taking_back_what_is_not_shown_changes_nothing(page):
    upload(page, sounds.FORMATS["flac 16-bit"]())
    page.button[0].click().run()
    page.file_uploader[0].set_value(None).run()
    assert "The synthetic sample" in texts(page) and page.get("plotly_chart")


def test_what_is_wrong_with_the_recording_is_said_before_the_answers(page):
    quiet = (sounds.cough() * 0.005).astype(np.float32)
    upload(page, sounds.with_soundfile("WAV", "FLOAT", samples=quiet))
    assert "very quiet" in page.warning[0].value and "Do not rely" in page.warning[-1].value


def test_a_study_that_is_gone_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(serving, "MODELS", tmp_path)
    page = AppTest.from_file(str(ROOT / "pages/analyse.py"), default_timeout=60).run()
    page.button[0].click().run()
    assert not page.exception
    assert len(page.error) == 1 and "kaggle-trial" in page.error[0].value


def test_about_shows_the_card_and_every_score():
    page = AppTest.from_file(str(ROOT / "pages/about.py"), default_timeout=60).run()
    assert not page.exception
    shown = "\n".join(texts(page))
    study = serving.default().study
    for line in study.read("README.md").decode().splitlines():
        assert line.startswith("|") or line.lstrip("# ") in shown
    answering = study.scores[study.scores["model"].isin(serving.default().names)]
    assert len(answering) == 3
    for row in answering.to_dict("records"):
        for score in SCORES:
            assert f"{score} {words.score(row, score)}" in shown
