"""How far an answer can be believed, said before the answer."""

import streamlit as st

from coughlab.evidence import verdict as answer
from coughlab.serving import predictors
from coughlab.text import percent

#: Other verdicts neither discredit the answer nor let it stand alone.
GOOD = ("weak", "moderate")
LEAST_PERCENT = 0.01


def ask_prevalence():
    """How common COVID is among people like the one recorded; the link to the page keeps it."""
    try:
        before = answer.prevalence_of(
            st.query_params.get("prevalence", predictors.default().study.task.prevalence)
        )
    except answer.PrevalenceError as error:
        st.warning(
            f"{error} Reckoned with {percent(predictors.default().study.task.prevalence)}.",
            icon=":material/warning:",
        )
        before = predictors.default().study.task.prevalence

    def keep():
        st.query_params["prevalence"] = f"{st.session_state.percent / 100:g}"

    of_100 = st.number_input(
        "Of 100 people like the one recorded, how many have COVID?",
        min_value=LEAST_PERCENT,
        max_value=100 - LEAST_PERCENT,
        value=min(max(round(100 * before, 3), LEAST_PERCENT), 100 - LEAST_PERCENT),
        step=1.0,
        format="%g",
        key="percent",
        on_change=keep,
        width=400,
        help="The probability of COVID before the answer, from what you know of place, time and symptoms. 5 is an example.",
    )
    return of_100 / 100


def show_verdict(prediction):
    """The verdict on the main model's answer, larger than any label."""
    evidence = prediction.evidence[predictors.default().study.main_model]
    verdict = evidence["verdict"]
    box, icon = st.warning, ":material/warning:"
    if verdict in answer.DISCREDITED:
        box, icon = st.error, ":material/block:"
    elif verdict in GOOD:
        box, icon = st.info, ":material/info:"
    box(f"## {answer.HEADLINES[verdict]}\n\n{evidence['message']}", icon=icon)
    if verdict != "no_basis":
        unusual = prediction.novelty.code != "familiar"
        icon = ":material/help:" if unusual else ":material/check:"
        st.markdown(f"{icon} **The recording.** {prediction.novelty.message}")


def show_answer(name, answered, evidence, model):
    """One model's answer: what is known of it first, and less loud, what it says."""
    label, probability = predictors.default().study.task.title(answered.label), percent(answered.probability)
    final = " · final model of the case study" if name == predictors.default().study.main_model else ""
    st.markdown(f"**{model['title']}**{final}")
    st.markdown(f"#### {answer.HEADLINES[evidence['verdict']]}")
    said = f"Says: {label} · Probability of COVID: {probability}"
    if evidence["verdict"] in answer.DISCREDITED:
        st.markdown(f":gray[{said}]")
    else:
        st.markdown(f"**{said}**")
    # Why there is no basis stands above, and is the same for all models.
    known = f"{evidence['message']} " if evidence["verdict"] != "no_basis" else ""
    st.markdown(f":small[{known}{answer.meaning(evidence, answered.label, predictors.default().study.task)}]")
    st.markdown(f":small[Says COVID from {answered.threshold:.0%} on. {model['summary']}]")
