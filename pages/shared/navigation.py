"""The pages; each page's file has its title and its position."""

import ast
from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

#: The folder with one file per page.
FOLDER = Path(__file__).parents[1]


def pages(folder: Path = FOLDER) -> dict[str, list[StreamlitPage]]:
    """The pages in a folder by group; groups and pages are sorted by the number ``order`` of the pages.

    A page is a file with ``PAGE = {"title": ..., "icon": ..., "group": ..., "order": ...}``. The first one has the app's own
    address, the others the address of their file name.
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
    """The ``PAGE`` of a file, read without running it; `changed` is the file's modification time."""
    for statement in ast.parse(path.read_text()).body:
        match statement:
            case ast.Assign(targets=[ast.Name("PAGE")], value=value):
                return ast.literal_eval(value)
    raise ValueError(f"{path} does not say its title, icon, group and order: PAGE = {{...}}")
