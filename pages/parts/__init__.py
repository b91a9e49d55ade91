"""What several pages share: the study, and charts and tables that can be taken away."""

from pathlib import Path

import streamlit as st
from pandas.api.types import is_numeric_dtype

from coughlab import serving
from coughlab.store import StoreError

HERE = Path(__file__).parent
#: What a spreadsheet takes for the start of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Protocols in a few words.
PROTOCOLS = {"published": "random 70/30 splits"}

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


def study():
    """The study that answers; a page that cannot have it says why and stops."""
    try:
        return serving.default().study
    except StoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def chart(figure, name, *, key, alt, config=None, **options):
    """Draw a chart with two buttons that download what is shown as PNG and as SVG.

    `name` is the file's name without its ending, `alt` says in a sentence what the chart shows. The camera of Plotly's mode bar
    has to stay, since the buttons ask it; the rest of the bar is left out but for the full screen and the reset of the axes.
    """
    unwanted = ["zoom2d", "pan2d", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"]
    config = {"modeBarButtonsToRemove": unwanted, "displayNotifier": False} | (config or {})
    with st.container(gap=None):
        state = st.plotly_chart(figure, key=key, alt=alt, config=config, **options)
        _buttons(data={"key": key, "name": name, "title": alt}, key=f"{key} download", height=24)
    return state


def table(frame, name, *, key, column_config=None, **options):
    """Show a table with a button that downloads it as CSV; `name` is the file's name without its ending."""
    with st.container(gap=None):
        options = {"hide_index": True} | options
        state = st.dataframe(frame, key=key, column_config=column_config, **options)
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


def to_csv(frame):
    """A table as CSV without its index; text that a spreadsheet would run as a formula gets an apostrophe before it."""
    safe = frame.apply(lambda column: column if is_numeric_dtype(column) else column.map(_harmless))
    # With these line ends, the standard's (RFC 4180), a line end inside a text is quoted, whichever it is.
    return safe.rename(columns=_harmless).to_csv(index=False, lineterminator="\r\n")


def _harmless(value):
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def measured_on(study, rows, note=""):
    """One small line: what the numbers beside it were measured on.

    `rows` are the rows they were computed from, of the predictions table or of the feature table.
    """
    st.markdown(f":small[{measured(study, rows)}{f' {note}' if note else ''}]")


def measured(study, rows):
    """The sentence of `measured_on`."""
    size = f"{rows['recording'].nunique():,} recordings of {rows['person'].nunique():,} people"
    if "split" not in rows:
        return f"Measured on {study.name}: {len(rows):,} rows, {size}."
    tested_on = ", ".join(rows["tested_on"].unique())
    deals = rows.groupby("protocol", observed=True)["split"].nunique()
    protocols = "; ".join(
        f"{name} protocol ({PROTOCOLS.get(name, 'see About')}), {number} {'split' if number == 1 else 'splits'}"
        for name, number in deals.items()
    )
    roles = " and ".join(role for role in ("train", "test") if (rows["role"] == role).any())
    return f"Measured on {tested_on}, {protocols}, {roles} rows: {size}."
