"""The listener: an endless stream of sound with bounded memory."""

import csv
import io
import threading
import time
import tracemalloc
import zipfile
from fractions import Fraction

import av
import numpy as np
import pytest

from coughlab import audio, config, detector, live
from coughlab.audio import mixing, synthetic
from coughlab.detector import Event
from coughlab.live import connection, cough_log, listener, picture, sound
from coughlab.serving import predictors

ANSWERS = {"mlp": predictors.Answer("not_covid", 0.25, 0.5), "knn": predictors.Answer("covid", 0.75, 0.5)}
ONSETS = (0.6, 1.5, 2.6)
WHOLE = synthetic.recording(onsets_s=ONSETS, duration_s=3.5)


def make_listener(**options):
    return live.Listener(**{"ask": lambda recording: ANSWERS} | options)


def frames(samples, *, rate=48_000, pts=0, fmt="s16", layout="stereo", n=960):
    """The samples in frames of 20 ms, as a browser sends them."""
    for start in range(0, samples.size - n + 1, n):
        part = np.round(32767 * np.clip(samples[start : start + n], -1, 1)).astype(np.int16)
        channels = 2 if layout == "stereo" else 1
        frame = av.AudioFrame.from_ndarray(np.repeat(part, channels)[None], format=fmt, layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, pts + start, Fraction(1, rate)
        yield frame


def until(condition):
    """Wait until the work of another thread fulfils a condition."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


def hear(listening, samples, **options):
    """Send samples in frames, no faster than they are processed, and wait for the end of the processing."""
    before = listening.heard_s
    for frame in frames(samples, **options):
        listening.hear(frame)
        until(lambda: listening._queued_s < 1 or listening.error)
    until(lambda: listening._thread is None)
    return listening.heard_s - before


@pytest.fixture(autouse=True)
def short_idle_time(monkeypatch):
    monkeypatch.setattr(listener, "IDLE_S", 0.05)


def expect_times(coughs, onsets, offset=0.0):
    assert len(coughs) == len(onsets)
    assert [cough.start_s for cough in coughs] == pytest.approx([onset + offset for onset in onsets], abs=0.1)
    assert [cough.end_s - cough.start_s for cough in coughs] == pytest.approx([0.4] * len(onsets), abs=0.2)


# Frames.


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize(
    ("fmt", "dtype", "full"),
    [("s16", "i2", 2**15), ("s16p", "i2", 2**15), ("flt", "f4", 1), ("fltp", "f4", 1), ("s32", "i4", 2**31)],
)
def test_frames_of_every_kind_are_the_same_sound(fmt, dtype, full, layout):
    left = np.array([0, 0.5, -0.5, 0.25], "f8")
    right = left if layout == "mono" else np.array([0, 0.5, 0.5, -0.25], "f8")
    both = np.stack([left] if layout == "mono" else [left, right])
    stored = (both * full).astype(dtype)
    array = stored if fmt.endswith("p") else stored.T.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(array, format=fmt, layout=layout)
    y = mixing.mono(sound.block(frame))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, both.mean(axis=0), atol=1e-6)


def test_channels_that_cancel_each_other_are_heard_and_it_is_said():
    listening = make_listener()
    both = (32767 * np.stack([WHOLE, -WHOLE], axis=1)).astype(np.int16)
    for start in range(0, len(both) - 960, 960):
        frame = av.AudioFrame.from_ndarray(both[start : start + 960].reshape(1, -1), "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        listening.hear(frame)
        until(lambda: listening._queued_s < 1)
    until(lambda: listening._thread is None)
    assert listening.channel == 0
    # It is known after a second.
    assert [cough.start_s for cough in listening.coughs(9)][-2:] == pytest.approx(ONSETS[1:], abs=0.1)


def test_another_rate_becomes_the_common_one():
    intake, tone = sound.Intake(), np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    taken = [intake.take(frame)[1] for frame in frames(tone, rate=8000, layout="mono", n=160)]
    y = np.concatenate(taken)
    assert 0.8 * sound.RATE < y.size <= sound.RATE  # the resampler has a small delay
    spectrum = np.abs(np.fft.rfft(y[-24_000:]))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=4)


def test_a_lost_packet_is_filled_and_a_long_gap_is_reported():
    intake = sound.Intake()
    first, second, *_ = frames(WHOLE)
    assert intake.take(first)[1].size == 960
    second.pts += 960
    missing_s, samples = intake.take(second)
    assert missing_s == 0 and samples.size == 1920 and not samples[:960].any()
    second.pts += 960 + 2 * sound.RATE
    missing_s, samples = intake.take(second)
    assert missing_s == pytest.approx(2) and samples.size == 960


def test_the_ring_holds_the_last_seconds():
    ring, y = sound.Ring(0.01), np.arange(1, 2001, dtype=np.float32)
    for start in range(0, 1400, 200):
        ring.write(y[start : start + 200])
    np.testing.assert_array_equal(ring.read(1000, 1300), y[1000:1300])
    np.testing.assert_array_equal(ring.read(0, 5000), y[1400 - 480 : 1400])
    ring.write(y[1400:])
    np.testing.assert_array_equal(ring.read(1900, 2000), y[1900:2000])
    ring.skip(100)
    assert ring.end == 2100 and not ring.read(2000, 2100).any()
    np.testing.assert_array_equal(ring.read(1950, 2000), y[1950:2000])
    ring.skip(10**9)
    assert not ring.read(0, ring.end).any()


# The picture.


def test_columns_show_level_waveform_and_pitch():
    t = np.arange(sound.RATE) / sound.RATE
    columns = picture.Columns()
    for piece in np.array_split(0.1 * np.sin(2 * np.pi * 2000 * t).astype(np.float32), 37):
        columns.push(piece)
    first, data = columns.newest(10**6)
    rows = np.frombuffer(data, np.uint8).reshape(-1, picture.SIZE)
    assert first == 0 and len(rows) == 50
    level, peak = columns.level()
    assert level == pytest.approx(-23, abs=0.5) and peak == pytest.approx(0.1, abs=0.02)
    assert abs(int(rows[20, 0]) - 128) == pytest.approx(13, abs=1)
    loudest = rows[20, 4:].argmax() / (picture.BANDS + 1)
    assert loudest == pytest.approx(dict(picture.ticks())["2 kHz"], abs=0.05)


def test_columns_keep_time_over_breaks_and_stay_small():
    columns = picture.Columns()
    columns.push(np.ones(1000, np.float32))
    columns.skip(sound.RATE)
    columns.push(np.ones(2000, np.float32))
    assert columns.end == (3000 + sound.RATE) // picture.HOP
    _, data = columns.newest(10**6)
    marks = np.frombuffer(data, np.uint8).reshape(-1, picture.SIZE)[:, 3]
    assert marks[0] == picture.SOUND and (marks == picture.BREAK).sum() == 1
    assert (marks == picture.MISSING).sum() == 50
    columns.skip(3600 * sound.RATE)
    assert len(columns.newest(10**6)[1]) == picture.KEPT * picture.SIZE
    assert columns.level()[0] == picture.FLOOR_DB


# Coughs.


def test_coughs_are_found_at_their_times_with_answers_and_sound():
    listening, began = make_listener(), time.time()
    listening.feed(WHOLE, synthetic.RATE)
    coughs = listening.coughs()
    expect_times(coughs, ONSETS)
    assert [cough.number for cough in coughs] == [1, 2, 3] == list(range(1, listening.total + 1))
    assert all(cough.answers == ANSWERS for cough in coughs)
    for cough in coughs:
        assert began - 5 < cough.at < time.time()
        heard = audio.load(listening.wav(cough.number))
        margin = predictors.MARGIN_S
        assert heard.duration == pytest.approx(cough.end_s - cough.start_s + 2 * margin, abs=0.001)
        start = round((cough.start_s - margin) * sound.RATE)
        np.testing.assert_allclose(heard.samples, WHOLE[start : start + heard.samples.size], atol=1e-4)
    assert listening.last_minute() == 3 and listening.heard_s == pytest.approx(3.5)


def test_frames_from_a_browser_give_the_same_coughs_as_the_whole():
    whole, piecewise = make_listener(), make_listener()
    whole.feed(WHOLE, synthetic.RATE)
    assert hear(piecewise, WHOLE) == pytest.approx(3.5, abs=0.02)
    for one, other in zip(whole.coughs(), piecewise.coughs(), strict=True):
        assert (one.start_s, one.end_s) == pytest.approx((other.start_s, other.end_s), abs=0.021)
    assert not piecewise.dropped_s and not piecewise.lost_s and piecewise.error is None


def test_the_models_of_the_app_are_asked():
    listening = live.Listener()
    listening.feed(WHOLE, synthetic.RATE)
    predictor = predictors.default()
    for cough in listening.coughs():
        assert list(cough.answers) == predictor.names


def test_a_cough_that_counts_only_beside_a_later_one_is_answered_as_in_a_file():
    rng = np.random.default_rng(0)
    y = (0.002 * rng.standard_normal(14 * sound.RATE)).astype(np.float32)
    for at, peak, seed in ((1, 0.03, 2), (10, 0.6, 9)):
        cough = synthetic.cough(rate=sound.RATE, seed=seed)
        y[at * sound.RATE :][: cough.size] += peak * cough
    recording = predictors.load(audio.encode_wav(y, sound.RATE))
    events = detector.default().detect(recording).events
    # The first one alone is too faint to be a cough.
    assert [round(event.start_s) for event in events] == [1, 10]
    assert events[0].probability < detector.default().threshold
    listening = live.Listener()
    listening.feed(recording.samples, recording.rate)
    assert [cough.answers for cough in listening.coughs()] == [
        predictors.default().ask(predictors.cut(recording, event)) for event in events
    ]
    assert not listening.unanswered


def test_two_listeners_are_separate():
    one, other = make_listener(), make_listener()
    threads = [
        threading.Thread(target=hear, args=(one, WHOLE)),
        threading.Thread(target=hear, args=(other, WHOLE[: round(2.3 * sound.RATE)])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect_times(one.coughs(), ONSETS)
    expect_times(other.coughs(), ONSETS[:2])
    assert one.epoch != other.epoch


def test_the_count_continues_after_stop_and_restarts_after_clear():
    listening = make_listener()
    first = hear(listening, WHOLE)
    hear(listening, WHOLE, pts=10**6)
    expect_times(listening.coughs()[3:], ONSETS, offset=first)
    assert [cough.number for cough in listening.coughs()] == [1, 2, 3, 4, 5, 6]
    assert not listening.lost_s  # stopping loses nothing
    _, data = listening.columns(picture.KEPT)
    marks = np.frombuffer(data, np.uint8).reshape(-1, picture.SIZE)[:, 3]
    assert (marks == picture.BREAK).sum() == 1
    epoch = listening.epoch
    listening.clear()
    assert (listening.total, listening.heard_s, listening.coughs(), listening.oldest_kept) == (0, 0, [], None)
    assert listening.epoch != epoch and listening.columns(9) == (0, b"")
    hear(listening, WHOLE)
    expect_times(listening.coughs(), ONSETS)


def test_a_pending_cough_is_reported_when_the_sound_ends():
    listening = make_listener()
    hear(listening, WHOLE[: round((ONSETS[0] + 0.4) * sound.RATE)])
    (cough,) = listening.coughs()
    assert cough.answers == ANSWERS and listening.wav(1)


def test_sound_that_comes_too_fast_is_dropped_and_counted(monkeypatch):
    monkeypatch.setattr(listener, "BACKLOG_S", 0.5)
    held, asked = threading.Event(), threading.Event()

    def slow(recording):
        asked.set()
        assert held.wait(60)
        return ANSWERS

    listening, longest = make_listener(ask=slow), 0
    waiting = frames(np.concatenate([WHOLE, WHOLE]))
    for frame in waiting:
        listening.hear(frame)
        time.sleep(0.001)
        if asked.is_set():
            break
    for frame in waiting:
        listening.hear(frame)
        longest = max(longest, len(listening._queue))
    assert longest <= 0.5 * 50 + 2
    assert listening.dropped_s > 1
    held.set()
    until(lambda: listening._thread is None)
    # Dropped sound still counts as listened time.
    assert listening.heard_s == pytest.approx(7, abs=0.05)
    assert listening.error is None and listening.total >= 1


@pytest.mark.parametrize("bounds", [(20, 5.0)])
def test_memory_does_not_grow_with_the_hours(monkeypatch, bounds):
    monkeypatch.setattr(cough_log, "KEPT_S", bounds[1])
    listening = make_listener()
    listening._coughs._coughs = type(listening._coughs._coughs)(maxlen=bounds[0])

    def minutes(n):
        for _ in range(n):
            for _ in range(6):
                listening.feed(np.concatenate([WHOLE, 0 * WHOLE, 0 * WHOLE[:144_000]]), sound.RATE)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        minutes(1)
        before = minutes(1)
        after = minutes(5)
    finally:
        tracemalloc.stop()
    assert listening.total == 7 * 6 * 3 and len(listening.coughs()) == bounds[0]
    assert listening.last_minute() == 18
    assert after - before < 50_000
    assert listening.wav(listening.oldest_kept - 1) is None and listening.wav(listening.oldest_kept)
    kept = sum(sound.size for sound in listening._coughs.copy()[1].values())
    assert kept <= bounds[1] * sound.RATE


def test_an_error_ends_listening_with_a_sentence(caplog):
    listening = make_listener()
    hear(listening, WHOLE[: round(1.2 * sound.RATE)])
    listening._feed = lambda samples, at: 1 / 0
    for frame in list(frames(WHOLE))[:5]:
        listening.hear(frame)
    until(lambda: listening.error)
    assert listening.error == listener.FAILED and "Traceback" not in listening.error
    assert listening.total == 1 and "ZeroDivisionError" in caplog.text
    for frame in frames(WHOLE):
        listening.hear(frame)
    assert listening._thread is None and not listening._queue
    del listening._feed
    listening.resume()
    assert listening.error is None and listening.quiet_s is None
    hear(listening, WHOLE)
    assert listening.total == 4


def test_without_the_models_coughs_are_found_and_the_reason_is_reported():
    def damaged(recording):
        raise predictors.StoreError("A file was changed.")

    listening = make_listener(ask=damaged)
    listening.feed(WHOLE, sound.RATE)
    assert listening.error is None and "A file was changed." in listening.unanswered
    assert all(cough.answers is None for cough in listening.coughs())
    assert listening.total == 3 and listening.wav(3)


def test_the_list_and_the_sound_can_be_downloaded():
    listening = make_listener()
    listening.feed(WHOLE, sound.RATE)
    rows = list(csv.DictReader(io.StringIO(listening.csv())))
    for row, cough in zip(rows, listening.coughs(), strict=True):
        assert int(row["cough"]) == cough.number and row["time_utc"] == cough.time
        assert float(row["start_s"]) == cough.start_s and float(row["end_s"]) == cough.end_s
        assert (row["mlp_label"], row["knn_probability"]) == ("not_covid", "0.75")
    with zipfile.ZipFile(io.BytesIO(listening.archive())) as file:
        assert file.read("coughs.csv").decode() == listening.csv()
        names = sorted(name for name in file.namelist() if name.endswith(".wav"))
        assert [name[:10] for name in names] == ["cough-0001", "cough-0002", "cough-0003"]
        assert ":" not in "".join(names)
        for number, name in enumerate(names, start=1):
            assert file.read(name) == listening.wav(number)


def test_an_empty_list_is_a_table_too():
    assert make_listener().csv().startswith("cough,time_utc,start_s,end_s")


def test_the_newest_coughs_are_listed():
    coughs = cough_log.Log()
    for k in range(5):
        coughs.add(Event(k, k + 0.5, 1.0), at=k)
    assert [cough.number for cough in coughs.newest(2)] == [4, 5]
    assert coughs.since(3.5) == 1 and coughs.since(-1) == 5
    coughs.complete(5, np.zeros(9, np.float32), ANSWERS)
    assert coughs.oldest_kept == 5 and coughs.newest(1)[0].answers == ANSWERS


# The connection.


@pytest.mark.parametrize(
    ("url", "trusted", "local"),
    [
        ("http://localhost:8501", True, True),
        ("http://127.0.0.1:8501/live", True, True),
        ("http://[::1]:8501/live", True, True),
        ("https://cough.example.org", True, False),
        ("https://192.168.1.7", True, True),
        ("http://192.168.1.7:8501", False, True),
        ("http://ward.local:8501", False, True),
        ("http://cough.example.org", False, False),
        ("http://localhost.example.org", False, False),
    ],
)
def test_addresses_at_which_browsers_allow_the_microphone(url, trusted, local):
    assert connection.trusted(url) == trusted and connection.local(url) == local


def test_ice_servers_come_from_the_setting_or_the_address_of_the_page():
    assert connection.ice_servers(None, "http://localhost:8501") == []
    assert connection.ice_servers("", "https://cough.example.org") == connection.PUBLIC
    assert connection.ice_servers("[]", "https://cough.example.org") == []
    (server,) = connection.ice_servers(connection.EXAMPLE, "http://localhost:8501")
    assert server["urls"] == ["turn:turn.example.org:3478"] and server["credential"] == "password"
    assert connection.ice_servers([{"urls": ["stun:a:1", "stun:b:2"]}], "") == [
        {"urls": ["stun:a:1", "stun:b:2"]}
    ]


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("stun:a", "no JSON"),
        ('{"urls": "stun:a"}', "no list"),
        ("3", "no list"),
        ('["stun:a"]', "entry 1 is no object"),
        ('[{"url": "stun:a"}]', '"url", which is unknown'),
        ('[{"urls": "http://a"}]', "begin with stun:"),
        ('[{"urls": []}]', "begin with stun:"),
        ('[{"urls": "stun:a"}, {"urls": "turn:a"}]', "entry 2 is a TURN server"),
        ('[{"urls": "turn:a", "username": 1, "credential": "b"}]', "must be texts"),
    ],
)
def test_a_wrong_setting_is_explained(setting, why):
    with pytest.raises(config.SettingError) as error:
        connection.ice_servers(setting, "http://localhost")
    assert why in str(error.value) and connection.SETTING in str(error.value)
    assert "Expected is a list" in str(error.value)
