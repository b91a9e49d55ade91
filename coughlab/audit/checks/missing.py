"""Files that are not there."""

from coughlab.audit.checks import Check, Findings, Inputs
from coughlab.audit.checks._lost import lost


def _find(inputs: Inputs) -> Findings:
    advice = "Download the dataset again, or correct its list. If files were taken out on purpose, say which and why."
    return lost(inputs, "missing", ("is not there", "are not there"), advice)


CHECK = Check(
    "missing",
    "Files that are not there",
    "Recordings that the list names and whose files are not in the folder.",
    order=1,
    find=_find,
)
