"""Train the models of a study and measure them; goes on where it was stopped.

Trains what the study lacks and adds it. What is there already, and was trained with the same seed and number of epochs, is left
as it is. With --jobs or --dask, recordings are measured and models are fitted on the splits by several processes; cnn1 and cnn2,
and the models that answer, are trained in one.
"""

import argparse
from pathlib import Path

from coughlab.cli import console, studies
from coughlab.cli.arguments import POSITIVE, add_engine, names

ORDER = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    studies.add_arguments(parser)
    others = (
        "folder with the other datasets, under their names, to test on (default: what COUGHLAB_DATA says)"
    )
    add("--others", type=Path, metavar="DIR", help=others)
    add("--models", type=names, metavar="A,B", help="which models, as in knn,cnn2 (default: all of them)")
    protocols = "how to split the rows, as in published,person-disjoint (default: all the study has)"
    add("--protocols", type=names, metavar="A,B", help=protocols)
    add("--splits", type=POSITIVE, metavar="N", help="splits of each protocol (default: each model its own)")
    add("--epochs", type=POSITIVE, metavar="N", help="epochs of the neural networks (default: each its own)")
    add_engine(parser)


def run(arguments: argparse.Namespace) -> None:
    from coughlab.studies import runner, store
    from coughlab.system import parallel

    selected = runner.Selection(
        arguments.models, arguments.protocols, arguments.splits, arguments.epochs, arguments.again
    )

    def work(name: str, data: Path, *, again: bool, **options) -> Path:
        with parallel.start(arguments.jobs, arguments.dask) as engine:
            return runner.run(name, data, selected, engine=engine, **options)

    with console.explained(runner.StudyError):
        others = runner.find_others(arguments.study, arguments.others, arguments.studies or store.MODELS)
    if absent := [name for name, path in others.items() if path is None]:
        console.complain(
            f"the models are not tested on {' and '.join(absent)}: there is no such folder in"
            f" {arguments.others or 'what COUGHLAB_DATA names'}."
        )
    folder = studies.run(arguments, work, others=others)
    print(f"Written to {folder}")
