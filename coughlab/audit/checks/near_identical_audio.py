"""Sounds that are nearly the same."""

from coughlab.audit.checks import Check, Findings, Inputs
from coughlab.audit.checks._copies import copied, different, grouped


def _find(inputs: Inputs) -> Findings:
    what = "recordings sound the same as another and differ only in encoding, loudness or where they were cut"
    return copied(inputs, grouped(different(inputs).drop_duplicates("audio_hash"), "audio"), what)


CHECK = Check(
    "near_identical_audio",
    "Sounds that are nearly the same",
    "Recordings that were made from another by encoding, resampling, trimming or changing the loudness.",
    order=6,
    find=_find,
)
