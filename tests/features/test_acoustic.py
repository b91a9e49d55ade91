"""The features of the case study, compared with librosa: one call per feature, default options, mean over frames."""

import io

import librosa
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from coughlab.audio import synthetic
from coughlab.features import acoustic, spectrum
from tests.recordings import coughs, float_wav, recorded

RTOL = 1e-4
# The mean of an MFCC may be near 0, where a relative tolerance is useless. Single precision rounds levels near
# -100 dB to 7.6e-6 dB, so each of 128 bands, weighted sqrt(2 / 128), may be off by half of that on either side.
ATOL_DB = 2 * 128 * np.sqrt(2 / 128) * 3.8e-6

pytestmark = pytest.mark.filterwarnings(
    "ignore:Trying to estimate tuning from empty frequency set", "ignore:.*is deprecated:DeprecationWarning"
)


def by_librosa(samples, rate):
    """Each feature by a separate call, from a file with the exact samples."""
    y, sr = librosa.load(io.BytesIO(float_wav(samples, rate)), duration=5)
    feature = librosa.feature
    return np.array(
        [
            feature.chroma_stft(y=y, sr=sr).mean(),
            feature.rms(y=y).mean(),
            feature.spectral_centroid(y=y, sr=sr).mean(),
            feature.spectral_bandwidth(y=y, sr=sr).mean(),
            feature.spectral_rolloff(y=y, sr=sr).mean(),
            feature.zero_crossing_rate(y).mean(),
            *feature.mfcc(y=y, sr=sr).mean(axis=1),
        ]
    )


def assert_as_librosa(samples, rate):
    expected = by_librosa(samples, rate)
    measured = acoustic.extract(recorded(samples, rate))
    tolerance = RTOL * np.abs(expected) + np.where(np.arange(26) < 6, 0, ATOL_DB)
    off = {
        name: (got, want)
        for name, got, want, allowed in zip(acoustic.NAMES, measured, expected, tolerance, strict=True)
        if not abs(got - want) <= allowed
    }
    assert not off, "feature: (measured, librosa)"


def tone(draw, t, rng):
    return np.sin(2 * np.pi * draw(st.floats(30, 10_500)) * t)


def chord(draw, t, rng):
    pitch, detune = draw(st.floats(60, 1000)), draw(st.floats(0.97, 1.03))
    return sum(np.sin(2 * np.pi * pitch * detune * k * t) / k for k in (1, 2, 3, 4, 5, 6))


def chirp(draw, t, rng):
    low, high = draw(st.floats(20, 2000)), draw(st.floats(20, 11_000))
    return scipy.signal.chirp(t, low, max(t[-1], 0.1), high)


def noise(draw, t, rng):
    return scipy.signal.lfilter([1], [1, -draw(st.floats(-0.99, 0.99))], rng.standard_normal(t.size))


def clicks(draw, t, rng):
    y = np.zeros(t.size)
    y[rng.integers(t.size, size=draw(st.integers(1, 20)))] = 1
    return y


def cough(draw, t, rng):
    rate = round(1 / t[1])
    onset = draw(st.floats(0, max(0.0, t[-1] - 0.05)))
    background = draw(st.sampled_from([0, 1e-5, 1e-3, 1e-2]))
    return synthetic.recording(
        onsets_s=(onset,),
        duration_s=t.size / rate,
        rate=rate,
        seed=draw(st.integers(0, 999)),
        noise=background,
    )


@st.composite
def sounds(draw, kind):
    """Samples and their rate: any length, partly silent, with an offset, from very quiet to far above full scale."""
    rate = draw(st.sampled_from([8000, 16_000, 22_050, 44_100, 48_000]) | st.integers(8000, 48_000))
    size = round(draw(st.floats(0.1, 8)) * rate)
    y = kind(draw, np.arange(size) / rate, np.random.default_rng(draw(st.integers(0, 2**32))))
    y = y[:size] / max(np.abs(y).max(), 1e-9)
    silent_from, silent_until = sorted(draw(st.tuples(*[st.sampled_from([0, 0, 0.3, 0.6, 0.9])] * 2)))
    y[int(silent_from * size) : int(silent_until * size)] = 0
    y = y + draw(st.just(0) | st.floats(-0.5, 0.5))
    # Uniform over the exponents: -70 dB to +40 dB relative to full scale.
    return (10 ** (draw(st.integers(-70, 40)) / 20) * y).astype(np.float32), rate


