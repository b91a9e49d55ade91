"""Explore the data: what the study's dataset consists of, its features, and one recording of it."""

import streamlit as st

from pages.sections.explore import contents, points
from pages.shared import recording
from pages.shared.study import ask_study

PAGE = {"title": "Explore the data", "icon": ":material/scatter_plot:", "group": "Compare", "order": 35}

SECTIONS = {
    "Dataset": contents.show,
    "One feature": contents.show_feature,
    "Two features": points.show_two,
    "Projection": points.show_projection,
    "One recording": recording.show,
}

st.title(PAGE["title"])
# Only the section that is looked at is computed and drawn.
section = st.segmented_control(
    "Section",
    list(SECTIONS),
    default="Dataset",
    required=True,
    key="section",
    bind="query-params",
    label_visibility="collapsed",
)
SECTIONS[section](ask_study())
