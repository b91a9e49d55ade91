"""Two buttons that save the chart above them as it is shown, as PNG and as SVG."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

_buttons = st.components.v2.component(
    "coughlab_chart_download",
    html=(
        '<div class="chart-download"><button type="button" data-format="png">↓ PNG</button>'
        '<button type="button" data-format="svg">↓ SVG</button></div>'
    ),
    css=(HERE / "download.css").read_text(),
    js=(HERE / "download.js").read_text(),
    isolate_styles=False,
)


def show(key: str, name: str, title: str) -> None:
    """Show the buttons for the chart with this key; `name` is the file's name without its ending."""
    _buttons(data={"key": key, "name": name, "title": title}, key=f"{key} download", height=24)
