"""What several pages share: the study, and charts and tables that can be taken away."""

import re
from pathlib import Path

import streamlit as st

from coughlab.evaluation import splits
from coughlab.serving import predictors
from coughlab.studies import store
from coughlab.studies.store import StoreError
from coughlab.text import to_csv

HERE = Path(__file__).parents[1] / "components/downloads"
#: Protocols in a few words.
PROTOCOLS = {
    "published": "random 70/30 splits",
    "deduplicated": "random 70/30 splits without copies",
    "person-disjoint": "random 70/30 splits of people, without copies",
    "source-balanced": "random 70/30 splits of people, each source with as many of either label",
    "external": "trained on all of another dataset",
}
#: Protocols as they are chosen from.
CHOICES = {
    "published": "Random rows, as published",
    "deduplicated": "Without copies",
    "person-disjoint": "Nobody on both sides",
    "source-balanced": "Sources balanced",
}

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


def text(name):
    """Something that a visitor named, for where Streamlit reads Markdown: it is shown as it is."""
    # Spaces are narrow, since a line that begins with four is code.
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(str(name).split()))


def study():
    """The study that answers; a page that cannot have it says why and stops."""
    try:
        return predictors.default().study
    except StoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def ask_study(where=st):
    """The study to look at, the one that answers unless told; a page that cannot have it says why and stops."""
    names = store.names()
    if len(names) < 2:
        return study()
    # The default must come first and be the same always: a link leaves it out.
    names.sort(key=lambda name: name != predictors.STUDY)
    name = where.selectbox("Dataset", names, key="study", bind="query-params")
    try:
        return predictors.study(name)
    except StoreError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def forget_other(key, options):
    """Let a widget begin anew where what it holds is not among its options any more, as after a change of the dataset."""
    held = st.session_state.get(key, [])
    if not {*(held if isinstance(held, list) else [held])} <= set(options):
        del st.session_state[key]


def ask_protocol(table, where=st):
    """How the rows were dealt that are looked at: protocol and dataset tested on, of those in a study's `metrics`."""
    there = table[["protocol", "tested_on"]].drop_duplicates().itertuples(index=False, name=None)
    order = list(reversed(splits.STRICTEST))
    # Named alike in every study, so that the choice outlives that of another one.
    options = {
        CHOICES.get(pair[0], f"Another dataset: {pair[1]}"): pair
        for pair in sorted(there, key=lambda pair: order.index(pair[0]))
    }
    forget_other("protocol", options)
    chosen = where.selectbox(
        "Tested on",
        list(options),
        key="protocol",
        bind="query-params",
        help="How recordings were dealt into those trained on and those tested on. The further down, the more a score proves.",
    )
    return options.get(chosen, next(iter(options.values())))


def dealt(table, pair):
    """The rows of a table of one protocol and dataset tested on, as `ask_protocol` gives them."""
    protocol, tested_on = pair
    return table[(table["protocol"] == protocol) & (table["tested_on"] == tested_on)]


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
    trained = "" if set(rows["tested_on"]) == {study.name} else f" (trained on {study.name})"
    tested_on = ", ".join(rows["tested_on"].unique()) + trained
    deals = rows.groupby("protocol", observed=True)["split"].nunique()
    protocols = "; ".join(
        f"{name} protocol ({PROTOCOLS.get(name, 'see About')}), {number} {'split' if number == 1 else 'splits'}"
        for name, number in deals.items()
    )
    roles = " and ".join(role for role in ("train", "test") if (rows["role"] == role).any())
    return f"Measured on {tested_on}, {protocols}, {roles} rows: {size}."
