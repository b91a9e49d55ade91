"""Bring a study up to date that an earlier version saved.

Writes into the study what it is made of, as its study.toml says. No number in it changes, and nothing is trained.
"""

import argparse

from coughlab.cli import console, studies

ORDER = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    studies.add_study(parser)


def run(arguments: argparse.Namespace) -> None:
    from coughlab.studies import runner, store
    from coughlab.studies.convert import ConvertError, convert

    studies_folder = arguments.studies or store.MODELS
    folder, errors = studies_folder / arguments.study, (runner.StudyError, ConvertError, store.StoreError)
    with console.long_work("The study could not be written", *errors, kept="It is as it was."):
        changed = convert(folder, runner.defined_as(arguments.study, studies_folder))
    print(f"{folder} was brought up to date." if changed else f"{folder} is up to date; nothing was changed.")
