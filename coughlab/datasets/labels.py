"""The labels that the loaders of COVID datasets write, and their titles."""

import re
from collections.abc import Iterable

NEGATIVE, POSITIVE = "not_covid", "covid"
#: Titles of the labels; labels of other datasets are shown unchanged.
TITLES = {NEGATIVE: "not COVID", POSITIVE: "COVID"}

_POSITIVE = "covid covid19 positive pos covidpositive positivecovid covid19positive true yes 1 sarscov2"
_NEGATIVE = (
    "notcovid noncovid nocovid notcovid19 noncovid19 negative neg covidnegative covid19negative healthy healthycontrol control"
    " normal false no 0"
)


def standard(labels: Iterable[str]) -> dict[str, str]:
    """`POSITIVE` or `NEGATIVE` for each label; empty unless every label means one of the two."""
    plain = {label: re.sub(r"[^a-z0-9.]+", "", label.lower()).removesuffix(".0") for label in labels}
    positive, negative = set(_POSITIVE.split()), set(_NEGATIVE.split())
    if not set(plain.values()) <= positive | negative:
        return {}
    return {label: POSITIVE if word in positive else NEGATIVE for label, word in plain.items()}


def title(label: object) -> str:
    """The title of a label."""
    return TITLES.get(str(label), str(label))
