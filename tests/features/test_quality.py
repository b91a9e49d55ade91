"""Every remark has a recording that causes it, and a good recording causes none."""

import numpy as np
import pytest

from coughlab.audio import synthetic
from coughlab.detector import Event
from coughlab.detector.training import bursts
from coughlab.features import quality
from tests.recordings import coughs, recorded

RATE = synthetic.RATE


def remarks(recording):
    return quality.check(recording, [Event(*span, probability=1.0) for span in bursts.find(recording)])


def codes(recording):
    return [remark.code for remark in remarks(recording)]


CASES = {
    "truncated": recorded(synthetic.recording(), truncated=True),
    "short": recorded(synthetic.cough()[: int(0.3 * RATE)]),
    "clipped": recorded(np.clip(10 * synthetic.recording(), -1, 1)),
    "quiet": coughs(peak=0.005, noise=1e-6),
    "noisy": coughs(peak=0.05, noise=0.05),
    "late": coughs(onsets_s=(6.0, 6.8), duration_s=8.0),
}


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("peak", [0.1, 0.6, 1.0])
def test_a_good_recording_has_no_remark(rate, peak):
    assert codes(coughs(rate=rate, peak=peak)) == []


@pytest.mark.parametrize("code", CASES)
def test_each_remark_is_given_alone_where_it_applies(code):
    (remark,) = remarks(CASES[code])
    assert remark.code == code
    assert remark.message[0].isupper() and remark.message.endswith(".")


def test_every_remark_has_its_own_sentence():
    messages = [remarks(recording)[0].message for recording in CASES.values()]
    assert len(set(messages)) == len(messages)


def test_several_remarks_keep_their_order():
    recording = recorded(np.clip(20 * synthetic.cough()[: int(0.3 * RATE)], -1, 1), truncated=True)
    assert codes(recording) == ["truncated", "short", "clipped"]


def test_a_missing_cough_is_not_a_remark():
    # The detector reports it, together with the sound that it found.
    assert quality.check(coughs(), []) == []


def test_one_cough_within_the_first_five_seconds_is_not_late():
    assert codes(coughs(onsets_s=(4.5, 6.0), duration_s=8.0)) == []


@pytest.mark.parametrize(
    ("samples", "share"),
    [
        ([0.0, 0.5, 0.9, 0.5], 0.0),
        ([0.0, 1.0, 0.0, -1.0], 0.0),  # single peaks are not a flat top
        ([0.0, 1.0, 1.0, 0.0], 0.0),  # two in a row are not either
        ([0.0, 1.0, 1.0, 1.0], 0.25),
        ([-1.0, -1.0, -1.0, -1.0], 0.5),
        ([0.1, 0.1, 0.1, 0.1], 0.0),  # the steps of a quiet recording
        ([1.0], 0.0),
    ],
)
def test_clipped_share_counts_flat_tops(samples, share):
    assert quality.clipped_share(np.array(samples)) == share


def test_a_smooth_sound_at_full_scale_is_not_clipped():
    t = np.arange(RATE) / RATE
    swell = np.sin(2 * np.pi * 200 * t) * np.exp(-(((t - 0.5) / 0.1) ** 2))
    assert "clipped" not in codes(recorded(swell / np.abs(swell).max()))


def test_clipping_is_detected_at_any_later_level():
    assert "clipped" in codes(recorded(0.7 * np.clip(6 * synthetic.recording(), -1, 1)))
