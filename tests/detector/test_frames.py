"""The frames that the detector reads, compared with librosa."""

import librosa
import numpy as np
import pytest

from coughlab.audio import synthetic
from coughlab.detector import frames
from coughlab.features.spectrum import FLOOR_DB


@pytest.mark.parametrize("seconds", [0.1, 1.0, 2.005])
@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
def test_there_are_a_hundred_frames_per_second(rate, seconds):
    y = synthetic.recording(duration_s=seconds, onsets_s=(0.0,), rate=rate)
    db = frames.of(y, rate)
    assert db.shape == (np.ceil(seconds * 100), frames.N_MELS) and db.dtype == np.float32


def test_they_are_librosa_s_log_mel_bands():
    y = synthetic.recording(rate=frames.RATE)
    padded = np.pad(y, frames.BEFORE)
    power = librosa.feature.melspectrogram(
        y=padded,
        sr=frames.RATE,
        n_fft=frames.N_FFT,
        hop_length=frames.HOP,
        n_mels=frames.N_MELS,
        center=False,
    )
    ours = frames.of(y, frames.RATE)
    np.testing.assert_allclose(ours, librosa.power_to_db(power, top_db=None).T[: len(ours)], atol=0.01)


def test_a_frame_covers_its_own_10_ms():
    y = np.zeros(frames.RATE, np.float32)
    y[50 * frames.HOP + frames.HOP // 2] = 1
    assert frames.of(y, frames.RATE).max(axis=1).argmax() == 50


def test_silence_is_at_the_floor():
    np.testing.assert_array_equal(frames.silence(3), np.full((3, frames.N_MELS), FLOOR_DB))
    np.testing.assert_allclose(
        frames.of(np.zeros(1600, np.float32), frames.RATE), frames.silence(10), atol=1e-4
    )
