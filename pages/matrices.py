"""Matrices: right and wrong predictions of a model at every threshold, and the recordings in each cell."""

import streamlit as st

from pages.sections import matrices
from pages.shared.protocol import ask_protocol, pairs_in, rows_of
from pages.shared.study import ask_study

PAGE = {"title": "Matrices", "icon": ":material/grid_on:", "group": "Compare", "order": 32}

st.title(PAGE["title"])
st.markdown(
    "What a model gets right and wrong, as the probability moves from which it predicts the condition."
    " Choose a cell to see the recordings in it."
)
study_at, protocol_at, *others = st.columns([5, 7, 5, 4, 7])
study = ask_study(study_at)
pair = ask_protocol(pairs_in(study.metrics), protocol_at)
rows, each_split = rows_of(study.predictions, pair), rows_of(study.metrics, pair)
model, split, role = matrices.ask(study, rows, *others)
rows = rows[(rows["model"] == model) & (rows["role"] == role)]
each_split = each_split[(each_split["model"] == model) & (each_split["role"] == role)]
if split != matrices.ALL:
    rows = rows[rows["split"] == int(split) - 1]
which = f"all {len(each_split)} splits" if split == matrices.ALL else f"split {split}"
matrices.explore(
    study,
    rows,
    f"{model}-{'-'.join(pair)}-{which.replace(' ', '-')}-{role}",
    f"{study.models[model]['title']}, {which}, {matrices.ROLES[role].lower()} of {pair[1]}",
    each_split,
)
st.markdown(
    ":small[**How to read this.** A recording that is among the rows of several splits counts once in each of them. The intervals"
    " (Wilson, 95%) take the number of different people as the number of trials, since recordings of one person are not"
    " independent. **Youden's J** is the threshold with the highest sum of sensitivity and specificity. It and the kept"
    " sensitivity are computed from the rows shown: a threshold chosen on the rows it is measured on flatters.]"
)
