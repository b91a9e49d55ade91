"""Search: what Hyperopt tried, what mattered, and the best pipelines in words."""

import streamlit as st

from coughlab.charts import search as chart
from coughlab.classifiers.search import FAMILIES, FOLDS, STARTUP
from coughlab.studies.store import StoreError
from pages.shared import address
from pages.shared.chart import show_chart
from pages.shared.study import stored_study
from pages.shared.table import show_table

PAGE = {"title": "Search", "icon": ":material/manage_search:", "group": "Compare", "order": 34}

TOP = 10


def show_best(trials, people):
    ranked = chart.ranking(trials)
    best, published = ranked.iloc[0], ranked[ranked["published"]].iloc[0]
    st.markdown(
        f"**Best of {len(ranked)} different pipelines:** {best['pipeline']}. Brier score {best['loss']:.3f} (95% interval"
        f" {best['loss_low']:.3f} to {best['loss_high']:.3f}).\n\n**The published winner**, {published['pipeline']}, is number"
        f" {published['rank']} of {len(ranked)}: {published['loss']:.3f} ({published['loss_low']:.3f} to"
        f" {published['loss_high']:.3f}).\n\nThe intervals of {(ranked['loss_low'] <= best['loss']).sum()} of the {len(ranked)}"
        " reach down to the best score: so few recordings cannot tell which of them is best."
    )
    st.subheader("The best pipelines")
    shown = chart.table(ranked[(ranked.index < TOP) | ranked["published"]], people)
    show_table(shown, "search-best", key="best", height="content")
    st.markdown(
        ":small[The Brier score is the mean squared difference between probability and label: 0 is perfect, lower is better. In"
        " brackets are 95% intervals. C, gamma and variance smoothing set how closely a model follows single recordings.]"
    )


def show_history(trials):
    st.subheader("How the search went")
    tried = [family for family in FAMILIES if (trials["model"] == family).any()]
    families = {family: FAMILIES[family] for family in tried}
    options = {"key": "families", "default": tried, "selection_mode": "multi"}
    chosen = address.choose_several(st.pills, "Model families", families, **options)
    failed = (trials["status"] != "ok").sum()
    st.markdown(
        f"The first {STARTUP} trials are drawn at random; from then on Hyperopt suggests what resembles the better ones."
        + (f" {failed} of {len(trials)} trials failed and have no score." if failed else "")
    )
    alt = "The Brier score of each trial, and the best so far"
    show_chart(chart.history(trials, chosen), "search-history", key="history", alt=alt)


def show_what_mattered(trials):
    st.subheader("What mattered")
    st.markdown(
        "How much of the variation in the Brier score goes with the choice of model family and of preprocessing (eta squared);"
        " what both together leave is the further settings' share. The marks show what is found when the same scores are assigned"
        " to the trials at random. The shares describe these trials, which Hyperopt did not choose evenly, and have no interval."
    )
    show_chart(chart.shares(trials), "search-shares", key="shares", alt="What explains the Brier score")
    st.markdown(
        "The best Brier score of each family with each preprocessing, and in brackets how many trials it is the best of: the"
        " best of many is flattered more than the best of few."
    )
    show_chart(
        chart.grid(trials), "search-grid", key="grid", alt="Best Brier score by family and preprocessing"
    )


st.title(PAGE["title"])
study = stored_study()
try:
    trials, people = study.trials, chart.people(study.predictions)
except StoreError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
if trials.empty:
    st.info(
        f"No search is stored yet. To make one: `coughlab search {study.name} --data DIR --trials 60`, where DIR is the folder of"
        " the dataset.",
        icon=":material/terminal:",
    )
    st.stop()
first = trials.iloc[0]
st.markdown(
    "The library Hyperopt looked for the best pipeline on the 26 features: which model family, with which settings, after which"
    f" preprocessing. It made {len(trials)} trials; the first is the winner the case study published.\n\n**These are not test"
    f" scores.** All are from {FOLDS}-fold cross-validation inside the {first['recordings']} training rows of the first published"
    f" split of {study.name} ({people['accuracy']} people; {first['positives']} rows with COVID). One person, or copies of one"
    " recording, can be in several folds."
)
show_best(trials, people)
show_history(trials)
show_what_mattered(trials)
