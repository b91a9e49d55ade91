"""Rows and files that the loader left out."""

from coughlab.audit.checks import Check, Findings, Inputs, finding
from coughlab.audit.words import verb
from coughlab.datasets import listing
from coughlab.text import percent

#: If at least this share of a list was left out, it is a warning. What systems and programs left behind is no loss.
WARNING_SKIPPED = 0.1


def _find(inputs: Inputs) -> Findings:
    skipped, n = inputs.skipped, len(inputs.skipped)
    if skipped.empty:
        return
    reasons, total = skipped["reason"].value_counts(), n + len(inputs.table)
    listed = "; ".join(f"{reason.rstrip('.')} ({count:,})" for reason, count in reasons.head(3).items())
    message = (
        f"{n:,} of {total:,} lines and files ({percent(n / total)}) {verb(n, 'is', 'are')} left out"
        f" and not part of this audit: {listed}{'; and others' if len(reasons) > 3 else ''}."
    )
    advice = "See whether the reasons are as they should be. The report as JSON lists all that was left out."
    junk = int((skipped["reason"] == listing.JUNK).sum())
    severity = "warning" if (n - junk) / (total - junk) >= WARNING_SKIPPED else "note"
    yield finding(severity, n, message, advice, examples=[[name] for name in skipped["recording"]])


CHECK = Check(
    "skipped",
    "Left out",
    "Lines and files that the loader could not use and left out.",
    severities=("warning", "note"),
    order=11,
    find=_find,
)
