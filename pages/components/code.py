"""The files that components are made of: those of a component's own folder, and those beside this module, which several share."""

from pathlib import Path

SHARED = Path(__file__).parent


def joined(*paths: Path) -> str:
    """Contents of files, one after another."""
    return "\n".join(path.read_text() for path in paths)
