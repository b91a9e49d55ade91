"""Escapes untrusted texts of visitors and datasets where Streamlit reads Markdown."""

import re


def literal(text: object) -> str:
    """Markdown that shows a text as it is."""
    # Spaces become narrow spaces, because a line that begins with four spaces is code.
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(str(text).split()))
