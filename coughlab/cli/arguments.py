"""Arguments shared by several commands, types of arguments, and checks of folders."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from coughlab.cli.console import CommandError


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """The type of an argument that is a whole number from `low` to `high`."""
    limits = f"of at least {low}" if high is None else f"from {low} to {high}"

    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= (math.inf if high is None else high):
            raise argparse.ArgumentTypeError(f"must be a whole number {limits}")
        return int(text)

    return read


POSITIVE = whole_number(1)
SEED = whole_number(0, 2**31 - 1)


def names(text: str) -> list[str]:
    """The type of an argument that is a list with commas."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError("must name at least one")
    return found


def prevalence(text: str) -> float:
    """The type of an argument that is a prevalence."""
    from coughlab.evidence import verdict

    try:
        return verdict.prevalence_of(text)
    except verdict.PrevalenceError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_question(parser: argparse.ArgumentParser) -> None:
    """Add the options for predictions."""
    add = parser.add_argument
    add(
        "--prevalence",
        type=prevalence,
        metavar="P",
        help="how common the condition is among people like those recorded; the study's own value unless given",
    )
    add("--force", action="store_true", help="ask the models even where there is no cough in a recording")


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for a dataset and its folder."""
    from coughlab import datasets

    add = parser.add_argument
    public = ", ".join(loader.NAME for loader in datasets.published())
    add("dataset", metavar="DATASET", help=f"{public}, or any name for a folder of your own")
    add("--data", required=True, type=Path, metavar="DIR", help="folder of the dataset")


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the options for parallel work."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=POSITIVE, default=1, metavar="N", help="processes that share the work (default: 1)"
    )
    where.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="scheduler of a Dask cluster that does the work, as in tcp://10.0.0.1:8786; its workers must see the recordings"
        " under the same path",
    )


def check_places(data: Path, **places: Path | None) -> None:
    """Refuse a dataset that is not a folder, and output paths inside that folder."""
    if data.is_file():
        what = (
            "Unpack it first, and give the folder"
            if data.suffix.lower() == ".zip"
            else "Give the folder of the dataset"
        )
        raise CommandError(f"{data} is a file. {what}.")
    for option, path in places.items():
        if path and path.resolve().is_relative_to(data.resolve()):
            where = "must lie outside the dataset's folder, or it would be taken for a part of it."
            raise CommandError(f"--{option} {where}")
