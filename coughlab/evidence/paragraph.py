"""The Reality check as a text that can be quoted; it claims no more than the intervals allow.

The text is about the ROC AUC, which depends neither on a threshold nor on the prevalence among those tested.
"""

import math

import pandas as pd

from coughlab.evaluation.protocols import EXTERNAL, PROTOCOLS
from coughlab.evidence.wording import FALSE_ALARMS, RANDOM, SHORTCUT, compared, write, write_interval
from coughlab.task import Task

#: Explanation of each baseline.
_OPENINGS = {
    SHORTCUT: "{title} is a baseline: it knows only how a recording was made, such as its file format, loudness and background"
    " noise. ",
    RANDOM: "{title} is a baseline: it draws its answers by lot. ",
}


def paragraph(
    table: pd.DataFrame, *, study: str, model: str, title: str, task: Task, claimed: float | None = None
) -> str:
    """What a model's steps show and do not show; each sentence is true by itself.

    Parameters
    ----------
    table : pandas.DataFrame
        What `coughlab.evidence.steps.steps` returns for the metric ``roc_auc``; ValueError for another one.
    claimed : float, optional
        Published accuracy of a model of this kind.
    """
    if not table["metric"].isin(["roc_auc", FALSE_ALARMS]).all():
        raise ValueError("The paragraph is about the ROC AUC.")
    rows = [row for row in table.to_dict("records") if not math.isnan(row["value"])]
    alarms = [row for row in rows if row["metric"] == FALSE_ALARMS]
    ranked = [row for row in rows if row["metric"] != FALSE_ALARMS]
    within = [row for row in ranked if row["protocol"] != EXTERNAL]
    outside = [row for row in ranked if row["protocol"] == EXTERNAL]
    if not rows:
        return f'The model "{title}" was not tested on {study}.'
    said = [_OPENINGS.get(model, "").format(title=title).strip()]
    if claimed is not None:
        said.append(
            f"The published case study reports an accuracy of {write(claimed, 'accuracy')} for a model of this kind."
        )
    if within and within[0]["protocol"] == "published":
        said.append(_as_published(within.pop(0), study, title))
    else:
        said.append(f'The model "{title}" was trained on {study}.')
    if within:
        said += _strictest_within(within[-1], {row["protocol"] for row in within})
    elif ranked and ranked[0]["protocol"] == "published":
        said.append(_against_shortcut(ranked[0]))
    for row in outside:
        said += _outside(row)
    said += [_false_alarms(row) for row in alarms]
    said.append(_conclusion(within, outside))
    return task.say(" ".join(sentence for sentence in said if sentence))


def _as_published(row, study, title):
    return (
        f'In {study}, {PROTOCOLS["published"].opening}, the model "{title}" gives the recording with {{condition}} the'
        f" higher probability in {_pairs(row)} pairs of one recording with {{condition}} and one without, ties counting half;"
        f" guessing gives 50 (ROC AUC {_score(row)})."
    )


def _strictest_within(row, made):
    better, worse = "better than guessing in this dataset", "worse than guessing in this dataset"
    verdict = _against_guessing(row, better, worse)
    yield f"{PROTOCOLS[row['protocol']].opening}, it is {_pairs(row)} (ROC AUC {_score(row)}): {verdict}."
    yield _against_shortcut(row)
    if "person-disjoint" not in made:
        yield "The same people may have been trained and tested on."
    if "source-balanced" not in made:
        yield (
            "It was not tested with as many recordings of either label from each source, so where a recording comes from may"
            " explain the score."
        )


def _outside(row):
    verdict = _against_guessing(
        row,
        "better than guessing on these recordings",
        "worse than guessing, it ranks them the wrong way round more often than not",
    )
    yield (
        f"On {row['tested_on']}, a dataset it was not trained on, it is {_pairs(row)} (ROC AUC {_score(row)}): {verdict}."
    )
    if _verdict(row) == "better":
        yield _against_shortcut(row)


def _against_shortcut(row):
    """Comparison of a score with the shortcut-only baseline; "" if that was not measured."""
    if math.isnan(row["shortcut"]):
        return ""
    edges = {"low": row["shortcut_low"], "high": row["shortcut_high"], "metric": row["metric"]}
    baseline = (
        "A baseline that knows only how a recording was made, such as its file format, loudness and background noise, reaches"
        f" {write(row['shortcut'])} ({write_interval(edges)}) in the same test"
    )
    if compared(row["low"], row["high"], row["shortcut_high"]) == "better":
        return f"{baseline}: less than the model, whose score such facts alone do not reach."
    return f"{baseline}. The model is not clearly above that, so its score does not show that it hears an illness."


def _false_alarms(row):
    return (
        f"Of {_size(row)} in {row['tested_on']}, all of them without {{condition}}, it predicts {{condition}} for"
        f" {write(row['value'], row['metric'])} of the recordings (95% interval {write_interval(row)}): false alarms."
    )


def _conclusion(within, outside):
    if not outside:
        untried = "It was tested on no other dataset" if within else "It was tested in no stricter way"
        return f"{untried}: this does not show that the model would recognise {{condition}} in recordings from elsewhere."
    if all(_verdict(row) == "better" for row in outside):
        where = " and ".join(row["tested_on"] for row in outside)
        return (
            f"This shows more than guessing on {where}. It does not show the same for recordings from elsewhere, nor that the"
            " model is good enough to test anybody."
        )
    return "This does not show that the model recognises {condition} in recordings from elsewhere."


def _against_guessing(row, better, worse):
    return {
        "better": better,
        "worse": worse,
        "compatible": "compatible with guessing",
        "unknown": "without an interval nobody can tell whether that is better than guessing",
    }[_verdict(row)]


def _verdict(row):
    return compared(row["low"], row["high"], 0.5)


def _pairs(row):
    """An ROC AUC as a share of pairs (D. Bamber, J. Math. Psychol. 12, 1975)."""
    share = row["value"]
    if 0.995 <= share < 1:
        return "more than 99 of 100"
    return "fewer than 1 of 100" if 0 < share < 0.005 else f"{round(share, 2) * 100:.0f} of 100"


def _score(row):
    edges = "no interval" if math.isnan(row["low"]) else f"95% interval {write_interval(row)}"
    return f"{write(row['value'])}, {edges}; {_size(row)}"


def _size(row):
    return f"{row['recordings']:,} recordings of {row['people']:,} people"
