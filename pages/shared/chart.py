"""A chart with downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.components import downloads

if TYPE_CHECKING:  # they take time to import
    from plotly.graph_objects import Figure
    from streamlit.elements.plotly_chart import PlotlyState

#: Buttons kept in Plotly's mode bar: full screen, reset of the axes, and the camera, which the download buttons use.
UNWANTED = ["zoom2d", "pan2d", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"]


def show_chart(figure: Figure, name: str, *, key: str, alt: str, **options) -> PlotlyState:
    """Draw a chart above its downloads; `name` is the file's name without its ending, `alt` describes the chart in a sentence."""
    config = {"modeBarButtonsToRemove": UNWANTED, "displayNotifier": False}
    with st.container(gap=None):
        state = st.plotly_chart(figure, key=key, alt=alt, config=config, **options)
        downloads.show(key, name, alt)
    return state
