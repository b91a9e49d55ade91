"""The parts of the page "Search"."""

import streamlit as st

from coughlab.charts import search as chart
from coughlab.classifiers.search import FAMILIES, STARTUP
from pages.shared import address
from pages.shared.chart import show_chart
from pages.shared.table import show_table

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
