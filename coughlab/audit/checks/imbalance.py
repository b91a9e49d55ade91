"""Classes of unequal size."""

from coughlab.audit.checks import Check, Findings, Inputs, finding
from coughlab.audit.words import verb
from coughlab.datasets.labels import title
from coughlab.text import listed, percent

#: Size of the rarest class divided by the size of the commonest. Below 1 in 4, always giving one answer is right in 80% of the
#: cases: a warning. Below 1 in 20 it is right in 95%: severe. A single class is severe too.
WARNING_RATIO, SEVERE_RATIO = 1 / 4, 1 / 20


def _find(inputs: Inputs) -> Findings:
    counts = inputs.usable["label"].value_counts()
    counts = counts.reindex(inputs.table["label"].unique(), fill_value=0).sort_values()
    total, lost = int(counts.sum()), listed(title(label) for label, n in counts.items() if not n)
    counts = counts[counts > 0]
    mend = f"Mend or replace the recordings labelled {lost}, as the other findings say"
    if len(counts) < 2:
        message = _of_one_class(total, title(counts.index[-1]) if total else "")
        advice = "Add recordings of another class, made in the same way, or use this dataset to test only."
        yield finding("severe", total, message, f"{mend}." if lost else advice)
        return
    if lost:
        message = f"Of {total:,} usable recordings, none is labelled {lost}. Nothing can be learnt or tested about that."
        yield finding("severe", 0, message, f"{mend}, or do without this label and say so.")
    if (rare := counts.iloc[0]) < WARNING_RATIO * (common := counts.iloc[-1]):
        share = f"{int(rare):,} ({percent(rare / total)}) {verb(rare, 'is', 'are')}"
        message = (
            f"Of {total:,} usable recordings, {share} labelled {title(counts.index[0])}. Always answering"
            f" {title(counts.index[-1])} is right in {percent(common / total)} of the cases without listening."
        )
        advice = "Do not go by accuracy: look at sensitivity and specificity, or at the AUC, beside always giving one answer."
        yield finding("severe" if rare < SEVERE_RATIO * common else "warning", rare, message, advice)


def _of_one_class(total: int, label: str) -> str:
    if not total:
        return "No recording is left that could be used."
    which = (
        f"All {total:,} usable recordings have the same label,"
        if total > 1
        else "Only one recording is usable, labelled"
    )
    return f"{which} {label}. Nothing can be learnt or tested about telling classes apart; at most one can count false alarms."


CHECK = Check(
    "imbalance",
    "Classes of unequal size",
    "A class so rare that always giving one answer would score well, or only one class.",
    order=9,
    find=_find,
)
