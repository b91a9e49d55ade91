"""Explore the data: contents of the study's dataset, features, and single recordings."""

import streamlit as st

from pages.sections.explore import contents, points
from pages.shared import address, recording
from pages.shared.study import ask_study

PAGE = {"title": "Explore the data", "icon": ":material/scatter_plot:", "group": "Compare", "order": 35}

SECTIONS = {
    "dataset": ("Dataset", contents.show),
    "feature": ("One feature", contents.show_feature),
    "features": ("Two features", points.show_two),
    "projection": ("Projection", points.show_projection),
    "recording": ("One recording", recording.show),
}

st.title(PAGE["title"])
# Only the visible section is computed and drawn.
section = address.choose(
    st.segmented_control,
    "Section",
    {name: title for name, (title, _) in SECTIONS.items()},
    key="section",
    required=True,
    label_visibility="collapsed",
)
_, show = SECTIONS[section]
show(ask_study())
