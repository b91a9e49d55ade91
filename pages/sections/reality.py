"""The parts of the page "Reality check"."""

import pandas as pd
import streamlit as st

from coughlab.evaluation.metrics import METRICS
from coughlab.evaluation.protocols import PROTOCOLS
from pages.shared.chart import show_chart
from pages.shared.measured import measured_on
from pages.shared.protocol import ask_protocol, pairs_in, rows_of
from pages.shared.table import show_table

BASELINES = """**Recording chain only** is a model trained on what has nothing to do with a disease: file format, loudness and
background noise. Where it does as well as the model, the score does not show that a cough was heard."""


CALIBRATION = """When a model says 30%, three of ten such recordings should have {condition}: points on the dotted line keep that
promise. The Brier score is the mean squared error of the probabilities, 0 at best; its skill says how much better it is than
always giving the share of {condition} among those tested (0 is no better, below 0 is worse). A slope below 1 means that
probabilities are too close to 0% and 100%, an intercept below 0 that they are too high. Recalibration moves and stretches all
probabilities, fitted on other people of the dataset tested on. It makes them honest, but the model tells people apart no better
than before."""
MEASURES = {
    "brier": "Brier score",
    "skill": "Brier skill",
    "slope": "Calibration slope",
    "intercept": "Calibration intercept",
}


def number(label, **options):
    return st.column_config.NumberColumn(label, format="%.3f", **options)


COLUMNS = {
    "model": st.column_config.TextColumn("Model", pinned=True),
    "title": "Step",
    "trained_on": "Trained on",
    "tested_on": "Tested on",
    "metric": "Metric",
    "value": number("Value"),
    "low": number("95% interval from"),
    "high": number("to"),
    "splits": "Splits",
    "recordings": "Recordings",
    "people": "People",
    "positives": "Positive",
    "negatives": "Negative",
    "majority": number("Always the commoner label"),
    "chance": number("Guessing"),
    "shortcut": number("Recording chain only"),
    "shortcut_low": number("its interval from"),
    "shortcut_high": number("to "),
    "reason": "Why there is no value",
}
CALIBRATED = {
    "measure": "Measure",
    "of": "Probabilities",
    "value": number("Value"),
    "low": number("95% interval from"),
    "high": number("to"),
}


def show_explanation(metric, table, study):
    task = study.task
    st.markdown(f"**{METRICS[metric].title}.** {task.say(METRICS[metric].explained)}")
    made = set(table.loc[table["reason"] == "", "protocol"])
    st.markdown(
        "\n".join(
            f"- **{p.title}.** {task.say(p.explained)}" for name, p in PROTOCOLS.items() if name in made
        )
    )
    if table["shortcut"].notna().any():
        st.markdown(BASELINES)
    if literature := study.definition.literature.strip():
        st.markdown(f":small[**What others found.** {literature}]")


def show_staircase(table, study, model, title):
    from coughlab.charts import staircase

    alt = f"What is left of {title}, trained on {study.name}: " + "; ".join(
        f"{row['title']} {'no value' if row['reason'] else format(row['value'], '.2f')}"
        for row in table.to_dict("records")
    )
    figure = staircase.staircase(table, study=study.name, title=title, task=study.task)
    show_chart(figure, f"{study.name}-{model}-reality", key="staircase", alt=alt)
    with st.expander("The steps in numbers"):
        _show_table(table.drop(columns=["step", "protocol"]), f"{study.name}-{model}-steps", key="steps")


def measured(study_name, table):
    """A sentence on the data of the steps."""
    made = table[table["reason"] == ""]
    names = [
        f"{name} (another dataset)" if name != study_name else name for name in made["tested_on"].unique()
    ]
    return f"Trained on {study_name}; tested on {', '.join(names)}." if names else ""


def show_overview(table, study_name, titles, metric):
    from coughlab.charts import reality

    alt = f"{METRICS[metric].title} of every model trained on {study_name} at every step, with intervals"
    show_chart(
        reality.overview(table, titles, metric), f"{study_name}-models-{metric}", key="overview", alt=alt
    )
    shown = table.drop(columns=["step", "protocol"]).assign(model=table["model"].map(titles))
    _show_table(shown, f"{study_name}-models-{metric}", key="overview table")


def show_matrix(table, model, title, metric):
    from coughlab.charts import reality

    alt = f"{METRICS[metric].title} of {title} for each dataset trained on and each tested on"
    show_chart(reality.matrix(table, metric), f"{model}-trained-tested", key="matrix", alt=alt)
    with st.expander("The same in a table"):
        _show_table(table.drop(columns="protocol"), f"{model}-trained-tested", key="matrix table")


@st.fragment
def show_calibration(study, model, title):
    from coughlab.charts import calibration as charts
    from coughlab.evaluation import calibration

    # If all people are healthy, only the probability 0 would be right.
    tests = study.evidence.query("model == @model and positives > 0 and negatives > 0")
    if tests.empty:
        st.markdown(f"{title} was not tested where some have {study.task.condition} and some have not.")
        return
    chosen = ask_protocol(pairs_in(tests), st.columns(3)[0])
    rows = rows_of(study.predictions, chosen)
    rows = rows[(rows["model"] == model) & (rows["role"] == "test")]
    after, why = calibration.recalibrated(rows)
    summaries = {"as answered": calibration.summary(rows)}
    if after is not None:
        summaries["recalibrated"] = calibration.summary(after)
    remarks = [summaries["as answered"]["reason"], why]
    st.markdown(" ".join([study.task.say(CALIBRATION), *filter(None, remarks)]))
    table = pd.DataFrame(
        [
            {
                "measure": words,
                "of": name,
                "value": of[measure],
                "low": of[f"{measure}_low"],
                "high": of[f"{measure}_high"],
            }
            for measure, words in MEASURES.items()
            for name, of in summaries.items()
        ]
    )
    name = f"{study.name}-{model}-calibration"
    show_table(table, name, key="calibration table", column_config=CALIBRATED, placeholder="–")
    show_chart(
        charts.reliability(rows, after, task=study.task),
        name,
        key="calibration",
        alt=f"How often {study.task.condition} was there, by the probability that {title} gave, before and after recalibration",
    )
    measured_on(study, rows, "Intervals are at 95% and count people.")


def _show_table(table, name, *, key):
    titles = {name: metric.title for name, metric in METRICS.items()} | {"false_alarms": "False alarms"}
    table = table.assign(metric=table["metric"].map(titles))
    config = {column: COLUMNS[column] for column in table}
    show_table(table, name, key=key, column_config=config, placeholder="–")
