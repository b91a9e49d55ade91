"""The study and the model of a page."""

from collections.abc import Iterable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from coughlab.serving import predictors
from coughlab.studies import store
from coughlab.studies.store import StoredStudy, StoreError
from pages.shared import address


def _read(name: str) -> StoredStudy:
    try:
        return predictors.study(name)
    except StoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def stored_study() -> StoredStudy:
    """The default study, for a page without a choice; if it cannot be read, the page shows why and stops."""
    only_default()
    return _read(predictors.STUDY)


def only_default() -> None:
    """Report another study in the address, on a page that only has the default one."""
    address.name("study", [predictors.STUDY])


def ask_study(where: DeltaGenerator = st) -> StoredStudy:
    """Ask for the study."""
    # The default must be first and never change, because a link leaves it out.
    names = sorted(store.names(), key=lambda name: name != predictors.STUDY)
    if len(names) < 2:
        return stored_study()
    return _read(address.choose(where.selectbox, "Dataset", names, key="study"))


def titles_of(study: StoredStudy, names: Iterable[str] | None = None) -> dict[str, str]:
    """Titles of a study's models by name, in the study's order; only of those named, if names are given."""
    wanted = set(study.models if names is None else names)
    return {name: entry["title"] for name, entry in study.models.items() if name in wanted}


def ask_model(titles: dict[str, str], where: DeltaGenerator = st) -> str:
    """Ask for the model."""
    return address.choose(where.selectbox, "Model", titles, key="model")
