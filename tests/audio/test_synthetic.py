"""The synthetic coughs."""

import io

import numpy as np
import pytest
import soundfile

from coughlab import audio, detector
from coughlab.audio import synthetic
from coughlab.features import quality


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("duration_s", [0.25, 0.4, 0.8])
def test_a_cough_has_its_length_a_peak_of_one_and_quiet_ends(rate, duration_s):
    y = synthetic.cough(rate=rate, duration_s=duration_s)
    assert y.shape == (round(rate * duration_s),) and y.dtype == np.float32
    assert np.abs(y).max() == 1
    assert y[0] == y[-1] == 0


def test_a_cough_begins_loud_and_fades():
    y = synthetic.cough()
    thirds = [np.sqrt(np.mean(part.astype(float) ** 2)) for part in np.array_split(y, 3)]
    assert thirds[0] > 2 * thirds[1] and thirds[0] > 2 * thirds[2]


def test_the_voiced_end_has_the_pitch_asked_for():
    rate, pitch = 16_000, 200.0
    y = synthetic.cough(rate=rate, pitch_hz=pitch, duration_s=0.8)[round(0.5 * rate) : round(0.62 * rate)]
    spectrum = np.abs(np.fft.rfft(y * np.hanning(y.size), 2**16))
    assert np.argmax(spectrum) * rate / 2**16 == pytest.approx(pitch, abs=3)


def test_the_seed_decides():
    assert np.array_equal(synthetic.cough(seed=3), synthetic.cough(seed=3))
    assert not np.array_equal(synthetic.cough(seed=3), synthetic.cough(seed=4))
    assert np.array_equal(synthetic.recording(seed=3), synthetic.recording(seed=3))
    assert not np.array_equal(synthetic.recording(seed=3), synthetic.recording(seed=4))


@pytest.mark.parametrize("rate", [8000, 48_000])
def test_a_recording_is_silent_but_for_its_coughs(rate):
    y = synthetic.recording(onsets_s=(0.5, 1.5), duration_s=2.5, rate=rate, noise=0, peak=0.6)
    assert y.shape == (round(2.5 * rate),) and y.dtype == np.float32
    sounding = np.flatnonzero(y) / rate
    assert np.all(((sounding >= 0.5) & (sounding < 0.9)) | ((sounding >= 1.5) & (sounding < 1.9)))
    assert np.abs(y).max() == pytest.approx(0.6)


def test_background_noise_has_its_level():
    y = synthetic.recording(onsets_s=(), duration_s=2.0, noise=0.01)
    assert y.std() == pytest.approx(0.01, rel=0.02)


def test_a_cough_may_be_cut_off_by_the_end():
    y = synthetic.recording(onsets_s=(0.9,), duration_s=1.0, rate=8000, noise=0)
    assert y.size == 8000
    assert np.any(y[7200:])


def test_the_sample_is_a_good_recording_of_three_coughs():
    content = synthetic.sample()
    info = soundfile.info(io.BytesIO(content))
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("WAV", "PCM_16", 48_000, 1)
    recording = audio.load(content)
    found = detector.default().detect(recording).events
    assert len(found) == 3
    assert quality.check(recording, found) == []
    assert content == synthetic.sample()
