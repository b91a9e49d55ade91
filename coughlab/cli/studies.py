"""Shared by the commands that add to a study: arguments, and handling of errors."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coughlab.cli import console
from coughlab.cli.arguments import SEED


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for a study and its folder."""
    from coughlab.studies import definition, store

    add = parser.add_argument
    add("study", metavar="STUDY", help=" or ".join(definition.names(store.MODELS)) or "name of the study")
    add("--studies", type=Path, metavar="DIR", help="folder of the studies (default: models/)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for a study, its dataset and the run."""
    add_study(parser)
    add = parser.add_argument
    add("--data", required=True, type=Path, metavar="DIR", help="folder of the dataset, as published")
    add("--seed", type=SEED, default=0, help="seed of splits and fits (default: 0)")
    add("--again", action="store_true", help="do again what is there already")


def run(arguments: argparse.Namespace, work: Callable, **options: Any) -> Any:
    """Call a function of `coughlab.studies.runner` with those arguments and a progress bar, and return its result."""
    from coughlab.classifiers.base import NotReadyError
    from coughlab.classifiers.search import SearchError
    from coughlab.datasets import DatasetError
    from coughlab.studies import store
    from coughlab.studies.ledger import DifferentDataError
    from coughlab.studies.runner import StudyError
    from coughlab.system.parallel import EngineError

    errors = (StudyError, DatasetError, DifferentDataError, EngineError, NotReadyError, SearchError)
    with console.long_work("The study could not be written", *errors, store.StoreError) as progress:
        return work(
            arguments.study,
            arguments.data,
            folder=arguments.studies or store.MODELS,
            seed=arguments.seed,
            again=arguments.again,
            progress=progress,
            **options,
        )
