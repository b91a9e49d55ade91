"""About: what CoughLab is and is not, and the card of the default study."""

import streamlit as st

from coughlab import __version__, detector
from coughlab.detector.training import card as detector_card
from coughlab.evaluation.protocols import PROTOCOLS
from coughlab.serving import predictors
from coughlab.studies.store import StoreError
from coughlab.text import counted
from pages.shared.study import only_default

PAGE = {"title": "About", "icon": ":material/info:", "group": "About", "order": 41}


def sentence(row):
    """A sentence on a row of the evidence table."""
    name, title = ("roc_auc", "ROC AUC") if row["roc_auc"] >= 0 else ("specificity", "specificity")
    value, low, high = (f"{row[name + end]:.2f}" for end in ("", "_low", "_high"))
    size = f"{counted(row['recordings'], 'recording')} of {counted(row['people'], 'person')}"
    return (
        f"Tested on {row['tested_on']}, {PROTOCOLS[row['protocol']].caption}: {title} {value} (95% interval {low} to {high}),"
        f" {counted(row['splits'], 'split')}, {size.replace('persons', 'people')}."
    )


st.title("About CoughLab")
only_default()
st.markdown(
    f"CoughLab {__version__} shows what published cough classifiers say of a recording, and what that is"
    " worth. It is a tool for research and teaching, **not a medical device**. If you feel ill, ask a doctor or take a"
    " test.\n\nRecordings and datasets are decoded and analysed in the memory of the server, sent to nobody else, and written to"
    " no disk: [what is kept, where, and for how long](privacy)."
)
try:
    predictor = predictors.default()
    study = predictor.study
    card, evidence = study.read("README.md").decode(), study.evidence
    hearing = detector_card.line(detector.stored())
except StoreError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
# The card's tables are too wide for a phone, so the saved models' scores are also given in words.
st.markdown(card.replace("# Study", "## Study", 1).partition("## Random rows")[0])
for model in [*predictor.names, *predictor.slow]:
    st.markdown(f"**{study.models[model]['title']}.** {study.models[model]['summary']}")
    rows = evidence[evidence["model"] == model]
    rows = rows.sort_values("protocol", key=lambda names: names.map(list(PROTOCOLS).index), kind="stable")
    for row in rows.to_dict("records"):
        st.markdown(f"- {sentence(row)}")
st.markdown(
    f"**The cough detector.** {detector_card.SUMMARY} Where it hears no cough, none of the models above is asked. {hearing}"
)
st.markdown(
    f"ROC AUC: take one recording with {study.task.condition} and one without; how often the model gives the one with"
    f" {study.task.condition} the higher probability. Guessing gives 0.5. Intervals at 95%, by resampling people."
)
