"""Files that cannot be read."""

from coughlab.audit.checks import Check, Findings, Inputs
from coughlab.audit.checks._lost import lost


def _find(inputs: Inputs) -> Findings:
    advice = (
        "Get these files again from where they came. If they cannot be had, leave them out and say how many of each class are"
        " left."
    )
    return lost(inputs, "undecodable", ("cannot be used", "cannot be used"), advice, why=True)


CHECK = Check(
    "undecodable",
    "Files that cannot be read",
    "Files that are damaged, silent, too short, or no sound files at all.",
    order=2,
    find=_find,
)
