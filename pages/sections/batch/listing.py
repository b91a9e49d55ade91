"""Results for many recordings: summary, verdict, list, and downloads."""

from collections import Counter

import streamlit as st

from coughlab.evidence import verdict as beliefs
from coughlab.serving import batch as many
from coughlab.text import counted, to_csv
from pages.sections.batch import asking, one
from pages.shared import evidence

NAMED = 5


def orders(task):
    """Sort orders of the files: sort keys."""
    return {
        "As they came": lambda answer: 0,
        "By file name": lambda answer: answer["file"].casefold(),
        "Most coughs first": lambda answer: -answer["cough"]["found"] if "cough" in answer else 1,
        f"Highest probability of {task.condition} first": lambda answer: -(answer.get("probability") or -1),
        "What needs a look first": lambda answer: -len(many.doubts(answer, task)),
    }


def show(batch, study, models):
    """Show a batch; `models` are the names of the models that answer."""
    answers, task = batch.answers, study.task
    _tell_stopped(batch)
    count, asked, by = many.counts(answers, task), many.kinds(task), orders(task)
    if answers:
        st.subheader("What was found")
        st.markdown(f"**{many.summary(count)}**")
    for name, why in batch.taken.refused.items():
        st.error("This ZIP was not unpacked.", icon=":material/folder_off:")
        # Names of files are not markup.
        st.text(f"{name}: {why}")
    if left_out := batch.taken.left_out:
        more = f" and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else ""
        st.text(f"Left out, as they are no recordings: {', '.join(left_out[:NAMED])}{more}.")
    if not answers:
        return
    show_verdict(answers)
    kinds = [kind for kind in asked if count[kind]]
    kind = st.pills(
        "Show",
        kinds,
        default="all",
        required=True,
        format_func=lambda kind: f"{asked[kind][0]} {count[kind]:,}",
        key=f"kind {batch.number}",
    )
    order = st.selectbox("In order", list(by), key="order", width=320)
    shown = sorted(filter(asked[kind][1], answers), key=by[order])
    titles = {name: study.models[name]["title"] for name in models}
    state = st.dataframe(
        table(shown, study, titles),
        key=f"files {batch.number} {kind} {order}",
        hide_index=True,
        column_config=_columns(titles, task),
        placeholder="–",
        on_select="rerun",
        selection_mode="single-row",
        alt="A row for each file: coughs, what is heard, what the models say",
    )
    _offer(shown, answers, study, models)
    # The selected row may no longer exist, if the table has become shorter.
    rows = [row for row in state.selection.rows if row < len(shown)]
    if rows:
        one.show(batch, shown[rows[0]], titles, task)
    else:
        st.info("Mark a row at its left edge to hear and see that recording.", icon=":material/touch_app:")


def _tell_stopped(batch):
    if batch.pending:
        st.warning(
            f"Stopped: {len(batch.answers):,} of {len(batch.taken.names):,} files are answered, and kept.",
            icon=":material/pause_circle:",
        )
        st.button("Go on with the rest", icon=":material/play_arrow:", on_click=asking.go_on)


def show_verdict(answers):
    """The verdicts on the main model's labels: the commonest one in full, the others by name."""
    about = [answer for answer in answers if answer.get("evidence")]
    if not about:
        return
    verdicts = Counter(answer["evidence"]["verdict"] for answer in about)
    (verdict, number), *others = verdicts.most_common()
    said = next(answer["evidence"] for answer in about if answer["evidence"]["verdict"] == verdict)
    box, icon = evidence.box_of(verdict)
    rest = "".join(f" For {amount:,}: {_lower(beliefs.HEADLINES[other])}." for other, amount in others)
    box(
        f"#### How far to believe the labels: {_lower(beliefs.HEADLINES[verdict])}\n\n{_why(verdict, said)}\n\n"
        f"So it is for {number:,} of {counted(len(about), 'file')} that got a label.{rest}",
        icon=icon,
    )


def _lower(text):
    return text[0].lower() + text[1:]


def _why(verdict, said):
    if verdict != "no_basis":
        return said["message"]
    # The message itself is about one recording.
    return (
        "These recordings are unlike all that the models were trained on. What is said of them means nothing."
    )


def table(answers, study, titles):
    """The list for display: one row per answer, the most important columns at the left."""
    import pandas as pd

    main, task = titles[study.main_model], study.task
    frame = pd.DataFrame(
        {
            "File": answer["file"],
            "Coughs": answer["cough"]["found"] if "cough" in answer else None,
            f"{main} says": task.title(answer["label"]) if answer.get("label") else None,
            "Remarks": remarks(answer, task),
            **{f"{title}: {task.condition}": _percent(answer, name) for name, title in titles.items()},
            "Coughs at (s)": many.times(answer) if "events" in answer else None,
            "Length": answer["audio"]["duration_s"] if "audio" in answer else None,
            "How far to believe it": beliefs.HEADLINES[answer["evidence"]["verdict"]]
            if answer.get("evidence")
            else None,
        }
        for answer in answers
    )
    return frame.astype({"Coughs": "Int64"})


def _percent(answer, model):
    said = answer.get("models", {}).get(model)
    return said and 100 * said["probability"]


def remarks(answer, task):
    """One line about an answer: the error, or what is heard instead of a cough, and the doubts."""
    if "error" in answer:
        return f"Error: {answer['error']['message']}"
    heard = answer["cough"]["heard"]
    instead = [f"No cough. Heard instead: {heard['message']}"] if heard else []
    return " ".join(instead + many.doubts(answer, task))


def _columns(titles, task):
    percent = st.column_config.NumberColumn(
        format="%.1f%%", help=f"Probability of {task.condition}, says the model."
    )
    return {
        "File": st.column_config.TextColumn(width="medium", pinned=True),
        "Coughs": st.column_config.NumberColumn(width="small"),
        "Remarks": st.column_config.TextColumn(width="large"),
        "Length": st.column_config.NumberColumn(format="%.1f s"),
        "How far to believe it": st.column_config.TextColumn(width="large"),
    } | {f"{title}: {task.condition}": percent for title in titles.values()}


def _offer(shown, answers, study, models):
    """Downloads of the rows shown and, if these are not all, of all rows."""
    sets = {"all": answers} if len(shown) == len(answers) else {"shown": shown, "all": answers}
    with st.container(horizontal=True):
        for which, those in sets.items():
            for kind, make, mime in (("CSV", csv, "text/csv"), ("JSON", json, "application/json")):
                st.download_button(
                    f"{kind} of {'the' if which == 'shown' else 'all'} {len(those):,}{' shown' if which == 'shown' else ''}",
                    lambda make=make, those=those: make(those, study.task, models),
                    f"coughlab-batch{'-shown' if which == 'shown' else ''}.{kind.lower()}",
                    mime,
                    icon=":material/download:",
                    key=f"{kind} {which}",
                    on_click="ignore",
                )


def csv(answers, task, models):
    """Answers as CSV with one row per file."""
    return to_csv(many.table(answers, task, models))


def json(answers, task, models):
    """Answers as the API gives them."""
    return many.to_json(answers)
