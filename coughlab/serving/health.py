"""Problems of this machine that affect answers: models missing or changed, a full or read-only disk, a wrong clock.

Health is checked every few seconds, so a file is read again only if it has changed.
"""

import hashlib
import os
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from coughlab.detector.detect import MODEL
from coughlab.serving import predictors
from coughlab.studies import store

#: A disk with less free space counts as full: a study like the committed ones needs 8 MB, and twice that while it is replaced.
LEAST_FREE_BYTES = 64 * 2**20
#: How far the clock may be behind the time of the models' files, in seconds: the clocks of machines that share files differ.
CLOCK_SLACK_S = 3600
#: Longest plausible age of the models' files, in seconds: with a longer age the clock is wrong.
CLOCK_AHEAD_S = 20 * 365 * 86_400


def problems(
    folder: str | os.PathLike | None = None, *, disks: Iterable[str | os.PathLike] | None = None
) -> list[dict]:
    """The problems. Takes 2 ms if nothing has changed since the last call; the first call reads the models.

    Parameters
    ----------
    folder : path-like, optional
        The folder of the studies; `coughlab.studies.store.MODELS` by default.
    disks : iterable of path-like, optional
        Folders that must be writable; by default the folder of the studies. Empty if no model will be trained.

    Returns
    -------
    list of dict
        Each has ``code``, ``message`` (what is wrong and what to do, without the names of folders) and ``stops``, whether answers
        fail until it is mended. Codes: ``models_missing``, ``study_missing``, ``study_damaged`` (its manifest cannot be read or
        was changed), ``file_missing``, ``file_changed``, ``disk_full``, ``disk_read_only``, ``disk_failed``, ``clock_wrong``.
    """
    folder = Path(folder or store.MODELS)
    found = _of_studies(folder)
    for disk in [folder] if disks is None else map(Path, disks):
        found += _of_disk(disk)
    return found + _of_clock(folder)


def _problem(code, message, *, stops=False):
    return {"code": code, "message": message, "stops": stops}


def _of_studies(folder):
    if not folder.is_dir():
        message = "The folder of the models is missing. Restore it, or say where it is with COUGHLAB_MODELS."
        return [_problem("models_missing", message, stops=True)]
    needed = [predictors.STUDY, store.DETECTOR]
    others = [name for name in store.names(folder) if name not in needed]
    return [problem for name in (*needed, *others) for problem in _of_study(folder / name)]


def _of_study(folder):
    """Problems of one study; checked again if it was replaced meanwhile."""
    for _ in range(3):
        before = store.state(folder / store.MANIFEST)
        found = _files_of(folder)
        if not found or before == store.state(folder / store.MANIFEST):
            break
    return found


def _files_of(folder):
    name, needed = folder.name, folder.name in (predictors.STUDY, store.DETECTOR)
    if not store.exists(folder):
        remedy = f"Restore it, or rebuild it with 'coughlab {store.command(name)}'."
        return [_problem("study_missing", f"There is no study {name!r}. {remedy}", stops=needed)]
    try:
        study = store.StoredStudy(folder)
    except store.StoreError as error:
        return [_problem("study_damaged", _without(folder, str(error)), stops=needed)]
    answering = {MODEL, store.KNOWN, store.NOVELTY, *(model["serve"] for model in study.models.values())}
    found = []
    for file, expected in study.hashes.items():
        hashed, stops = _hash(study.folder / file), needed and file in answering
        if hashed is None:
            message = f"{name}/{file} is missing or cannot be read. {study.remedy}"
            found.append(_problem("file_missing", message, stops=stops))
        elif hashed != expected:
            message = f"{name}/{file} was changed after the study was saved. {study.remedy}"
            found.append(_problem("file_changed", message, stops=stops))
    # Large files may be absent; but with a changed one, its model does not answer.
    for file, expected in study.large_hashes.items():
        there = {_hash(path) for path in store.large_paths(folder, file)} - {None}
        if there and expected not in there:
            message = f"{store.LARGE}/{name}/{file} is not the file that the study was saved with: its model does not answer."
            found.append(_problem("file_changed", f"{message} {study.remedy}"))
    return found


def _without(folder, message):
    """A message without the path of the folder, which clients must not see."""
    return message.replace(f" in {folder.parent}", "")


def _hash(path):
    state = store.state(path)
    return state and _hashed(path, state)


@lru_cache(maxsize=1024)
def _hashed(path, state):
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _of_disk(folder):
    there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path("/"))
    try:
        disk = os.statvfs(there)
    except OSError as error:
        return [_problem("disk_failed", f"The disk of {folder.name} cannot be asked: {error.strerror}.")]
    found = []
    free = disk.f_bavail * disk.f_frsize
    # Some file systems report no number of files.
    if free < LEAST_FREE_BYTES or (disk.f_files and not disk.f_favail):
        message = (
            f"The disk of {folder.name} is full: {free / 2**20:.0f} MB are free. Answers go on; nothing can be trained or saved."
            f" Make room for at least {LEAST_FREE_BYTES / 2**20:.0f} MB."
        )
        found.append(_problem("disk_full", message))
    if disk.f_flag & os.ST_RDONLY:
        message = (
            f"The disk of {folder.name} is read-only. Answers go on; nothing can be trained or saved. If it is not meant to be,"
            " see the system's log: a disk that fails becomes read-only."
        )
        found.append(_problem("disk_read_only", message))
    return found


def _of_clock(folder):
    """Problem of the clock: it is behind the files of the studies, or decades ahead, now or when they were written."""
    written = [Path(__file__), *folder.glob(f"[!.]*/{store.MANIFEST}")]
    newest = max((path.stat().st_mtime for path in written if path.exists()), default=0.0)
    now = time.time()
    if newest - CLOCK_SLACK_S <= now <= newest + CLOCK_AHEAD_S:
        return []
    message = (
        f"The clock says {_day(now)}, but the models were written on {_day(newest)}. Set the clock; if it is right now, it was"
        " wrong then: touch the manifests of the models."
    )
    return [_problem("clock_wrong", message)]


def _day(seconds):
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))
