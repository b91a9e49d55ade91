"""Few people: a class too rare to prove anything."""

from coughlab.audit.checks import Check, Findings, Inputs, finding
from coughlab.audit.words import people
from coughlab.datasets.labels import title
from coughlab.evaluation import intervals
from coughlab.evaluation.splits import TEST_SHARE
from coughlab.text import percent

#: What a perfect score on the rarest class would prove. If it could still be chance: severe. If the sensitivity could still be
#: below the 80% that WHO requires of a rapid test ("Antigen-detection in the diagnosis of SARS-CoV-2", 2021): a warning.
SEVERE_PROOF, WARNING_PROOF = 0.5, 0.8


def _find(inputs: Inputs) -> Findings:
    people_of = inputs.usable.groupby("label")["person"].nunique().sort_values(kind="stable")
    if len(people_of) < 2:
        return
    name, n = people_of.index[0], int(people_of.iloc[0])
    tested = max(1, round(TEST_SHARE * n))
    low = float(intervals.wilson(1.0, tested)[0])
    if low >= WARNING_PROOF:
        return
    tested_on = (
        f"; with 30% of them to test on, of {people(tested)}"
        if n > 1
        else ", who can be in training or in test only"
    )
    message = (
        f"The class {title(name)} has usable recordings of {people(n)}{tested_on}. Even a model that is right about"
        f" {'each of them' if tested > 1 else 'this person'} could in truth recognise as little as {percent(low)} of this class"
        f" (95% Wilson interval {low:.0%} to 100%)."
    )
    advice = "Collect more people of this class. Until then show the interval with every score, and do not compare models by it."
    severity = "severe" if low < SEVERE_PROOF else "warning"
    rows = (inputs.usable["label"] == name).sum()
    yield finding(severity, rows, message, advice, interval=[round(low, 4), 1.0])


CHECK = Check(
    "small_sample",
    "Few people",
    "A class of so few people that even a perfect score would prove little.",
    order=10,
    find=_find,
    fields={"interval": {"$ref": "#/$defs/interval"}},
)
