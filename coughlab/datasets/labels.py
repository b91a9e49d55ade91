"""The labels that the loaders of COVID datasets write, and how people read them."""

NEGATIVE, POSITIVE = "not_covid", "covid"
#: Labels as people read them; those of other datasets stay as they are.
TITLES = {NEGATIVE: "not COVID", POSITIVE: "COVID"}


def title(label: object) -> str:
    """A label as people read it."""
    return TITLES.get(label, str(label))
