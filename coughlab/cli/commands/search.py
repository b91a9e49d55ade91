"""Let Hyperopt search for the best classical model; goes on where it was stopped.

Searches inside the training rows of the study's first split, and saves the trials in the study.
"""

import argparse

from coughlab.cli import studies
from coughlab.cli.arguments import POSITIVE

ORDER = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    studies.add_arguments(parser)
    trials = "trials in all, earlier ones included (default: 60)"
    parser.add_argument("--trials", type=POSITIVE, default=60, metavar="N", help=trials)


def run(arguments: argparse.Namespace) -> None:
    from coughlab.classifiers import search
    from coughlab.studies import runner

    trials = studies.run(arguments, runner.search_pipelines, n_trials=arguments.trials)
    best = search.best(trials)
    print(
        f"Best of {len(trials)} trials: {search.describe(best)}. Accuracy {best['accuracy']:.1%}, sensitivity"
        f" {best['sensitivity']:.1%}, specificity {best['specificity']:.1%} by {search.FOLDS}-fold cross-validation inside the"
        f" {best['recordings']} training rows of the first split."
    )
