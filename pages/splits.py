"""Many splits: how much a score depends on the choice of the split, and training on this page."""

import streamlit as st

from coughlab.evaluation import comparison
from coughlab.evaluation.metrics import PER_SPLIT
from pages.sections.splits import retrain, views
from pages.shared import address
from pages.shared.measured import measured_on
from pages.shared.protocol import ask_protocol, pairs_in, rows_of
from pages.shared.study import ask_model, ask_study, titles_of

PAGE = {"title": "Many splits", "icon": ":material/shuffle:", "group": "Compare", "order": 33}

VIEWS = {"few": "First five", "many": "All splits", "pair": "Two models", "retrain": "Retrain here"}

st.title(PAGE["title"])
st.markdown(
    "A score from one random split is partly luck. Here each model is trained again and again on the same recordings, split anew"
    " into training and test."
)
view = address.choose(
    st.segmented_control, "View", VIEWS, key="view", required=True, label_visibility="collapsed"
)
columns = iter(st.columns([5, 7, *[5] * (4 if view == "pair" else 3)]))
study = ask_study(next(columns))
# Models trained here use the published protocol, and are compared with its stored splits.
pair = (
    ("published", study.name) if view == "retrain" else ask_protocol(pairs_in(study.metrics), next(columns))
)
table = rows_of(study.metrics, pair)
# A study without that protocol can be trained here too.
titles = titles_of(study, None if table.empty else table["model"])
model = ask_model(titles, next(columns))
if view == "retrain":
    retrain.show(study, model, table)
    st.stop()
models, metric = [model], None
if view == "pair":
    others = {name: title for name, title in titles.items() if name != model}
    other = address.choose(next(columns).selectbox, "Compare with", others, key="other")
    models.append(other)
if view != "few":
    titled = {name: one.title for name, one in PER_SPLIT.items()}
    default = list(titled)[1]
    metric = address.choose(next(columns).selectbox, "Metric", titled, key="metric", default=default)
splits = comparison.shared_splits(table, models)
with next(columns):
    splits = splits[: views.FEW] if view == "few" else views.ask_splits(splits)
table = table[table["split"].isin(splits)]
rows = rows_of(study.predictions, pair)
rows = rows[rows["model"].isin(models) & rows["split"].isin(splits)]
if view == "few":
    views.show_few(table, model, study.task)
elif view == "many":
    views.show_many(table, model, titles[model], metric)
else:
    views.show_pair(table, *models, titles, metric)
measured_on(study, rows if view == "few" else rows[rows["role"] == "test"])
