"""Coswara (Indian Institute of Science): coughs, breaths, vowels and counting that people recorded on a web page.

Layout: ``combined_data.csv`` with columns ``id`` and ``covid_status``, one row per person, and
``<YYYYMMDD>/<person>/<kind>.wav``, one folder per publication day. The day's folder may be in ``Extracted_data`` or in another
folder of the same name, as the authors' archives unpack. A person who is not in the list may have a ``metadata.json`` in their
folder. Only coughs are used.

The source is the day: all recordings came through one web page, but its questions, the participants, their phones and the share
of the ill changed with time.
"""

import json
import re
from collections import defaultdict
from pathlib import Path

from coughlab.datasets import filenames, listing
from coughlab.datasets.listing import DatasetError, Listed

NAME = "coswara"
TITLE = "Coswara"
LICENCE = "CC BY 4.0"
CITE = (
    'Bhattacharya et al., "Coswara: a respiratory sounds and symptoms dataset for remote screening of SARS-CoV-2 infection",'
    " Scientific Data 10, 397 (2023)"
)
ORDER = 5

LIST = "combined_data.csv"
COUGHS = ("cough-heavy", "cough-shallow")
_DAY = re.compile(r"20\d{6}")
_NEGATIVE = {"healthy", "no_resp_illness_exposed", "resp_illness_not_identified"}


def recognises(folder: Path) -> bool:
    """Whether a folder is laid out like this dataset."""
    return bool(_by_person(listing.below(folder).files))


def load(folder: Path) -> Listed:
    """Read the list of people and the coughs of each.

    Every person in the list whose day is present should have both coughs: missing files stay in the table.
    """
    found, links, _ = listing.below(folder)
    people = _by_person(found)
    if not people:
        raise DatasetError(f"{folder} has no recordings laid out as <YYYYMMDD>/<person>/<kind>.wav.")
    days = {_day(place): place.rpartition("/")[0] for places in people.values() for place in places}
    suffix = next(name[name.rfind(".") :] for places in people.values() for name in min(places.values()))
    rows, skipped = [], [(name, listing.LINK) for name in links]
    for person, status, date in _listed(folder, people):
        places = people.get(person, {})
        if not places and (day := date.replace("-", "")) in days:
            places = {f"{days[day]}/{person}": []}
        if not places:
            skipped.append((person, "The list has this person, but there is no folder of that name."))
        label, reason = _label(status)
        for place, recordings in places.items():
            missing = [kind for kind in COUGHS if kind not in map(filenames.stem, recordings)]
            for name in recordings + [f"{place}/{kind}{suffix}" for kind in missing]:
                if why := reason or ("" if filenames.stem(name) in COUGHS else "It is not a cough."):
                    skipped.append((name, why))
                else:
                    source = f"coswara {_day(place)}"
                    rows.append((name, f"coswara:{person}", label, source, folder / name))
    return Listed(rows, skipped)


def _by_person(found: list[str]) -> dict[str, dict[str, list[str]]]:
    """For each person, the folders with recordings, and the recordings in each."""
    people: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in found:
        place, _, _ = name.rpartition("/")
        above, _, person = place.rpartition("/")
        if _DAY.fullmatch(above.rpartition("/")[2]) and listing.is_audio(name):
            people[person][place].append(name)
    return people


def _day(place: str) -> str:
    return place.split("/")[-2]


def _listed(folder: Path, people: dict[str, dict[str, list[str]]]) -> list[tuple[str, str, str]]:
    """Person, status and date of recording: first the people in the list, then those who have only a folder."""
    listed: list[tuple[str, str, str]] = []
    if (folder / LIST).exists():
        table = listing.read_list(folder / LIST, {"id", "covid_status"})
        dates = table["record_date"] if "record_date" in table else [""] * len(table)
        listed = list(zip(table["id"], table["covid_status"], dates, strict=True))
    known = {person for person, _, _ in listed}
    return listed + [
        (person, _status(folder / next(iter(places))), "")
        for person, places in people.items()
        if person not in known
    ]


def _status(place: Path) -> str:
    try:
        return str(json.loads((place / "metadata.json").read_bytes())["covid_status"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _label(status: str) -> tuple[str | None, str]:
    """Label of a status, or why it has none."""
    if status.startswith("positive_"):
        return "covid", ""
    if status in _NEGATIVE:
        return "not_covid", ""
    if not status:
        return None, "Nothing is said of this person's health."
    return None, f"The person's status is {status}, which is neither ill with COVID-19 nor free of it."
