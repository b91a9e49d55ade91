"""Reality check: a model's score as published, and what is left of it, step by step."""

import streamlit as st

from coughlab.evaluation.metrics import SHOWN
from coughlab.evidence import paragraph as plain
from coughlab.evidence import steps
from coughlab.serving import predictors
from coughlab.studies import case_study, store
from coughlab.studies.store import StoreError
from pages.sections import reality
from pages.shared import address
from pages.shared.study import ask_model, ask_study, titles_of

PAGE = {"title": "Reality check", "icon": ":material/stairs:", "group": "Believe", "order": 21}

INTERVALS = (
    "Values are means over splits. The 95% intervals come from a bootstrap over people: they cover the luck of who was tested,"
    " not that of who was trained on."
)


def paragraph(study, model, title, reasons):
    claimed = case_study.PUBLISHED.get(model, {}).get("test", {}).get("accuracy")
    table = steps.steps(study.name, study.evidence, model, "roc_auc", reasons=reasons)
    return plain.paragraph(
        table,
        study=study.name,
        model=model,
        title=title,
        task=study.task,
        claimed=claimed if study.name == predictors.STUDY else None,
    )


def evidences():
    """Evidence of all studies that can be read."""
    found = {}
    for name in sorted(store.names(), key=lambda name: name != predictors.STUDY):
        try:
            found[name] = predictors.study(name).evidence
        except StoreError as error:
            st.warning(str(error))
    return found


st.title(PAGE["title"])
st.markdown(
    "A score is only as good as the test behind it. Here the help that a model may have had is taken away, step by step: copies"
    " of recordings, people it knows, the way recordings were made, and at last the dataset itself."
)
columns = st.columns(3)
study = ask_study(columns[2])
titles = titles_of(study)
model = ask_model(titles, columns[0])
metric = address.choose(
    columns[1].selectbox, "Metric", {name: one.title for name, one in SHOWN.items()}, key="metric"
)
if study.evidence.empty:
    st.info(f"The study of {study.name} holds no intervals yet. Run 'coughlab study run {study.name}'.")
    st.stop()
reasons = steps.ruled_out(study.features, study.task)
with st.container(border=True):
    st.markdown(f"**In plain words.** {paragraph(study, model, titles[model], reasons)}")

table = steps.steps(study.name, study.evidence, model, metric, reasons=reasons)
drawn, explained = st.columns([3, 2], gap="large")
with explained:
    reality.show_explanation(metric, table, study)
with drawn:
    reality.show_staircase(table, study, model, titles[model])
    st.markdown(f":small[{reality.measured(study.name, table)} {INTERVALS}]")

st.subheader("Every model at every step")
reality.show_overview(
    steps.overview(study.name, study.evidence, titles, metric, reasons=reasons), study.name, titles, metric
)
st.markdown(
    f":small[Trained on {study.name}. The table says for each value what it was tested on. {INTERVALS}]"
)

st.subheader("Trained on one dataset, tested on another")
reality.show_matrix(steps.matrix(evidences(), model, metric), model, titles[model], metric)
st.markdown(f":small[{INTERVALS}]")

st.subheader("Can its probabilities be taken at their word?")
reality.show_calibration(study, model, titles[model])
