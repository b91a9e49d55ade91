"""The parts of the page "Matrices": its choices, and the recordings in a cell: their list, and the selected one."""

import streamlit as st

from coughlab import datasets
from coughlab.evaluation import confusion
from coughlab.text import counted
from pages.components import threshold
from pages.shared import address, recording
from pages.shared.measured import measured
from pages.shared.study import ask_model, titles_of
from pages.shared.table import show_table

ROLES = {"test": "Test rows", "train": "Training rows"}
ALL = "all"
CELLS = {
    "tp": "True positives: {condition}, and predicted {condition}",
    "fn": "False negatives: {condition}, but predicted not {condition}",
    "fp": "False positives: not {condition}, but predicted {condition}",
    "tn": "True negatives: not {condition}, and predicted not {condition}",
}


def columns(task):
    """The columns of the list of recordings."""
    probability = st.column_config.NumberColumn(f"Probability of {task.condition}", format="%.4f")
    return {
        "recording": "Recording",
        "person": "Person",
        "label": "Is",
        "probability": probability,
        "lowest": st.column_config.NumberColumn("lowest", format="%.4f"),
        "highest": st.column_config.NumberColumn("highest", format="%.4f"),
        "times": st.column_config.TextColumn(
            "Times in this cell", help="Of the splits that have it among these rows."
        ),
        "in_splits": "In splits",
    }


def show_cell(study, rows, at, cell, name):
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
    config = columns(study.task)
    shown = list(config) if rows["split"].nunique() > 1 else ["recording", "person", "label", "probability"]
    own = set(rows["tested_on"]) == {study.name}
    folder = datasets.folder(study.name) if own else None
    options = {"on_select": "rerun", "selection_mode": "single-row"} if folder else {}
    state = show_table(
        table[shown], f"{name}-{cell}", key=f"{name} {cell} {at}", column_config=config, **options
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


def ask(study, predictions, model_at, split_at, role_at):
    """The model, the split and the role to look at."""
    predictions = predictions[["model", "split", "role"]].drop_duplicates()
    model = ask_model(titles_of(study, predictions["model"]), model_at)
    splits = sorted(predictions.loc[predictions["model"] == model, "split"].unique())
    options = {ALL: "All together"} | {str(split + 1): str(split + 1) for split in splits}
    split = address.choose(
        split_at.selectbox,
        "Split",
        options,
        key="split",
        help=f"{counted(len(splits), 'random split')} of the rows into training and test.",
    )
    if "train" not in set(predictions["role"]):
        return model, split, "test"
    return model, split, address.choose(role_at.segmented_control, "Rows", ROLES, key="rows", required=True)


def keep():
    """Write the chosen threshold and cell to the address."""
    new = st.session_state["matrices"]["chosen"]
    address.keep("threshold", new["threshold"])
    address.keep("cell", new["cell"] or None)


@st.fragment
def explore(study, rows, name, about, each_split):
    at, cell = address.number("threshold", 0, 1, 0.5), address.name("cell", list(CELLS))
    threshold.show(
        rows,
        each_split,
        condition=study.task.condition,
        at=at,
        cell=cell,
        name=name,
        about=about,
        measured=measured(study, rows),
        key="matrices",
        on_change=keep,
    )
    if cell:
        st.subheader(study.task.say(CELLS[cell]))
        show_cell(study, rows, at, cell, name)
