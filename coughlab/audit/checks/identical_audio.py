"""The same sound, sample by sample, under different names."""

from coughlab.audit.checks import Check, Findings, Inputs
from coughlab.audit.checks._copies import copied, different, grouped


def _find(inputs: Inputs) -> Findings:
    what = "recordings hold the same sound, sample by sample, under different names"
    return copied(inputs, grouped(different(inputs), "audio_hash"), what)


CHECK = Check(
    "identical_audio",
    "The same sound under different names",
    "Files that decode to the same samples at the same rate, also in another container.",
    order=5,
    find=_find,
)
