import numpy as np
import pytest
import soxr

from coughlab.audio import synthetic
from coughlab.features import fingerprint
from tests.recordings import recorded


def right_bits(one, other):
    """Share of equal bits in the common words of both recordings."""
    both = (one["word"] > 0) & (other["word"] > 0)
    assert both.sum() > 10
    return 1 - np.bitwise_count(one["word"][both] ^ other["word"][both]).mean() / 32


@pytest.mark.parametrize(("seconds", "rows"), [(10, 1000), (0.3, 30), (45, 3000)])
def test_a_fingerprint_is_small_and_of_the_first_half_minute(seconds, rows):
    y = np.random.default_rng(0).standard_normal(round(seconds * 22_050)) / 10
    rows_of = fingerprint.compute(recorded(y, 22_050))
    assert rows_of.shape == (rows,) and rows_of.dtype == fingerprint.ROW
    assert rows_of.nbytes == 24 * rows
    later = y.copy()
    later[30 * 22_050 + 2205 :] = 0
    np.testing.assert_array_equal(fingerprint.compute(recorded(later, 22_050)), rows_of)


def test_the_waveform_it_holds_is_that_of_the_recording():
    y = synthetic.recording()
    held = fingerprint.waveform(fingerprint.compute(recorded(y)))
    resampled = soxr.resample(y, synthetic.RATE, fingerprint.WAVE_RATE)
    f = np.fft.rfftfreq(resampled.size, 1 / fingerprint.WAVE_RATE)
    low, high = fingerprint.WAVE_HZ
    expected = np.fft.irfft(np.fft.rfft(resampled) * f * ((f > low) & (f < high)), resampled.size)
    assert np.abs(held).max() == 1
    # Steps of 6 dB give an error of about a fifth.
    assert np.corrcoef(held, expected)[0, 1] > 0.97


def test_words_are_robust_to_changes_of_a_copy_and_differ_between_recordings():
    y, other = synthetic.recording(seed=1), synthetic.recording(seed=50)
    words = fingerprint.compute(recorded(y))
    noise = np.random.default_rng(0).normal(0, 0.0005, y.size)
    telephone = soxr.resample(y, synthetic.RATE, 8000)
    assert right_bits(words, fingerprint.compute(recorded(0.2 * y + 0.1 + noise))) > 0.9
    assert right_bits(words, fingerprint.compute(recorded(telephone, 8000))) > 0.95
    assert right_bits(words, fingerprint.compute(recorded(np.roll(y, 48 * 5)))) > 0.85
    assert 0.4 < right_bits(words, fingerprint.compute(recorded(other))) < 0.65


def test_sound_that_is_too_quiet_to_identify_has_no_words():
    y = np.concatenate([np.zeros(8000), synthetic.cough(rate=8000), np.zeros(8000)])
    words = fingerprint.compute(recorded(y, 8000))["word"]
    assert not words[:80].any() and not words[160:].any() and words[105:125].all()
    assert not fingerprint.compute(recorded(np.zeros(8000), 8000))["word"].any()
    assert len(fingerprint.compute(recorded(np.ones(50), 8000))) == 1
