"""Measure the 26 features of every recording of a dataset; goes on where it was stopped.

Writes a table in parts, Parquet files that pandas.read_parquet reads as one. Run again, it makes what is missing, and what is of
a recording that has changed. Exit status: 0 if all recordings were measured, 1 if some could not be, 2 if it could not start or
go on.
"""

import argparse
from pathlib import Path

from coughlab.cli import console
from coughlab.cli.arguments import add_dataset, add_engine, check_places

ORDER = 70


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_dataset(parser)
    out = "where the table goes, and earlier parts are"
    add("--out", required=True, type=Path, metavar="FOLDER", help=out)
    add("--again", action="store_true", help="measure all of them anew")
    add_engine(parser)


def run(arguments: argparse.Namespace) -> int:
    from coughlab import datasets
    from coughlab.datasets import survey
    from coughlab.system import parallel, parquet_parts

    check_places(arguments.data, out=arguments.out)
    errors = (datasets.DatasetError, parallel.EngineError, parquet_parts.PartsError)
    with console.long_work("The features could not be written", *errors) as progress:
        dataset = datasets.load(arguments.dataset, arguments.data)
        with parallel.start(arguments.jobs, arguments.dask) as engine:
            count = survey.write_features(
                dataset, arguments.out, engine=engine, progress=progress, again=arguments.again
            )
    lost = {"missing": "missing", "undecodable": "cannot be used"}
    losses = "".join(f" {count[status]:,} {words}." for status, words in lost.items() if count[status])
    print(
        f"{count['ok']:,} of {count.total():,} recordings measured.{losses} The table is in {arguments.out}."
    )
    return 0 if count["ok"] == count.total() else 1
