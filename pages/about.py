"""About: what CoughLab is and is not, and the card of the study that answers."""

import streamlit as st

from coughlab import __version__, serving
from coughlab.store import StoreError

st.title("About CoughLab")
st.markdown(
    f"CoughLab {__version__} shows what published cough classifiers say of a recording, and what that is"
    " worth. It is a tool for research and teaching, **not a medical device**. If you feel ill, ask a doctor or take a"
    " test.\n\nA recording is decoded and analysed in the memory of the server, sent to nobody else, and written to no disk."
)
try:
    card = serving.default().study.read("README.md").decode()
except StoreError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
st.markdown(card.replace("# Study", "## Study", 1))
