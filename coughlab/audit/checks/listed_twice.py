"""Files that are listed more than once."""

from coughlab.audit.checks import Check, Findings, Inputs
from coughlab.audit.checks._copies import copied, grouped


def _find(inputs: Inputs) -> Findings:
    what = "lines of the list name a file that is listed more than once"
    return copied(inputs, grouped(inputs.table, "recording"), what)


CHECK = Check(
    "listed_twice",
    "Files listed more than once",
    "Lines of the list that name the same file.",
    order=7,
    find=_find,
    example=lambda names, size: f"{names[0]} ({size:,} times)",
)
