"""The parts of the page "For clinicians"; the page's address has the state of its component."""

import streamlit as st

from coughlab.evaluation import decision
from coughlab.evaluation.protocols import STRICTEST
from coughlab.text import counted, percent
from pages.components import clinical
from pages.components.clinical import OTHERS
from pages.shared import address
from pages.shared.measured import measured, measured_on
from pages.shared.protocol import ask_protocol, title_of
from pages.shared.study import ask_model, ask_study, titles_of

#: The initial prevalence.
PREVALENCE = 0.05


def read(threshold):
    """The state in the address as arguments of `clinical.show`; `threshold` is the model's default."""
    return {
        "at": address.number("threshold", 0, 1, threshold),
        "prevalence": address.number("prevalence", 0.001, 0.9, PREVALENCE),
        "others": {
            key: [address.number(f"{key}_{score}", 0, 100, other[score]) for score in decision.SHARES]
            for key, other in OTHERS.items()
        },
    }


def keep(key):
    """Write the choices in the component with that key to the address."""
    new = st.session_state[key]["chosen"]
    for name in ("threshold", "prevalence"):
        address.keep(name, new[name])
    for other, pair in new["others"].items():
        for score, value in zip(decision.SHARES, pair, strict=True):
            address.keep(f"{other}_{score}", value if value != OTHERS[other][score] else None)


def ask():
    """The study, the model, the protocol and test dataset, and the strictest test's name if that is another one."""
    study_at, model_at, protocol_at = st.columns(3)
    study = ask_study(study_at)
    # The main model is first, so that it is the default.
    titles = titles_of(study)
    model = ask_model(
        {main: titles[main] for main in [study.main_model] if main in titles} | titles, model_at
    )
    tests = study.metrics.query("model == @model and role == 'test'")
    classes = tests.groupby(["protocol", "tested_on"], observed=True)[["positives", "negatives"]].max()
    # Tests with only one class show little: they come last.
    by_proof = sorted(classes.index, key=lambda pair: (not classes.loc[pair].all(), STRICTEST.index(pair[0])))
    note = "The further up, the more the numbers prove; tests where only one class was heard come last."
    pair = ask_protocol(by_proof, protocol_at, note)
    return study, model, *pair, title_of(by_proof[0]) if pair != by_proof[0] else None


def warn(study, model, protocol, tested_on):
    """Show the warnings that are needed before any number."""
    st.warning(
        "A tool for research and teaching, **not a medical device**: nothing on this page is fit to decide what is done with a"
        " patient.",
        icon=":material/warning:",
    )
    known = study.evidence.query("model == @model and protocol == @protocol and tested_on == @tested_on")
    for row in known.dropna(subset="roc_auc").to_dict("records"):
        auc = "ROC AUC {roc_auc:.2f}, 95% interval {roc_auc_low:.2f} to {roc_auc_high:.2f}".format(**row)
        if row["roc_auc_low"] > 0.5:
            st.markdown(
                f"How well the model tells {study.task.condition} from the rest: {auc}. 0.5 is a coin, 1 is perfect."
            )
            continue
        if row["roc_auc_high"] < 0.5:
            head, why = "This model is worse than guessing here", "It ranks the healthy above the ill"
        else:
            head, why = "This model may be guessing", "What was measured is compatible with chance"
        st.error(
            f"### {head}\n\n{why}: {auc}, where 0.5 is a coin. Read all numbers below with that in mind. A positive or a"
            " negative result may mean nothing at all.",
            icon=":material/error:",
        )


def one_class(study, rows, at):
    """If all recordings are of one class, only one number can be measured."""
    (known,) = decision.at(rows, [at]).to_dict("records")
    score, who = ("specificity", "Nobody") if not rows["positive"].iloc[0] else ("sensitivity", "Everybody")
    value, low, high = (percent(known[f"{score}{end}"]) for end in ("", "_low", "_high"))
    condition = study.task.condition
    st.info(
        f"{who} in {rows['tested_on'].iloc[0]} has {condition}, so only the {score} can be measured: **{value}** (95% interval"
        f" {low} to {high}), where a probability of {at:g} or more is predicted {condition}. Without the other number there are"
        " no likelihood ratios, no predictive values and no decision curve. Choose another test above to see them.",
        icon=":material/info:",
    )
    measured_on(study, rows)


@st.fragment
def explore(study, rows, model, protocol, tested_on):
    size = f"{rows['recording'].nunique():,} recordings of {rows['person'].nunique():,} people"
    n_splits = counted(rows["split"].nunique(), "split")
    clinical.show(
        rows,
        **read(study.thresholds[model]),
        trained=decision.trained_prevalence(study.predictions, study.name, model, protocol),
        condition=study.task.condition,
        name="-".join([study.name, model, protocol, tested_on]),
        title=study.models[model]["title"],
        about=[f"{study.models[model]['title']}, {protocol}, tested on {tested_on}", f"{size}, {n_splits}"],
        measured=measured(study, rows),
        key="clinical",
        on_change=lambda: keep("clinical"),
    )
