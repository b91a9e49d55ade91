"""Every row of the dataset as a point: any two features against each other, and projections of all features."""

from functools import partial

import streamlit as st

from coughlab.charts import dataset as charts
from coughlab.charts.features import TITLES
from coughlab.evaluation import projection
from coughlab.features.acoustic import NAMES
from pages.shared import address, recording
from pages.shared.chart import show_chart
from pages.shared.measured import measured_on

GROUPS = {"label": "Class", "source": "Source"}


def show_two(study):
    titles = dict(zip(NAMES, TITLES, strict=True))
    columns = st.columns(4)
    x = address.choose(columns[0].selectbox, "Across", titles, key="x", default="spectral_centroid")
    y = address.choose(columns[1].selectbox, "Upwards", titles, key="y", default="mfcc1")
    features = study.features
    _show(study, columns[2:], features[x], features[y], (titles[x], titles[y]), "two-features")


def show_projection(study):
    columns = st.columns(4)
    methods = {"pca": "PCA", "t-sne": "t-SNE"}
    options = {"key": "projection", "required": True}
    method = address.choose(columns[0].segmented_control, "Projection", methods, **options)
    values = study.features[list(NAMES)].to_numpy(dtype=float)
    if method == "pca":
        coordinates, explained = _pca(values)
        titles = [f"Component {k} ({share:.0%} of the variance)" for k, share in enumerate(explained, 1)]
        note = "PCA: the two directions in which the 26 standardised features vary most."
    else:
        seed = address.enter(columns[1].number_input, "Seed", 0, 9999, key="seed", default=0)
        coordinates, titles = _tsne(values, seed), ("t-SNE 1", "t-SNE 2")
        note = "t-SNE: rows with similar features lie together. The axes and far distances mean nothing."
    _show(study, columns[2:], *coordinates.T, titles, method, note)


@st.cache_data(max_entries=8)
def _pca(values):
    return projection.pca(values)


@st.cache_data(max_entries=32, show_spinner="Laying out the rows …")
def _tsne(values, seed):
    return projection.tsne(values, seed=seed)


def _show(study, columns, x, y, titles, name, note=""):
    """Draw one point per row; a click on one chooses its recording."""
    options = {"key": "colour", "required": True}
    by = address.choose(columns[0].segmented_control, "Colour and symbol", GROUPS, **options)
    with columns[1]:
        chosen = recording.choose(study)
    measured_on(study, study.features, note)
    show_chart(
        charts.scatter(study.features, x, y, titles=titles, task=study.task, by=by, chosen=chosen),
        name,
        key=name,
        alt=f"{titles[1]} against {titles[0]}, a mark a row",
        on_select=partial(_take, name),
        selection_mode="points",
    )
    if chosen:
        recording.show_one(study, chosen)


def _take(key):
    if points := st.session_state[key].selection.points:
        st.session_state.recording = points[0]["customdata"][0]
