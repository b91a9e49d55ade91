"""The pages, each of which says in its own file what it is called and where it stands."""

import ast
from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

#: The folder with a file for each page.
FOLDER = Path(__file__).parents[1]


def pages(folder: Path = FOLDER) -> dict[str, list[StreamlitPage]]:
    """The pages in a folder by their group; groups and pages stand in the order of the numbers that pages give themselves.

    A page is a file with ``PAGE = {"title": ..., "icon": ..., "group": ..., "order": ...}``. The first one is at the app's own
    address, the others at that of their file's name.
    """
    found = {path: facts(path, path.stat().st_mtime_ns) for path in folder.glob("*.py")}
    first, *_ = ordered = sorted(found, key=lambda path: found[path]["order"])
    shown = [
        st.Page(path, title=found[path]["title"], icon=found[path]["icon"], default=path == first)
        for path in ordered
    ]
    groups: dict[str, list[StreamlitPage]] = {}
    for path, page in zip(ordered, shown, strict=True):
        groups.setdefault(found[path]["group"], []).append(page)
    return groups


@lru_cache
def facts(path: Path, changed: int) -> dict:
    """What a page says of itself, read without running it; `changed` is when the file was."""
    for statement in ast.parse(path.read_text()).body:
        match statement:
            case ast.Assign(targets=[ast.Name("PAGE")], value=value):
                return ast.literal_eval(value)
    raise ValueError(f"{path} does not say its title, icon, group and order: PAGE = {{...}}")
