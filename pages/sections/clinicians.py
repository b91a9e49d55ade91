"""What the component of the page "For clinicians" shows, named in the page's address."""

import streamlit as st

from coughlab.evaluation import decision
from pages.components.clinical import OTHERS
from pages.shared import address

#: Where the prevalence starts.
PREVALENCE = 0.05


def read(threshold):
    """What the address names as arguments of `clinical.show`; `threshold` is where that of the model starts."""
    return {
        "at": address.number("threshold", 0, 1, threshold),
        "prevalence": address.number("prevalence", 0.001, 0.9, PREVALENCE),
        "others": {
            key: [address.number(f"{key}_{score}", 0, 100, other[score]) for score in decision.SHARES]
            for key, other in OTHERS.items()
        },
    }


def keep(key):
    """Put what was chosen in the component of that key into the link."""
    new = st.session_state[key]["chosen"]
    st.query_params["threshold"], st.query_params["prevalence"] = (
        str(new["threshold"]),
        str(new["prevalence"]),
    )
    for other, pair in new["others"].items():
        for score, value in zip(decision.SHARES, pair, strict=True):
            name = f"{other}_{score}"
            if value != OTHERS[other][score]:
                st.query_params[name] = str(value)
            else:
                st.query_params.pop(name, None)
