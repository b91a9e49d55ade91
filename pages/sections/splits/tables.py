"""Tables of splits, the same for stored and for retrained ones."""

import streamlit as st

from coughlab.evaluation import comparison
from coughlab.evaluation.metrics import METRICS
from pages.shared.table import show_table

LUCK = (
    "The interval allows for the overlap of the splits' training rows (Nadeau and Bengio, 2003). It covers the luck of the split"
    " among these recordings, not recordings from elsewhere."
)


def number(label, **options):
    return st.column_config.NumberColumn(label, format="%.3f", **options)


def each(task):
    """The columns of the table of splits."""
    name = task.condition
    return {
        "split": "Split",
        "positives_train": f"{name} in train",
        "positives_test": f"{name} in test",
        "negatives_train": f"Not {name} in train",
        "negatives_test": f"Not {name} in test",
        "log_loss_train": number("Log loss train"),
        "log_loss_test": number("Log loss test"),
        "accuracy_train": number("Accuracy train"),
        "accuracy_test": number("Accuracy test"),
        "tp": st.column_config.Column("TP", help=f"True positives: test rows with {name}, predicted {name}"),
        "fn": st.column_config.Column(
            "FN", help=f"False negatives: test rows with {name}, predicted not {name}"
        ),
        "fp": st.column_config.Column(
            "FP", help=f"False positives: test rows without {name}, predicted {name}"
        ),
        "tn": st.column_config.Column(
            "TN", help=f"True negatives: test rows without {name}, predicted not {name}"
        ),
    }


SUMMARY = {
    "metric": "Metric",
    "splits": st.column_config.Column("Splits", help="On which the metric is defined"),
    "mean": number("Mean"),
    "low": number("95% interval from", help=LUCK),
    "high": number("to"),
    "sd": number("SD", help="Standard deviation over splits"),
    "min": number("Lowest"),
    "median": number("Middle"),
    "max": number("Highest"),
    "stored": number("Mean of the stored splits"),
}


def show_each(rows, task, name, *, key):
    """One line per split; `rows` are those of `comparison.wide`."""
    show_table(rows, name, key=key, column_config=each(task))


def show_summary(table, model, name, *, key, stored=None):
    """One line per metric, with its mean over the stored splits if their table is given."""
    rows = comparison.summary(table, model)
    if stored is not None:
        rows["stored"] = comparison.summary(stored, model)["mean"]
    rows.insert(0, "metric", [METRICS[metric].title for metric in rows.index])
    show_table(rows, name, key=key, column_config=SUMMARY)
    st.markdown(f":small[Test rows. Of log loss and Brier score, less is better. {LUCK}]")
