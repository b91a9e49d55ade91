"""For clinicians: what a model's answer would mean for a patient, at a prevalence and a threshold that the user sets."""

import streamlit as st

from coughlab.evaluation.protocols import PROTOCOLS
from pages.components import clinical
from pages.sections import clinicians
from pages.shared.protocol import rows_of

PAGE = {"title": "For clinicians", "icon": ":material/stethoscope:", "group": "Believe", "order": 22}

st.title(PAGE["title"])
st.markdown(
    "What a model's answer would mean for a patient: set how common the condition is where you are, and see."
)
study, model, protocol, tested_on, stricter = clinicians.ask()
clinicians.warn(study, model, protocol, tested_on)
about = f"**{protocol[0].upper()}{protocol[1:]}**: {PROTOCOLS[protocol].description}."
if stricter:
    about += f" **There is a stricter test of this model: {stricter}.** What it shows counts for more."
st.markdown(about)
rows = rows_of(study.predictions, (protocol, tested_on))
rows = rows[(rows["model"] == model) & (rows["role"] == "test")]
if rows["positive"].nunique() < 2:
    clinicians.one_class(study, rows, study.thresholds[model])
else:
    clinicians.explore(study, rows, model, protocol, tested_on)
    with st.expander("Methods and sources"):
        st.markdown(clinical.METHODS)
