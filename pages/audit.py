"""Is this dataset sound: the audits of the datasets used here, and an audit of the visitor's own."""

import streamlit as st

from coughlab.audit import run
from coughlab.serving import predictors
from coughlab.studies.store import StoreError
from pages.components import connection
from pages.sections.audit import findings, upload
from pages.shared import address

PAGE = {"title": "Is this dataset sound?", "icon": ":material/fact_check:", "group": "Believe", "order": 23}

OWN = "own"

st.title(PAGE["title"])
st.markdown(
    "A model can score high without having learnt anything about a disease: because the same recording is there twice, because"
    " one person is both trained and tested on, or because ill and healthy were recorded with different microphones. This"
    " looks for such faults in a dataset, before anything is trained."
)
# The default never changes, because a link leaves it out.
stored = sorted(run.stored(), key=lambda name: name != predictors.STUDY)
default = predictors.STUDY if predictors.STUDY in stored else OWN
datasets = {name: name for name in stored} | {OWN: "Your own"}
chosen = address.choose(
    st.segmented_control, "Dataset", datasets, key="study", default=default, required=True
)
try:
    report = upload.ask() if chosen == OWN else run.load(chosen)
except StoreError as error:
    st.error(str(error), icon=":material/error:")
    report = None
if report:
    with st.container(key=connection.KEPT if chosen == OWN else None):
        findings.show(report)
with st.expander("The same from the command line"):
    st.code(
        "coughlab audit my-dataset --data FOLDER\ncoughlab audit my-dataset --data FOLDER --json\n"
        "coughlab audit my-dataset --data FOLDER --rows rows.csv",
        language="bash",
    )
    st.markdown(
        "There is no limit to the size, and nothing leaves your computer. `--rows` writes a line for each recording: its person,"
        " label, status, and whose copy it is. The exit status is 1 when there is a severe finding, 0"
        " when there is none, so that it can stand before a training job: `coughlab audit my-dataset --data FOLDER && python"
        " train.py` trains only on a dataset that passed."
    )
