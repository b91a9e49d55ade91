"""The stored splits: the first of them one by one, all of one model, and two models against each other."""

import streamlit as st

from coughlab.evaluation import comparison
from coughlab.evaluation.metrics import METRICS
from coughlab.text import counted
from pages.sections.splits import tables
from pages.shared import address
from pages.shared.chart import show_chart

FEW = 5
STEPS, ALL = (5, 10, 20, 50, 100), "all"


def ask_splits(splits):
    """Ask how many splits to show, and return the first of them."""
    # The default has the same name for all models, independent of their number of splits: a link leaves the default out.
    options = [*(str(n) for n in STEPS if n < len(splits)), ALL]
    if len(options) == 1:
        st.markdown(f":small[Number of splits]\n\n{len(splits)}, all that are stored")
        return splits
    options = {"options": options, "key": "splits", "default": ALL, "help": f"{len(splits)} are stored."}
    n = address.choose(st.select_slider, "Number of splits", **options)
    return splits if n == ALL else splits[: int(n)]


def show_few(table, model, task):
    rows = comparison.wide(table, model).head(FEW)
    st.markdown(f"{counted(len(rows), 'random split')} of the same rows into training and test.")
    cards = st.container(horizontal=True)
    for row in rows.to_dict("records"):
        with cards.container(border=True, width=264):
            st.markdown(f"**Split {row['split']}**\n\n{matrix(row, task)}")
            sides = [side(row, role, task) for role in ("test", "train") if row[f"accuracy_{role}"] >= 0]
            lines = "\\\n".join(sides)
            st.markdown(f":small[{lines}]")
    tables.show_each(rows, task, f"{model}-first-splits", key=f"few {model}")


def side(row, role, task):
    return (
        f"**{role.capitalize()}** {row[f'positives_{role}']:.0f} {task.condition}, {row[f'negatives_{role}']:.0f} not. Accuracy"
        f" {row[f'accuracy_{role}']:.1%}, log loss {row[f'log_loss_{role}']:.3f}."
    )


def matrix(row, task):
    return (
        f"| | :small[predicted {task.condition}] | :small[predicted not] |\n|---|---|---|\n"
        f"| :small[{task.condition}] | **{row['tp']}** | {row['fn']} |\n| :small[not] | {row['fp']} | **{row['tn']}** |"
    )


def show_many(table, model, title, metric):
    from coughlab.charts import splits as chart

    try:
        lucky = comparison.lucky(table, model, metric)
    except ValueError as error:
        st.warning(str(error))
        return
    st.markdown(
        f"**What one split would have made you believe.** {comparison.luck_in_words(lucky, title, metric)}"
    )
    tables.show_summary(table, model, f"{model}-splits", key=f"many {model}")
    figure = chart.distribution(comparison.by_split(table, model), lucky, metric)
    show_chart(figure, f"{model}-splits", key="many", alt=f"Every metric of {title} on every split")


def show_pair(table, model, other, titles, metric):
    from coughlab.charts import splits as chart

    try:
        result = comparison.paired(table, model, other, metric)
    except ValueError as error:
        st.warning(str(error))
        return
    st.markdown(comparison.difference_in_words(result, titles[model], titles[other], metric))
    figure = chart.difference(result, titles[model], titles[other], metric)
    alt = f"Difference in {METRICS[metric].title} of {titles[model]} and {titles[other]} by split"
    show_chart(figure, f"{model}-less-{other}-{metric}", key="pair", alt=alt)
    st.markdown(
        f":small[{tables.LUCK} The naive interval takes splits for independent, and so claims too much.]"
    )
