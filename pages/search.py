"""Search: Hyperopt's trials, the importance of settings, and the best pipelines in words."""

import streamlit as st

from coughlab.charts import search as chart
from coughlab.classifiers.search import FOLDS
from coughlab.studies.store import StoreError
from pages.sections import search
from pages.shared.study import stored_study

PAGE = {"title": "Search", "icon": ":material/manage_search:", "group": "Compare", "order": 34}

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
    f" split of {study.name} ({people['accuracy']} people; {first['positives']} rows with"
    f" {study.task.condition}). One person, or copies of one"
    " recording, can be in several folds."
)
search.show_best(trials, people)
search.show_history(trials)
search.show_what_mattered(trials)
