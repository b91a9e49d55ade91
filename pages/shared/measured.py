"""A small line under a chart or table on the data behind its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from coughlab.evaluation.protocols import PROTOCOLS
from coughlab.studies.store import StoredStudy
from coughlab.text import counted

if TYPE_CHECKING:  # it takes time to import
    from pandas import DataFrame


def measured_on(study: StoredStudy, rows: DataFrame, note: str = "") -> None:
    """Show what the numbers were computed from: rows of the predictions table or of the feature table."""
    st.markdown(f":small[{measured(study, rows)}{f' {note}' if note else ''}]")


def measured(study: StoredStudy, rows: DataFrame) -> str:
    """The sentence of `measured_on`."""
    size = f"{rows['recording'].nunique():,} recordings of {rows['person'].nunique():,} people"
    if "split" not in rows:
        return f"Measured on {study.name}: {len(rows):,} rows, {size}."
    trained = "" if set(rows["tested_on"]) == {study.name} else f" (trained on {study.name})"
    tested_on = ", ".join(rows["tested_on"].unique()) + trained
    protocols = "; ".join(
        f"{name} protocol ({PROTOCOLS[name].caption}), {counted(number, 'split')}"
        for name, number in rows.groupby("protocol", observed=True)["split"].nunique().items()
    )
    roles = " and ".join(role for role in ("train", "test") if (rows["role"] == role).any())
    return f"Measured on {tested_on}, {protocols}, {roles} rows: {size}."
