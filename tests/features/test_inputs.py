"""The inputs of the classifiers."""

import numpy as np
import pytest

from coughlab.classifiers import CLASSIFIERS
from coughlab.features import acoustic, inputs, spectrum
from tests.recordings import coughs


def frames(n):
    return np.arange(n * 3, dtype=np.float32).reshape(n, 3)


@pytest.mark.parametrize(("n", "wanted"), [(1, 5), (2, 5), (4, 8), (3, 43), (42, 43)])
def test_too_few_frames_are_repeated_from_the_start(n, wanted):
    repeated = inputs.repeated(frames(n), wanted)
    assert repeated.shape == (wanted, 3) and repeated.dtype == np.float32
    for k in range(wanted):
        assert np.array_equal(repeated[k], frames(n)[k % n])


@pytest.mark.parametrize("n", [5, 6, 100])
def test_enough_frames_stay_as_they_are(n):
    assert np.array_equal(inputs.repeated(frames(n), 5), frames(n))


@pytest.mark.parametrize(("seconds", "n_frames"), [(0.1, 43), (0.5, 43), (1.0, 44), (3.0, 130), (10.0, 431)])
@pytest.mark.parametrize("rate", [8000, 48_000])
def test_spectrogram_has_the_recordings_length_and_at_least_a_second(seconds, n_frames, rate):
    db = inputs.spectrogram(coughs(onsets_s=(0.0,), duration_s=seconds, rate=rate))
    assert db.shape == (n_frames, inputs.N_MELS) and db.dtype == np.float32
    assert db.min() >= spectrum.FLOOR_DB - 1e-4


def test_spectrogram_is_the_log_mel_spectrogram_of_the_whole_recording():
    recording = coughs(duration_s=7.0)
    expected = spectrum.log_mel(spectrum.waveform(recording), n_mels=64)
    assert np.array_equal(inputs.spectrogram(recording), expected)


def test_a_short_recordings_spectrogram_is_its_own_repeated():
    recording = coughs(onsets_s=(0.0,), duration_s=0.3)
    own = spectrum.log_mel(spectrum.waveform(recording), n_mels=64)
    db = inputs.spectrogram(recording)
    assert np.array_equal(db[: len(own)], own)
    assert np.array_equal(db[len(own) : 2 * len(own)], own)


def test_every_classifier_reads_an_input_there_is():
    assert {classifier.input for classifier in CLASSIFIERS.values()} == set(inputs.INPUTS)
    assert np.array_equal(inputs.INPUTS["features"](coughs()), acoustic.extract(coughs()))
