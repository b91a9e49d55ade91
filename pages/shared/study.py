"""The study that a page looks at, and the model."""

from collections.abc import Iterable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from coughlab.serving import predictors
from coughlab.studies import store
from coughlab.studies.store import StoredStudy, StoreError
from pages.shared import address


def stored_study(name: str = predictors.STUDY) -> StoredStudy:
    """A study, the one that answers unless another is chosen; a page that cannot have it says why and stops."""
    try:
        return predictors.study(name)
    except StoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def ask_study(where: DeltaGenerator = st) -> StoredStudy:
    """The study to look at."""
    # The default must come first and be the same always: a link leaves it out.
    names = sorted(store.names(), key=lambda name: name != predictors.STUDY)
    if len(names) < 2:
        return stored_study()
    return stored_study(address.choose(where.selectbox, "Dataset", names, key="study"))


def titles_of(study: StoredStudy, names: Iterable[str] | None = None) -> dict[str, str]:
    """Titles of a study's models by their names; of those named, in the study's order."""
    wanted = set(study.models if names is None else names)
    return {name: entry["title"] for name, entry in study.models.items() if name in wanted}


def ask_model(titles: dict[str, str], where: DeltaGenerator = st) -> str:
    """The model to look at."""
    return address.choose(where.selectbox, "Model", titles, key="model")
