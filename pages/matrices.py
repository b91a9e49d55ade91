"""Matrices: what a model gets right and wrong at every threshold, and which recordings those are."""

import streamlit as st

from coughlab.text import counted
from pages.components import threshold
from pages.sections import matrices
from pages.shared import address
from pages.shared.measured import measured
from pages.shared.protocol import ask_protocol, pairs_in, rows_of
from pages.shared.study import ask_model, ask_study, titles_of

PAGE = {"title": "Matrices", "icon": ":material/grid_on:", "group": "Compare", "order": 32}

ROLES = {"test": "Test rows", "train": "Training rows"}
ALL = "all"
CELLS = {
    "tp": "True positives: COVID, and called COVID",
    "fn": "False negatives: COVID, but called not COVID",
    "fp": "False positives: not COVID, but called COVID",
    "tn": "True negatives: not COVID, and called not COVID",
}


def ask(study, predictions, model_at, split_at, role_at):
    """The model, the split and the role to look at; the link to the page keeps them."""
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
    """Put the threshold and the cell that were chosen into the link."""
    new = st.session_state["matrices"]["chosen"]
    st.query_params["threshold"] = str(new["threshold"])
    if new["cell"]:
        st.query_params["cell"] = new["cell"]
    else:
        st.query_params.pop("cell", None)


@st.fragment
def explore(study, rows, name, about, each_split):
    at, cell = address.number("threshold", 0, 1, 0.5), address.name("cell", list(CELLS))
    threshold.show(
        rows,
        each_split,
        at=at,
        cell=cell,
        name=name,
        about=about,
        measured=measured(study, rows),
        key="matrices",
        on_change=keep,
    )
    if cell:
        st.subheader(CELLS[cell])
        matrices.show(study, rows, at, cell, name)


st.title(PAGE["title"])
st.markdown(
    "What a model gets right and wrong, as the probability moves from which it calls a recording COVID."
    " Choose a cell to see the recordings in it."
)
study_at, protocol_at, *others = st.columns([5, 7, 5, 4, 7])
study = ask_study(study_at)
pair = ask_protocol(pairs_in(study.metrics), protocol_at)
rows, each_split = rows_of(study.predictions, pair), rows_of(study.metrics, pair)
model, split, role = ask(study, rows, *others)
rows = rows[(rows["model"] == model) & (rows["role"] == role)]
each_split = each_split[(each_split["model"] == model) & (each_split["role"] == role)]
if split != ALL:
    rows = rows[rows["split"] == int(split) - 1]
which = f"all {len(each_split)} splits" if split == ALL else f"split {split}"
explore(
    study,
    rows,
    f"{model}-{'-'.join(pair)}-{which.replace(' ', '-')}-{role}",
    f"{study.models[model]['title']}, {which}, {ROLES[role].lower()} of {pair[1]}",
    each_split,
)
st.markdown(
    ":small[**How to read this.** A recording that is among the rows of several splits counts once in each of them. The intervals"
    " (Wilson, 95%) take the number of different people as the number of trials, since recordings of one person are not"
    " independent. **Youden's J** is the threshold with the highest sum of sensitivity and specificity. It and the kept"
    " sensitivity are computed from the rows shown: a threshold chosen on the rows it is measured on flatters.]"
)
