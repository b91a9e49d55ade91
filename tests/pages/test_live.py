"""The page "Live" without a browser: its text before the microphone is open, and without a possible microphone."""

import base64
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from coughlab import live
from coughlab.audio import synthetic
from coughlab.evidence import verdict as answer
from coughlab.live import connection, labels, listener
from coughlab.serving import predictors
from coughlab.studies import store
from pages.components.live import exports, microphone, view
from tests.conftest import ROOT


@pytest.fixture
def page():
    return AppTest.from_file(str(ROOT / "pages/live.py"), default_timeout=60)


@pytest.fixture(autouse=True)
def at_localhost(monkeypatch):
    """The page runs at localhost; the microphone component finds no session, because AppTest has none."""
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    monkeypatch.setattr(
        "streamlit.runtime.context.ContextProxy.url", property(lambda self: "http://localhost/live")
    )


def texts(page):
    return [
        element.value
        for kind in ("markdown", "text", "info", "warning", "error")
        for element in page.get(kind)
    ]


def test_the_page_says_what_it_is_and_how_good_the_answers_are(page):
    page.run()
    assert not page.exception
    shown = " ".join(texts(page))
    assert labels.sentence(predictors.default().study) in shown
    assert "Not a medical device" in shown and "never stored" in shown and "each cough alone" in shown
    (verdict,) = page.error
    known = predictors.default().known["mlp"]
    assert "worse than guessing" in verdict.value and f"{known.recordings:,} recordings" in verdict.value
    assert any(headline in verdict.value for headline in answer.HEADLINES.values())
    for name in predictors.default().names[1:]:
        assert predictors.default().known[name].title in shown


def test_an_address_without_microphone_is_reported_before_the_browser_refuses(page, monkeypatch):
    monkeypatch.setattr(
        "streamlit.runtime.context.ContextProxy.url", property(lambda self: "http://192.168.1.7/live")
    )
    page.run()
    assert not page.exception
    assert any("https" in text and "http://192.168.1.7/live" in text for text in texts(page))
    assert "microphone" not in page.session_state


def test_models_are_loaded_when_the_microphone_is_opened_and_their_errors_are_shown(page, monkeypatch):
    def damaged(predictor):
        raise store.StoreError("The file mlp.tflite was changed.")

    monkeypatch.setattr(predictors.Predictor, "warm_up", damaged)
    page.run()
    assert not page.exception and len(page.error) == 1  # the verdict
    state = SimpleNamespace(playing=True, signalling=False)
    monkeypatch.setattr(microphone, "webrtc_streamer", lambda **options: SimpleNamespace(state=state))
    for _ in range(2):
        page.run()
        assert not page.exception
        assert [error.value for error in page.error[1:]] == ["The file mlp.tflite was changed."]


def test_a_wrong_setting_gives_a_message(page, monkeypatch):
    monkeypatch.setenv(connection.SETTING, '[{"urls": "stun"}]')
    page.run()
    assert not page.exception
    (warning,) = page.warning
    assert connection.SETTING in warning.value and "entry 1" in warning.value


def test_the_listener_belongs_to_the_session(page):
    page.run()
    first = page.session_state.listener
    page.run()
    assert page.session_state.listener is first
    other = AppTest.from_file(str(ROOT / "pages/live.py"), default_timeout=60).run()
    assert other.session_state.listener is not first


def test_clear_forgets_everything(page):
    page.run()
    ear = page.session_state.listener
    ear.feed(synthetic.recording(), synthetic.RATE)
    assert ear.total == 3
    (clear,) = [button for button in page.button if button.label == "Clear"]
    clear.click().run()
    assert not page.exception and ear.total == 0


def test_without_a_connection_the_recorder_is_offered_and_its_coughs_are_found(page):
    page.run()
    assert not page.audio_input
    page.session_state.trouble = True
    page.run()
    assert any(f"{microphone.PATIENCE_S} seconds" in text for text in texts(page))
    page.audio_input[0].set_value(("cough.wav", synthetic.sample(), "audio/wav")).run()
    assert not page.exception
    assert "3 coughs found in this recording." in texts(page)
    assert page.session_state.listener.total == 3
    page.run()
    assert page.session_state.listener.total == 3  # each cough once
    page.audio_input[0].set_value(("cough.wav", b"no sound", "audio/wav")).run()
    assert any("not a sound file" in text for text in texts(page))


def news(ear, is_open=True):
    return view._news(ear, predictors.default().study, is_open, 40, 3)


def test_updates_are_small_and_contain_the_state():
    ear = live.Listener()
    assert news(ear, False)["status"] == "Not listening yet"
    assert news(ear)["status"] == "Connecting …"
    ear.feed(synthetic.recording(), synthetic.RATE)
    piece = news(ear, False)
    assert piece["status"] == "Stopped" and piece["total"] == 3 and piece["rate"] is None
    assert piece["coughs"][0]["answers"][0].startswith("MLP: not COVID, ")
    # 14 times a second for each visitor.
    assert len(str(news(ear))) + 1000 < 10_000
    ear.error, ear.dropped_s, ear.lost_s = listener.FAILED, 4.2, 1.5
    piece = news(ear)
    assert piece["status"] == "Stopped by an error" and piece["trouble"][0] == listener.FAILED
    assert "4.2 s of sound were skipped" in piece["trouble"][1] and "1.5 s" in piece["trouble"][1]


@pytest.mark.parametrize(
    ("level", "peak", "expected"),
    [(-10, 1.0, "too loud"), (-80, 0.0, "microphone muted"), (-60, 0.01, "quiet"), (-30, 0.3, "sound")],
)
def test_the_level_is_shown_in_words(level, peak, expected):
    assert expected in view._loudness(level, peak)


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (75.9, "1:15"), (7384, "2:03:04")])
def test_the_time_listened_is_shown(seconds, shown):
    assert view._clock(seconds) == shown


def test_a_connection_that_breaks_the_component_leaves_the_recorder(page, monkeypatch):
    def broken(**options):
        raise RuntimeError

    monkeypatch.setattr(microphone, "webrtc_streamer", broken)
    page.run()
    assert not page.exception and page.audio_input


def test_raw_sound_is_asked_for():
    assert microphone.RAW == {
        "echoCancellation": False,
        "noiseSuppression": False,
        "autoGainControl": False,
    }


@pytest.mark.parametrize(
    ("wanted", "name", "begins"), [("list", "coughs.csv", b"cough,"), ("sound", "coughs.zip", b"PK")]
)
def test_a_file_goes_to_the_browser_when_it_is_asked_for(monkeypatch, wanted, name, begins):
    ear = live.Listener()
    ear.feed(synthetic.recording(), synthetic.RATE)
    monkeypatch.setattr(exports.st, "session_state", {exports.KEY: {"wanted": wanted}})
    sent = exports._asked_for(ear)
    assert sent["name"] == name and base64.b64decode(sent["content"]).startswith(begins)
    monkeypatch.setattr(exports.st, "session_state", {})
    assert exports._asked_for(ear) is None
