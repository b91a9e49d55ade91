"""Features of the recording chain."""

import io

import numpy as np
import pytest
import soundfile
import soxr

from coughlab import audio
from coughlab.audio import synthetic
from coughlab.features import recording_chain
from tests import sounds
from tests.recordings import recorded

RATE = synthetic.RATE


def measured(recording):
    return dict(zip(recording_chain.NAMES, recording_chain.measure(recording), strict=True))


def click(rate=RATE, seconds=1.0):
    y = np.zeros(round(seconds * rate))
    y[y.size // 2] = 0.5
    return recorded(y, rate)


EXTREMES = {
    "silence with a click": click(),
    "the shortest": recorded(0.1 * np.ones(4800) * np.resize([1, -1], 4800)),
    "the lowest rate": click(1000, 0.1),
    "the highest rate": click(768_000, 0.1),
    "the loudest": recorded(2.0**32 * synthetic.recording()),
    "a constant with a step": recorded(np.r_[np.ones(RATE), np.zeros(RATE)]),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_every_number_is_finite(name):
    values = recording_chain.measure(EXTREMES[name])
    assert values.shape == (len(recording_chain.NAMES),) and np.isfinite(values).all()


def test_digital_silence_is_at_the_floor():
    facts = measured(click())
    assert facts["quiet_db"] == pytest.approx(recording_chain.FLOOR_DB)
    assert facts["quiet_band1"] == pytest.approx(0) and facts["quiet_band16"] == pytest.approx(0)


def test_the_file_is_described():
    facts = measured(audio.load(sounds.FORMATS["wav 24-bit"]()))
    assert [facts[name] for name in recording_chain.FILE] == pytest.approx(
        [np.log2(RATE), 1, np.log2(sounds.DURATION), 24, 0]
    )
    assert measured(audio.load(sounds.FORMATS["mp3"]()))["file_compressed"] == 1


def test_levels_of_a_sine_are_known():
    t = np.arange(RATE) / RATE
    facts = measured(recorded(0.5 * np.sin(2 * np.pi * 1000 * t) + 0.01))
    assert facts["level_rms_db"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.02)
    assert facts["level_peak_db"] == pytest.approx(20 * np.log10(0.51), abs=0.01)
    assert facts["level_crest_db"] == pytest.approx(facts["level_peak_db"] - facts["level_rms_db"])
    assert facts["level_offset_db"] == pytest.approx(-40, abs=0.01)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_bandwidth_survives_resampling_to_a_higher_rate(rate, subtype):
    y = synthetic.recording(duration_s=1.5, onsets_s=(0.2, 0.8))
    buffer = io.BytesIO()
    soundfile.write(
        buffer, soxr.resample(soxr.resample(y, RATE, rate), rate, RATE), RATE, subtype, format="WAV"
    )
    facts = measured(audio.load(buffer.getvalue()))
    assert facts["level_bandwidth_hz"] == pytest.approx(rate / 2, rel=0.04)
    assert facts["level_bandwidth_share"] == pytest.approx(rate / RATE, rel=0.04)


def test_the_background_is_separated_from_the_coughs():
    quiet, loud = (
        measured(recorded(synthetic.recording(noise=0.003, peak=peak, seed=3))) for peak in (0.3, 0.9)
    )
    for name in recording_chain.QUIET:
        assert quiet[name] == pytest.approx(loud[name], abs=0.5)
    noisier = measured(recorded(synthetic.recording(noise=0.03, peak=0.9, seed=3)))
    assert noisier["quiet_db"] - loud["quiet_db"] == pytest.approx(20, abs=1)


def test_a_long_recording_is_measured_like_its_parts():
    """Longer than one block of frames; blocks limit the memory."""
    y = 0.1 * np.random.default_rng(0).standard_normal(60 * 8000)
    long, short = measured(recorded(y, 8000)), measured(recorded(y[:80_000], 8000))
    assert long["level_bandwidth_hz"] == short["level_bandwidth_hz"] == 4000
    assert long["quiet_db"] == pytest.approx(short["quiet_db"], abs=0.5)
