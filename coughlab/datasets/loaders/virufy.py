"""Virufy's clinical coughs (``virufy/virufy-data``), recorded at a hospital, the label from a PCR test.

Layout: ``clinical/labels.csv`` with columns ``corona_test`` and ``cough_filename``, one row per patient;
``clinical/original/{pos,neg}/*.mp3`` or ``clinical/original/*.mp3``, one per patient; ``clinical/segmented/{pos,neg}/*-<n>.mp3``,
the single coughs cut out of them. A name has the date and the patient: ``pos-0421-084-cough-m-50.mp3``.

A patient's segments are used if there are any, else the original: both together would be the same sound twice.
"""

import re
from collections import defaultdict
from pathlib import Path, PurePosixPath

from coughlab.datasets import filenames, listing
from coughlab.datasets.listing import DatasetError, Listed

NAME = "virufy"
TITLE = "Virufy"
LICENCE = ""
CITE = "GitHub: virufy/virufy-data"
ORDER = 3

ROOT = "clinical"
LIST = "labels.csv"
SOURCE = "virufy"
_RESULTS = {"positive": "covid", "negative": "not_covid"}
_FOLDERS = {"pos": "covid", "neg": "not_covid"}


def recognises(folder: Path) -> bool:
    """Whether a folder is laid out like this dataset."""
    return (folder / ROOT / LIST).exists()


def load(folder: Path) -> Listed:
    """Read the list of patients and the recordings of each."""
    if not recognises(folder):
        raise DatasetError(f"{folder} has no {ROOT}/{LIST}. Give the folder of the Virufy repository.")
    listed = listing.read_list(folder / ROOT / LIST, {"corona_test", "cough_filename"})
    found, links, _ = listing.below(folder / ROOT)
    found = [name for name in found if listing.is_audio(name)]
    originals, segments = _originals(found), _segments(found)
    rows, skipped, known = [], [(name, listing.LINK) for name in links], set()
    for name, result in zip(listed["cough_filename"], listed["corona_test"], strict=True):
        own = segments.get(filenames.stem(name), [])
        original, *again = originals.get(name, [f"original/{name}"])
        known.update([original, *again, *own])
        skipped += [(recording, f"It is the same patient's as {original}.") for recording in again]
        label = _RESULTS.get(result.lower())
        if reason := listing.name_problem(name) or _result_problem(label, result):
            skipped += [(recording, reason) for recording in ([original, *own] if name else [""])]
            continue
        person = (filenames.origin(name) or (f"virufy:{filenames.stem(name)}", SOURCE))[0]
        if own:
            skipped.append((original, "The coughs cut out of it are used instead."))
        for recording in own or [original]:
            part = PurePosixPath(recording).parts[1]
            if _FOLDERS.get(part, label) != label:
                skipped.append((recording, f"It lies in {part}, but the list says {result}."))
            else:
                rows.append((recording, person, label, SOURCE, folder / ROOT / recording))
    return Listed(rows, skipped + [(name, listing.NOT_LISTED) for name in found if name not in known])


def _originals(found: list[str]) -> dict[str, list[str]]:
    """Places of the originals by their file names; a name may be in several folders."""
    originals: dict[str, list[str]] = defaultdict(list)
    for name in found:
        if name.startswith("original/"):
            originals[PurePosixPath(name).name].append(name)
    return originals


def _segments(found: list[str]) -> dict[str, list[str]]:
    """Names of the segments, in the order of their numbers, by the stem of the original they were cut from."""
    segments: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name in found:
        match = re.fullmatch(r"(?P<stem>.+)-(?P<number>\d+)", filenames.stem(name))
        if match and name.startswith("segmented/"):
            segments[match["stem"]].append((int(match["number"]), name))
    return {stem: [name for _, name in sorted(numbered)] for stem, numbered in segments.items()}


def _result_problem(label: str | None, result: str) -> str:
    return "" if label else f"Its test result is {result or '(empty)'}, neither positive nor negative."
