"""COUGHVID (EPFL): coughs that people recorded on a web page, with self-reported health.

Layout: ``metadata_compiled.csv`` with columns ``uuid``, ``cough_detected`` and ``status``, and ``<uuid>.webm`` or ``.ogg`` beside
it (``.wav`` if converted). The dataset does not say who coughed, so each recording counts as a different person.
"""

from pathlib import Path

from coughlab.datasets import filenames, listing
from coughlab.datasets.listing import DatasetError, Listed

NAME = "coughvid"
TITLE = "COUGHVID"
LICENCE = ""
CITE = 'Orlandic, Teijeiro and Atienza, "The COUGHVID crowdsourcing dataset", Scientific Data 8, 156 (2021)'
ORDER = 4

LIST = "metadata_compiled.csv"
#: The original recording is preferred to converted ones.
SUFFIXES = (".webm", ".ogg", ".wav", ".mp3", ".flac")
#: Lowest probability of the authors' cough detector, as they recommend.
DETECTED = 0.8
_AGAIN = "It is another file of a recording that is taken already."
# Version 1 says "COVID". A person who reports only symptoms has not reported COVID-19.
_STATUS = {"COVID-19": "covid", "COVID": "covid", "healthy": "not_covid", "symptomatic": "not_covid"}


def recognises(folder: Path) -> bool:
    """Whether a folder is laid out like this dataset."""
    return (folder / LIST).exists()


def load(folder: Path) -> Listed:
    """Read the list of recordings."""
    import pandas as pd

    if not recognises(folder):
        raise DatasetError(f"{folder} has no {LIST}. Give the folder of the unpacked COUGHVID dataset.")
    listed = listing.read_list(folder / LIST, {"uuid", "cough_detected", "status"})
    detected = pd.to_numeric(listed["cough_detected"], errors="coerce")
    present = listing.recordings(folder)
    rows, skipped, used = [], [], set()
    for uuid, status, sure in zip(listed["uuid"], listed["status"], detected, strict=True):
        name = next((uuid + suffix for suffix in SUFFIXES if uuid + suffix in present), uuid + SUFFIXES[0])
        used.add(name)
        if reason := listing.name_problem(uuid) or _problem(status, sure):
            skipped.append((name if uuid else "", reason))
        else:
            rows.append((name, f"coughvid:{uuid}", _STATUS[status], "coughvid", folder / name))
    uuids = set(listed["uuid"])
    for name in sorted(present - used):
        again = filenames.stem(name) in uuids
        skipped.append((name, _AGAIN if again else listing.NOT_LISTED))
    return Listed(rows, skipped)


def _problem(status: str, sure: float) -> str:
    if status not in _STATUS:
        return f"Its status is {status}, which is not known." if status else "Nothing is said of its health."
    if not sure >= DETECTED:
        return f"The authors' detector is less than {DETECTED:.0%} sure that it holds a cough."
    return ""
