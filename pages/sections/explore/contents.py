"""Contents of the dataset, and the distribution of each feature in the two classes."""

import pandas as pd
import streamlit as st

from coughlab.charts import dataset as charts
from coughlab.charts.features import TITLES
from coughlab.evaluation import description
from coughlab.features.acoustic import NAMES
from pages.shared import address
from pages.shared.chart import show_chart
from pages.shared.measured import measured_on
from pages.shared.table import show_table

FACTS = {
    "source": "source",
    "sample_rate": "sample rate",
    "channels": "number of channels",
    "codec": "codec",
    "bit_depth": "bits a sample",
}


def show(study):
    table, task = study.features, study.task
    columns = st.columns(3)
    columns[0].metric("Rows", len(table))
    for column, positive in zip(columns[1:], (False, True), strict=True):
        rows = table[table["positive"] == positive]
        title = task.title(task.label(positive))
        column.metric(f"Labelled {title}, of {rows['person'].nunique()} people", len(rows))
    counted = {fact: description.counts(table, column) for column, fact in FACTS.items()}
    named = {fact: description.named_by(counts) for fact, counts in counted.items()}
    if telling := [f"the {fact}" for fact, number in named.items() if number == len(table)]:
        st.warning(
            f"**The label follows {' and '.join(telling)}.** Whoever knows only that of a recording can name its label, in"
            f" all {len(table)} rows. So a classifier can score well here without hearing a disease.",
            icon=":material/warning:",
        )
    measured_on(study, table)
    for place, fact in zip(st.columns(2), ("source", "sample rate"), strict=True):
        with place:
            st.subheader(f"Rows by {fact}")
            name = f"rows-by-{fact.replace(' ', '-')}"
            show_chart(charts.bars(counted[fact], task), name, key=name, alt=f"Rows of each class by {fact}")
    st.subheader("Durations")
    _show_distribution(table, "duration_s", "Duration in seconds", task)
    st.subheader("What the files say of themselves")
    facts = (
        pd.concat(counted, names=["fact", "value"])
        .rename(columns=dict(zip(description.CLASSES, map(task.title, task.labels), strict=True)))
        .reset_index()
    )
    show_table(facts.astype({"value": str}), "file-facts", key="facts", height="content")
    by_fact = ", ".join(f"{fact} {number}" for fact, number in named.items())
    st.markdown(
        f":small[How many of the {len(table)} labels each fact alone gives away: {by_fact}."
        f" Knowing nothing and always saying the commoner label tells {table['positive'].value_counts().max()}.]"
    )


def show_feature(study):
    titles = dict(zip(NAMES, TITLES, strict=True))
    name = address.choose(st.selectbox, "Feature", titles, key="feature", width=320)
    measured_on(study, study.features, "Each feature is a mean over the first 5 seconds.")
    _show_distribution(study.features, name, titles[name], study.task)


def _show_distribution(table, column, title, task):
    rows = description.summary(table, column).rename(index=lambda positive: task.title(task.label(positive)))
    rows = rows.rename_axis("label").reset_index()
    four_digits = dict.fromkeys(rows.columns[3:], st.column_config.NumberColumn(format="%.4g"))
    name = f"{column}-by-class"
    show_table(rows, name, key="summary", column_config=four_digits, height="content")
    figure = charts.distribution(table, column, title, task)
    show_chart(figure, name, key="distribution", alt=f"{title} of every row, by class")
    st.markdown(
        ":small[A mark is a row. The box holds the middle half of its class, and the line in it is the median.]"
    )
