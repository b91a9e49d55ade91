"""Numbers in words, the same wherever they are shown to people."""

#: Labels as people read them.
LABELS = {"not_covid": "not COVID", "covid": "COVID"}


def percent(share):
    """A probability in percent; what would round to 0 or 100 says so."""
    if share < 0.001:
        return "under 0.1%"
    return "over 99.9%" if share > 0.999 else f"{share:.1%}"


def ratio(value):
    """A likelihood ratio in three digits: "0.0690", "1.00", "12.3"."""
    return f"{value:#.3g}".rstrip(".") if value < 999.5 else f"{value:,.0f}"


def counted(number, what):
    """A number of things: "1 cough", "2 coughs"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def agreement(votes, label):
    """Whether what is said of each cough alone is what is said of the recording.

    Parameters
    ----------
    votes : dict of str to int
        How many of the coughs were given each label, one at least.
    label : {"covid", "not_covid"}
        What was said of the whole recording.

    Returns
    -------
    str
        As in "All 3 coughs and the recording: not COVID" or "2 of 3 coughs say COVID, the recording says not COVID".
    """
    n, recording = sum(votes.values()), LABELS[label]
    everyone = {1: "The cough", 2: "Both coughs"}.get(n, f"All {n} coughs")
    if votes[label] == n:
        return f"{everyone} and the recording: {recording}"
    if 0 < votes["covid"] < n:
        verb = "says" if votes["covid"] == 1 else "say"
        return f"{votes['covid']} of {n} coughs {verb} {LABELS['covid']}, the recording says {recording}"
    (other,) = (name for name in LABELS if name != label)
    return f"{everyone} {'says' if n == 1 else 'say'} {LABELS[other]}, the recording says {recording}"


def score(row, name):
    """A score with its interval and what it was measured on.

    Parameters
    ----------
    row : mapping
        A row of `coughlab.evidence.metrics.scores`.
    name : str
        Which score.

    Returns
    -------
    str
        As in "90% (95% interval 65% to 98%), tested on 18 recordings of 14 people".
    """
    return (
        f"{row[name]:.0%} (95% interval {row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%}),"
        f" tested on {row[f'{name}_recordings']} recordings of {row[f'{name}_people']} people"
    )
