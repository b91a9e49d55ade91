"""The protocol and the test dataset of a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from coughlab.evaluation.protocols import PROTOCOLS, WITHIN
from pages.shared import address

if TYPE_CHECKING:  # it takes time to import
    from pandas import DataFrame

#: Order with the strictest test last.
PROVES = "The further down, the more a score proves."


def name_of(pair: tuple[str, str]) -> str:
    """Name of a protocol and test dataset in an address, the same in every study."""
    return pair[0] if pair[0] in WITHIN else ":".join(pair)


def title_of(pair: tuple[str, str]) -> str:
    """Title of a protocol and test dataset in a selection, the same in every study."""
    protocol, tested_on = pair
    return WITHIN[protocol].choice if protocol in WITHIN else f"{PROTOCOLS[protocol].choice}: {tested_on}"


def ask_protocol(
    pairs: Iterable[tuple[str, str]], where: DeltaGenerator = st, note: str = PROVES
) -> tuple[str, str]:
    """Ask for the protocol and test dataset, one of the given pairs in their order."""
    named = {name_of(pair): pair for pair in pairs}
    chosen = address.choose(
        where.selectbox,
        "Tested on",
        {name: title_of(pair) for name, pair in named.items()},
        key="protocol",
        help=f"How recordings were split into those trained on and those tested on. {note}",
    )
    return named[chosen]


def pairs_in(table: DataFrame) -> list[tuple[str, str]]:
    """Pairs of protocol and test dataset in a study's `metrics`, the strictest last."""
    there = table[["protocol", "tested_on"]].drop_duplicates().itertuples(index=False, name=None)
    return sorted(there, key=lambda pair: list(PROTOCOLS).index(pair[0]))


def rows_of(table: DataFrame, pair: tuple[str, str]) -> DataFrame:
    """The rows of a table with one protocol and test dataset."""
    protocol, tested_on = pair
    return table[(table["protocol"] == protocol) & (table["tested_on"] == tested_on)]
