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


EACH = {
    "split": "Split",
    "positives_train": "COVID in train",
    "positives_test": "COVID in test",
    "negatives_train": "Not COVID in train",
    "negatives_test": "Not COVID in test",
    "log_loss_train": number("Log loss train"),
    "log_loss_test": number("Log loss test"),
    "accuracy_train": number("Accuracy train"),
    "accuracy_test": number("Accuracy test"),
    "tp": st.column_config.Column("TP", help="True positives: test rows with COVID, called COVID"),
    "fn": st.column_config.Column("FN", help="False negatives: test rows with COVID, called not COVID"),
    "fp": st.column_config.Column("FP", help="False positives: test rows without COVID, called COVID"),
    "tn": st.column_config.Column("TN", help="True negatives: test rows without COVID, called not COVID"),
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


def show_each(rows, name, *, key):
    """One line a split; `rows` are those of `comparison.wide`."""
    show_table(rows, name, key=key, column_config=EACH)


def show_summary(table, model, name, *, key, stored=None):
    """One line a metric, beside its mean over the stored splits if their table is given."""
    rows = comparison.summary(table, model)
    if stored is not None:
        rows["stored"] = comparison.summary(stored, model)["mean"]
    rows.insert(0, "metric", [METRICS[metric].title for metric in rows.index])
    show_table(rows, name, key=key, column_config=SUMMARY)
    st.markdown(f":small[Test rows. Of log loss and Brier score, less is better. {LUCK}]")
