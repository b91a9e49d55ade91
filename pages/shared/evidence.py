"""How reliable an answer is; shown before the answer."""

from collections.abc import Callable

import streamlit as st

from coughlab.evidence import verdict as answer
from coughlab.serving import predictors
from coughlab.serving.predictors import Answer, Prediction
from coughlab.studies.store import StoredStudy
from coughlab.task import Task
from coughlab.text import percent
from pages.shared import address

#: Verdicts shown as information; other verdicts that do not discredit the answer are shown as warnings.
GOOD = ("weak", "moderate")
LEAST_PERCENT = 0.01


def enter_prevalence(who: str, task: Task, before: float, **options) -> float:
    """Ask for the prevalence among people like those recorded."""
    of_100 = st.number_input(
        f"Of 100 people like {who}, how many have {task.condition}?",
        min_value=LEAST_PERCENT,
        max_value=100 - LEAST_PERCENT,
        value=min(max(round(100 * before, 3), LEAST_PERCENT), 100 - LEAST_PERCENT),
        step=1.0,
        format="%g",
        width=400,
        help=f"The probability of {task.condition} before the answer, from what you know of place, time and symptoms."
        f" {100 * task.prevalence:g} is an example.",
        **options,
    )
    return of_100 / 100


def ask_prevalence(task: Task) -> float:
    """Ask for the prevalence among people like the person recorded; the page's address keeps it."""
    try:
        before = answer.prevalence_of(st.query_params.get("prevalence", task.prevalence))
    except answer.PrevalenceError as error:
        before = task.prevalence
        st.warning(f"{error} Reckoned with {percent(before)}.", icon=":material/warning:")

    def keep():
        address.keep("prevalence", f"{st.session_state.percent / 100:g}")

    return enter_prevalence("the one recorded", task, before, key="percent", on_change=keep)


def box_of(verdict: str) -> tuple[Callable, str]:
    """The box that shows a verdict, and its icon: the less reliable the answer, the more prominent."""
    if verdict in answer.DISCREDITED:
        return st.error, ":material/block:"
    return (st.info, ":material/info:") if verdict in GOOD else (st.warning, ":material/warning:")


def show_verdict(prediction: Prediction) -> None:
    """The verdict on the main model's answer, larger than any label."""
    evidence = prediction.evidence[predictors.default().study.main_model]
    verdict = evidence["verdict"]
    box, icon = box_of(verdict)
    box(f"## {answer.HEADLINES[verdict]}\n\n{evidence['message']}", icon=icon)
    if verdict != "no_basis":
        unusual = prediction.novelty.code != "familiar"
        icon = ":material/help:" if unusual else ":material/check:"
        st.markdown(f"{icon} **The recording.** {prediction.novelty.message}")


def show_answer(name: str, answered: Answer, evidence: dict, study: StoredStudy) -> None:
    """Show one model's answer: first its evidence, then, less prominent, the answer."""
    model, condition = study.models[name], study.task.condition
    label, probability = study.task.title(answered.label), percent(answered.probability)
    of = "case study" if study.name == predictors.STUDY else "study"
    final = f" · final model of the {of}" if name == study.main_model else ""
    st.markdown(f"**{model['title']}**{final}")
    st.markdown(f"#### {answer.HEADLINES[evidence['verdict']]}")
    said = f"Says: {label} · Probability of {condition}: {probability}"
    if evidence["verdict"] in answer.DISCREDITED:
        st.markdown(f":gray[{said}]")
    else:
        st.markdown(f"**{said}**")
    # The reason for the verdict is shown above, and is the same for all models.
    known = f"{evidence['message']} " if evidence["verdict"] != "no_basis" else ""
    st.markdown(f":small[{known}{answer.meaning(evidence, answered.label, study.task)}]")
    st.markdown(f":small[Says {condition} from {answered.threshold:.0%} on. {model['summary']}]")
