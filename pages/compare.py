"""Compare models: every model's metrics beside the published figures, false negatives, and curves."""

import streamlit as st

from coughlab.charts import comparison as charts
from coughlab.studies import case_study
from pages.shared import address
from pages.shared.chart import show_chart
from pages.shared.measured import measured_on
from pages.shared.protocol import ask_protocol, pairs_in, rows_of
from pages.shared.study import ask_study, titles_of
from pages.shared.table import show_table

PAGE = {"title": "Compare models", "icon": ":material/compare_arrows:", "group": "Compare", "order": 31}

st.title(PAGE["title"])
st.markdown(
    "All models, trained and tested on the same splits. **A high score on random rows does not mean that a model works on other"
    " recordings**: choose a stricter test to see what is left of it."
)
study_at, protocol_at, chosen, beside = st.columns([3, 4, 4, 6])
study = ask_study(study_at)
pair = ask_protocol(pairs_in(study.metrics), protocol_at)
splits = address.choose(
    chosen.segmented_control,
    "Splits (the case study had five)",
    {"first": f"the first {case_study.SPLITS}", "all": "all"},
    key="splits",
    required=True,
)
shown = address.choose_several(
    beside.pills,
    "Beside each mean",
    ["SD", "lowest", "highest", "published"],
    key="beside",
    default=["SD", "published"],
    selection_mode="multi",
)
n_splits = case_study.SPLITS if splits == "first" else None
rows, metrics = rows_of(study.predictions, pair), rows_of(study.metrics, pair)
if n_splits is not None:
    rows, metrics = rows[rows["split"] < n_splits], metrics[metrics["split"] < n_splits]

table = case_study.table(study, protocol=pair[0], tested_on=pair[1], n_splits=n_splits)
table = table[[(name, what) for name, what in table.columns if what in ("", "mean", *shown)]]
table.columns = [name if what in ("", "mean") else f"{name}: {what}" for name, what in table.columns]
formats = {name: st.column_config.NumberColumn(format="%.3f") for name in table.columns[2:]}
formats |= {
    name: st.column_config.NumberColumn(format="%,.0f") for name in table if name.startswith("Parameters")
}
show_table(
    table,
    "coughlab-models",
    key="models",
    column_config=formats | {"Model": st.column_config.TextColumn(pinned=True)},
    height="content",
    placeholder="–",
)
measured_on(
    study,
    rows,
    "A click on a column's head sorts. Means over splits, SD their standard deviation; a probability of at least 50% is"
    f" predicted {study.task.condition}. Milliseconds to answer are of the served model on one thread, without the reading of"
    " the sound.",
)

if (study.name, pair[0]) == (case_study.DATASET, "published"):
    with st.expander("Where ours differ from the published figures, and why"):
        for name, why in case_study.WHY.items():
            if name in table.index:
                reached, of = case_study.reached(study, name)
                st.markdown(
                    f"**{study.models[name]['title']}.** {reached} of our {of} splits reach the published accuracy. {why}"
                )

st.subheader("Who is found, who is missed")
test = metrics[metrics["role"] == "test"]
counts = test.groupby("model", sort=False, observed=True)[["tp", "fn"]].sum()
titles = titles_of(study)
show_chart(
    charts.found_and_missed(counts, titles, study.task),
    "coughlab-found-and-missed",
    key="found",
    alt=f"Bars: the share of {study.task.condition} recordings each model finds and misses",
)
measured_on(study, rows[rows["role"] == "test"], "A recording tested in several splits counts in each.")

st.subheader("Curves")
picked = address.choose_several(
    st.multiselect,
    "Models",
    {name: titles[name] for name in table.index},
    key="curves",
    default=list(table.index)[:3],
    max_selections=len(charts.STYLES),
)
drawn = rows[(rows["role"] == "test") & rows["model"].isin(picked)]
if picked:
    for column, (kind, title) in zip(
        st.columns(2), {"roc": "ROC curve", "precision_recall": "Precision-recall curve"}.items(), strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            show_chart(
                charts.curve(kind, drawn, {name: titles[name] for name in picked}),
                f"coughlab-{kind}",
                key=kind,
                alt=f"{title} of {', '.join(titles[name] for name in picked)}",
            )
    measured_on(study, drawn, "Lines are means over splits, bands hold the middle 95% of the splits.")
else:
    st.markdown("Pick a model to see its curves.")
