"""Retrain here: a model on splits of the visitor's choice, in a separate process, with progress."""

import streamlit as st

from coughlab.evaluation import comparison, scoring
from coughlab.studies import retrain
from coughlab.studies.store import StoreError
from coughlab.text import counted, duration
from pages.components import connection
from pages.sections.splits import tables
from pages.shared import access, address
from pages.shared.chart import show_chart

#: Seconds between two updates of a training's progress.
EVERY = 0.5


@st.cache_resource(
    scope="session", show_spinner=False, on_release=lambda jobs: [job.cancel() for job in jobs]
)
def jobs():
    """The training of this visit. When the visit ends, Streamlit releases it, which ends the training."""
    return []


def show(study, model, table):
    """Ask what to train, start it, and show its progress; `table` has the metrics of the stored splits."""
    if model not in retrain.MODELS:
        st.info(
            f"{study.models[model]['title']} cannot be retrained here: it reads the recordings themselves, which are not stored"
            " with the study, and takes minutes to hours. Those that read the 26 stored features can.",
            icon=":material/hourglass:",
        )
    else:
        ask(study, model)
    if job := st.session_state.get("job"):
        watch = st.fragment(show_job, run_every=EVERY if job.state == "running" else None)
        watch(study, job, table, job.state == "running")


def ask(study, model):
    if not access.trusted():
        st.info(access.refusal("Training here"), icon=":material/lock:")
        return
    st.markdown(
        f"Trains {study.models[model]['title']} anew on the 26 stored features of {len(study.features)} rows, while this page and"
        " all others stay usable. The result is shown to you only, and not stored."
    )
    with st.form("retrain", border=True):
        share, n_splits, seed = st.columns(3)
        low, high = (round(100 * share) for share in retrain.TEST_SHARES)
        share = address.enter(
            share.slider, "Share of test rows (%)", low, high, key="share", default=30, step=5
        )
        n_splits = address.enter(
            n_splits.number_input, "Splits to train", *retrain.N_SPLITS, key="train", default=5
        )
        seed = address.enter(
            seed.number_input,
            "Seed",
            0,
            retrain.MAX_SEED,
            key="seed",
            default=study.manifest["seed"],
            help="Decides how rows are split and where training starts. The stored splits have the seed shown at first.",
        )
        pressed = st.form_submit_button("Train", type="primary", icon=":material/model_training:")
    if pressed:
        for earlier in jobs():
            earlier.cancel()
        try:
            st.session_state.job = retrain.start(study, retrain.Order(model, seed, share / 100, n_splits))
            jobs()[:] = [st.session_state.job]
        except (retrain.RetrainError, StoreError) as error:
            st.error(str(error), icon=":material/error:")


def show_job(study, job, table, was_running):
    if was_running and job.state != "running":
        # Run the whole page again: progress is no longer needed after the end of a training.
        st.rerun()
    order, title = job.order, study.models[job.order.model]["title"]
    st.subheader(f"{title}, retrained")
    if was_running:
        left = job.seconds_left
        st.progress(job.share, job.sentence + (f", {duration(left)} left" if left else ""))
        st.button("Cancel", on_click=job.cancel, icon=":material/close:")
    else:
        say = {"failed": st.error, "cancelled": st.warning}.get(job.state, st.success)
        with st.container(key=connection.KEPT):
            say(job.sentence)
    if not job.n_done:
        return
    made = job.predictions
    results = scoring.per_split(made, study.thresholds)
    name = f"{order.model}-retrained-seed-{order.seed}"
    tables.show_each(comparison.wide(results, order.model), study.task, name, key="retrained")
    splits = f"{counted(job.n_done, 'random split')} with {order.test_share:.0%} test rows, seed {order.seed}"
    size = f"{made['recording'].nunique()} recordings of {made['person'].nunique()} people"
    st.markdown(f":small[Measured on {study.name}, {splits}: {size}.]")
    if not was_running:
        compare(study, job, made, results, table, name)


def compare(study, job, made, results, table, name):
    from coughlab.charts import splits as chart

    model, lucky = job.order.model, comparison.lucky(results, job.order.model, "accuracy")
    st.markdown(comparison.luck_in_words(lucky, study.models[model]["title"], "accuracy"))
    st.markdown(f"**Beside the {counted(len(comparison.by_split(table, model)), 'stored split')}**")
    if job.order.seed == study.manifest["seed"]:
        st.markdown(retrain.reproduced_in_words(made, study.predictions, model))
    tables.show_summary(results, model, f"{name}-summary", key="retrained summary", stored=table)
    figure = chart.distribution(comparison.by_split(results, model), lucky, "accuracy")
    show_chart(figure, name, key="retrained splits", alt="Every metric on every retrained split")
