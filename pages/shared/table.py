"""A table with a download."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from coughlab.text import to_csv

if TYPE_CHECKING:  # they take time to import
    from pandas import DataFrame
    from streamlit.elements.arrow import DataframeState


def show_table(frame: DataFrame, name: str, *, key: str, **options) -> DataframeState:
    """Show a table above a button that downloads it as CSV; `name` is the file's name without its ending."""
    with st.container(gap=None):
        state = st.dataframe(frame, key=key, **{"hide_index": True} | options)
        with st.container(horizontal_alignment="right"):
            st.download_button(
                ":small[↓ CSV]",
                lambda: to_csv(frame),
                f"{name}.csv",
                "text/csv",
                key=f"{key} csv",
                type="tertiary",
                on_click="ignore",
            )
    return state