@pytest.mark.parametrize("kind", [cough, tone, chord, chirp, noise, clicks], ids=lambda kind: kind.__name__)
def test_features_are_librosas(kind):
    @settings(max_examples=40, derandomize=True, deadline=None, database=None)
    @given(sounds(kind))
    def check(sound):
        assert_as_librosa(*sound)

    check()


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000])
def test_features_of_coughs_at_common_rates_are_librosas(rate):
    assert_as_librosa(synthetic.recording(rate=rate, duration_s=6.0, seed=rate), rate)


@pytest.mark.parametrize("samples", [2205, 22_050, 5 * 22_050 - 1, 5 * 22_050, 5 * 22_050 + 1])
def test_features_of_digital_silence_are_librosas(samples):
    assert_as_librosa(np.zeros(samples, np.float32), 22_050)


def test_features_of_a_constant_are_librosas():
    assert_as_librosa(np.full(22_050, 0.25, np.float32), 22_050)


def test_integers_stored_as_floats_are_measured():
    assert_as_librosa(synthetic.recording(peak=2.0**31), synthetic.RATE)


def test_only_the_first_five_seconds_count():
    long = coughs(duration_s=8.0, onsets_s=(0.5, 2.0, 6.0))
    start = recorded(long.samples[: 5 * long.rate], long.rate)
    assert np.array_equal(acoustic.extract(long), acoustic.extract(start))
    before = recorded(long.samples[: 5 * long.rate - 2048], long.rate)
    assert not np.array_equal(acoustic.extract(long), acoustic.extract(before))


def test_features_come_in_the_order_of_their_names():
    values = acoustic.extract(recorded(np.sin(2 * np.pi * 1000 * np.arange(22_050) / 22_050), 22_050))
    assert values.shape == (26,) and values.dtype == np.float32
    assert (
        *("chroma_stft", "rms", "spectral_centroid", "spectral_bandwidth", "rolloff", "zero_crossing_rate"),
        *(f"mfcc{k}" for k in range(1, 21)),
    ) == acoustic.NAMES
    named = dict(zip(acoustic.NAMES, values, strict=True))
    # A tone of 1 kHz crosses zero 2,000 times in 22,050 samples; its power is 1/2. The edges blur both a little.
    assert named["zero_crossing_rate"] == pytest.approx(2000 / 22_050, rel=0.05)
    assert named["rms"] == pytest.approx(np.sqrt(0.5), rel=0.05)
    assert named["spectral_centroid"] == pytest.approx(1000, rel=0.1)
    assert named["rolloff"] == pytest.approx(1000, rel=0.1)


def test_measuring_leaves_the_recording_as_it_was():
    recording = coughs()
    before = recording.samples.copy()
    recording.samples.flags.writeable = False
    acoustic.extract(recording)
    assert np.array_equal(recording.samples, before)


@pytest.mark.parametrize("seconds", [0.2, 3.0, 7.0])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_values_of_every_frame_are_librosas(rate, seconds):
    y = spectrum.waveform(coughs(rate=rate, duration_s=seconds, onsets_s=(0.05,)))
    wanted = librosa.feature.mfcc(y=y, sr=22_050).T
    # The value of one frame has no averaging: it is a weighted sum of 128 levels, each with an error up to 1e-4 dB.
    np.testing.assert_allclose(acoustic.mfcc(y), wanted, rtol=RTOL, atol=128 * np.sqrt(2 / 128) * 1e-4)
    wanted = librosa.feature.chroma_stft(y=y, sr=22_050).T
    np.testing.assert_allclose(acoustic.chroma(y), wanted, rtol=1e-3, atol=1e-5)


def test_features_are_the_means_of_the_frames():
    recording = coughs(duration_s=4.0)
    y = spectrum.waveform(recording, seconds=acoustic.SECONDS)
    values = acoustic.extract(recording)
    assert acoustic.chroma(y).shape == (1 + y.size // 512, 12)
    assert acoustic.chroma(y).mean() == values[0]
    np.testing.assert_allclose(acoustic.mfcc(y).mean(axis=0), values[6:], rtol=1e-5, atol=1e-4)
