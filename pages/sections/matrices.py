"""The recordings in a cell of a matrix: their list, and the sound and picture of the one that is marked."""

import streamlit as st

from coughlab import datasets
from coughlab.evaluation import confusion
from coughlab.text import counted
from pages.components import threshold
from pages.shared import recording
from pages.shared.table import show_table

COLUMNS = {
    "recording": "Recording",
    "person": "Person",
    "label": "Is",
    "probability": st.column_config.NumberColumn("Probability of COVID", format="%.4f"),
    "lowest": st.column_config.NumberColumn("lowest", format="%.4f"),
    "highest": st.column_config.NumberColumn("highest", format="%.4f"),
    "times": st.column_config.TextColumn(
        "Times in this cell", help="Of the splits that have it among these rows."
    ),
    "in_splits": "In splits",
}


def show(study, rows, at, cell, name):
    """List the recordings in a cell of the matrices of `rows` at a threshold; `name` is part of the file's name."""
    found = confusion.cell(rows, at, cell)
    st.markdown(
        f"{counted(found['recording'].nunique(), 'recording')} at threshold {threshold.label(at)}, the surest first."
    )
    if found.empty:
        return
    table = found.assign(
        label=found["label"].map(study.task.title).astype(str),
        times=[
            f"{len(splits)} of {tested}"
            for splits, tested in zip(found["splits"], found["tested"], strict=True)
        ],
        in_splits=[", ".join(str(split + 1) for split in splits) for splits in found["splits"]],
    )
    shown = list(COLUMNS) if rows["split"].nunique() > 1 else ["recording", "person", "label", "probability"]
    own = set(rows["tested_on"]) == {study.name}
    folder = datasets.folder(study.name) if own else None
    options = {"on_select": "rerun", "selection_mode": "single-row"} if folder else {}
    state = show_table(
        table[shown], f"{name}-{cell}", key=f"{name} {cell} {at}", column_config=COLUMNS, **options
    )
    if not own:
        return
    if folder is None:
        st.markdown(
            f":small[To hear and see them: start the app with COUGHLAB_DATA set to the folder of `{study.name}/`.]"
        )
    elif state.selection.rows:
        recording.show_one(study, found["recording"].iloc[state.selection.rows[0]])
    else:
        st.markdown(":small[Mark a line at its left edge to hear and see the recording.]")
