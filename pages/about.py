"""About: what CoughLab is and is not, and the card of the study that answers."""

import streamlit as st

from coughlab import __version__, serving, words
from coughlab.evidence.metrics import SCORES
from coughlab.store import StoreError

st.title("About CoughLab")
st.markdown(
    f"CoughLab {__version__} shows what published cough classifiers say of a recording, and what that is"
    " worth. It is a tool for research and teaching, **not a medical device**. If you feel ill, ask a doctor or take a"
    " test.\n\nA recording is decoded and analysed in the memory of the server, sent to nobody else, and written to no disk."
)
try:
    predictor = serving.default()
    study = predictor.study
    card, scores = study.read("README.md").decode(), study.scores
except StoreError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
# The card's table is too wide for a phone, so its scores are told in words.
head, _, rest = card.replace("# Study", "## Study", 1).partition("| model |")
st.markdown(head)
for row in scores[scores["model"].isin([*predictor.names, *predictor.slow])].to_dict("records"):
    told = "; ".join(f"{score} {words.score(row, score)}" for score in SCORES)
    st.markdown(
        f"**{study.models[row['model']]['title']}**, {row['protocol']}, {row['splits']} splits: {told}."
    )
st.markdown(rest.partition("\n\n")[2])
