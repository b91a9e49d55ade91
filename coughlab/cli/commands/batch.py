"""Answer every recording in a folder; goes on where it was stopped.

Answers all recordings in a folder and its subfolders, one JSON line each, with the keys of the API. Run again, it answers what is
new or has changed. Exit status: 0 if all were answered, 1 if some could not be, 2 if it could not start.
"""

import argparse
import sys
from pathlib import Path

from coughlab.cli import console
from coughlab.cli.arguments import add_question
from coughlab.text import listed

ORDER = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="folder of the recordings")
    out = "where the answers go, and earlier ones are"
    add("--out", required=True, type=Path, metavar="FILE.jsonl", help=out)
    add("--csv", type=Path, metavar="FILE.csv", help="write all answers as a table too, a line a recording")
    add_question(parser)
    add("--again", action="store_true", help="answer all of them anew")


def run(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from coughlab.serving import batch, batch_file
    from coughlab.serving.predictors import Predictor
    from coughlab.studies.store import StoreError

    def failed(name: str, message: str) -> None:
        # Printed above the progress bar.
        tqdm.write(f"coughlab: {console.printable(name)}: {message}", file=sys.stderr)

    errors = (batch_file.BatchError, StoreError)
    with console.long_work("The answers could not be written", *errors) as progress:
        predictor = Predictor()
        with console.silent_stderr():
            predictor.warm_up()
        result = batch_file.answer_folder(
            arguments.folder,
            arguments.out,
            predictor,
            csv=arguments.csv,
            prevalence=arguments.prevalence,
            force=arguments.force,
            again=arguments.again,
            progress=progress,
            failed=failed,
        )
    if result.found.others:
        print(f"Left out, as they are no recordings: {result.found.others:,}.")
    if result.found.links:
        links = console.printable(listed(result.found.links))
        print(f"Left out, as links to folders or out of the folder are not followed: {links}.")
    if result.earlier:
        print(f"Answered earlier, and not changed since: {result.earlier:,}.")
    print(f"{batch.summary(result.counts)} The answers are in {arguments.out}.")
    return 1 if result.counts["errors"] else 0
