"""The transform, the mel bands and the common rate, compared with librosa."""

import io

import librosa
import numpy as np
import pytest

from coughlab.audio import synthetic
from coughlab.features import spectrum
from tests.recordings import coughs, float_wav, recorded

RATE = spectrum.RATE


def tone(hz, seconds=1.0):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)


SOUNDS = {
    "coughs": synthetic.recording(rate=RATE),
    "tone": tone(440.0),
    "low tone": tone(30.0),
    "constant": np.full(RATE, 0.5, np.float32),
    "noise": np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32),
    "quiet": 1e-4 * synthetic.recording(rate=RATE),
    "loud": np.float32(2**31) * synthetic.recording(rate=RATE),
    "silence": np.zeros(RATE, np.float32),
    "shorter than a frame": tone(440.0, 0.05),
    "one sample": np.ones(1, np.float32),
    "one hop less a sample": tone(440.0, 511 / RATE),
    "one hop": tone(440.0, 512 / RATE),
}

pytestmark = pytest.mark.filterwarnings(
    "ignore:n_fft=2048 is too large", "ignore:.*deprecated:DeprecationWarning"
)
each_sound = pytest.mark.parametrize("y", [pytest.param(y, id=name) for name, y in SOUNDS.items()])


@each_sound
def test_magnitude_is_librosas(y):
    expected = np.abs(librosa.stft(y)).T
    measured = spectrum.magnitude(y)
    assert measured.shape == expected.shape == (1 + y.size // 512, 1025)
    assert measured.dtype == np.float32
    # Far from a tone there is only rounding error, and librosa uses double precision.
    np.testing.assert_allclose(measured, expected, rtol=1e-5, atol=1e-10 * expected.max())


def test_frequencies_are_librosas():
    np.testing.assert_allclose(
        spectrum.frequencies(), librosa.fft_frequencies(sr=RATE, n_fft=2048), rtol=1e-12
    )


@pytest.mark.parametrize("n", [1, 2, 10, 66, 130])
def test_mel_frequencies_are_librosas(n):
    expected = librosa.mel_frequencies(n, fmin=0, fmax=RATE / 2)
    np.testing.assert_allclose(spectrum.mel_frequencies(n), expected, rtol=1e-12)


@pytest.mark.parametrize("n_mels", [20, 40, 64, 128])
def test_mel_filters_are_librosas(n_mels):
    filters = spectrum.mel_filters(n_mels)
    assert filters.shape == (n_mels, 1025) and filters.dtype == np.float32
    expected = librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=n_mels)
    np.testing.assert_allclose(filters, expected, rtol=1e-5, atol=1e-9)


@each_sound
@pytest.mark.parametrize("n_mels", [64, 128])
def test_mel_power_is_librosas(y, n_mels):
    expected = librosa.feature.melspectrogram(y=y, sr=RATE, n_mels=n_mels).T
    measured = spectrum.mel_power(spectrum.magnitude(y) ** 2, n_mels)
    np.testing.assert_allclose(measured, expected, rtol=1e-4, atol=1e-10 * expected.max())


@pytest.mark.parametrize("top_db", [None, 20.0, 80.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_power_to_db_is_librosas(top_db, dtype):
    power = np.concatenate([[0.0], np.logspace(-14, 9, 200)]).reshape(3, 67).astype(dtype)
    expected = librosa.power_to_db(power, ref=1.0, top_db=top_db)
    measured = spectrum.power_to_db(power, top_db)
    assert measured.dtype == dtype
    np.testing.assert_allclose(measured, expected, rtol=1e-6, atol=1e-5)


def test_power_to_db_has_a_floor_and_a_range():
    db = spectrum.power_to_db(np.array([0.0, 1e-12, 1e-10, 1.0, 10.0]))
    np.testing.assert_allclose(db, [-100, -100, -100, 0, 10], atol=1e-9)
    np.testing.assert_allclose(
        spectrum.power_to_db(np.array([0.0, 1.0, 10.0]), top_db=30.0), [-20, 0, 10], atol=1e-9
    )


@each_sound
@pytest.mark.parametrize("top_db", [None, 80.0])
def test_log_mel_is_librosas(y, top_db):
    expected = librosa.power_to_db(
        librosa.feature.melspectrogram(y=y, sr=RATE, n_mels=64), ref=1.0, top_db=top_db
    )
    measured = spectrum.log_mel(y, n_mels=64, top_db=top_db)
    assert measured.shape == (1 + y.size // 512, 64) and measured.dtype == np.float32
    np.testing.assert_allclose(measured, expected.T, rtol=0, atol=1e-3)


@pytest.mark.parametrize("seconds", [None, 1.0, 5.0])
@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 32_001, 44_100, 48_000, 96_000])
def test_waveform_is_what_librosa_loads(rate, seconds):
    samples = synthetic.recording(duration_s=2.345, rate=rate)
    expected, _ = librosa.load(io.BytesIO(float_wav(samples, rate)), duration=seconds)
    measured = spectrum.waveform(recorded(samples, rate), seconds=seconds)
    assert measured.dtype == np.float32
    assert np.array_equal(measured, expected)


@pytest.mark.parametrize("size", [801, 1600, 4801])
def test_resampling_is_librosas_soxr_hq(size):
    samples = np.random.default_rng(size).standard_normal(size).astype(np.float32)
    expected = librosa.resample(samples, orig_sr=16_000, target_sr=RATE, res_type="soxr_hq")
    measured = spectrum.waveform(recorded(samples, 16_000))
    assert measured.size == int(np.ceil(size * RATE / 16_000))
    assert np.array_equal(measured, expected)


def test_waveform_at_the_common_rate_is_the_recording():
    recording = coughs(rate=RATE)
    assert np.array_equal(spectrum.waveform(recording), recording.samples)
    assert np.array_equal(spectrum.waveform(recording, seconds=1.5), recording.samples[: int(1.5 * RATE)])
