"""Texts that visitors and datasets brought along, where Streamlit reads Markdown."""

import re


def literal(text: object) -> str:
    """Markdown that shows a text as it is."""
    # Spaces are narrow, since a line that begins with four is code.
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(str(text).split()))
