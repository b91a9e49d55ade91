"""``covid19-cough/dataset``: coughs made on request, recorded by phone through a call centre or by a Telegram bot.

Layout: ``metadata.json``, a list of objects with ``filename``, ``covid19`` and ``source``, and the recordings in ``raw/``. The
dataset does not say who coughed, so each recording counts as a different person.
"""

import json
from pathlib import Path

from coughlab.datasets import filenames, labels, listing
from coughlab.datasets.listing import DatasetError, Listed

NAME = "covid19-cough"
TITLE = "covid19-cough"
LICENCE = "CC0 1.0"
CITE = "GitHub: covid19-cough/dataset"
ORDER = 2

LIST = "metadata.json"
AUDIO = "raw"


def recognises(folder: Path) -> bool:
    """Whether a folder is laid out like this dataset."""
    return (folder / LIST).exists() and (folder / AUDIO).is_dir()


def load(folder: Path) -> Listed:
    """Read the list of recordings."""
    if missing := [name for name in (LIST, AUDIO) if not (folder / name).exists()]:
        raise DatasetError(f"{folder} has no {' and no '.join(missing)}. Give the folder of the dataset.")
    rows, skipped, seen = [], [], set()
    for item in _listed(folder / LIST):
        name, label = item.get("filename"), item.get("covid19")
        name = name.strip() if isinstance(name, str) else ""
        seen.add(name)
        if reason := listing.name_problem(name):
            skipped.append((name, reason))
        elif not isinstance(label, bool):
            skipped.append((name, "The list does not say whether the person had COVID-19."))
        else:
            source = str(item.get("source") or "unknown")
            person = f"covid19-cough:{filenames.stem(name)}"
            rows.append(
                (name, person, labels.POSITIVE if label else labels.NEGATIVE, source, folder / AUDIO / name)
            )
    return Listed(rows, skipped + listing.unlisted(folder / AUDIO, seen))


def _listed(path: Path) -> list[dict]:
    try:
        listed = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path} could not be read: {error}") from error
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise DatasetError(f"{path} is not a list of recordings.")
    if not any("filename" in item and "covid19" in item for item in listed):
        raise DatasetError(f"{path} has no recording with filename and covid19.")
    return listed
