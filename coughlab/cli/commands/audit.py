"""Say what is wrong with a dataset.

Looks for lost files, copies, contradictory labels, people on both sides and shortcuts. A folder of your own has one subfolder of
recordings for each class, as in ill/*.wav and healthy/*.wav, or a CSV file at its top with a column of file names and one of
labels. Columns of people and sources are read as well if it has them. Exit status: 0 if no finding is severe, 1 if one is, 2 if
the dataset could not be audited.
"""

import argparse
import json
from pathlib import Path

from coughlab.cli import console
from coughlab.cli.arguments import add_dataset, add_engine, check_places
from coughlab.system import files

ORDER = 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_dataset(parser)
    add("--json", action="store_true", help="the report as one JSON object")
    add("--save", action="store_true", help="keep the report in models/audits/ for the app to show")
    rows = "write a line for each row of the dataset: its person, label, status and problem, and whose copy it is"
    add("--rows", type=Path, metavar="FILE.csv", help=rows)
    parts = "keep what is measured there, so that an audit that was stopped goes on where it was"
    add("--parts", type=Path, metavar="FOLDER", help=parts)
    add("--again", action="store_true", help="measure anew what is in --parts")
    add_engine(parser)


def run(arguments: argparse.Namespace) -> int:
    from coughlab import datasets
    from coughlab.audit import report as audit_text
    from coughlab.audit import run as auditing
    from coughlab.studies import store
    from coughlab.system import parallel, parquet_parts

    data, file = arguments.data, arguments.rows
    # Report problems with the output before a long audit, not after it.
    if file and not file.absolute().parent.is_dir():
        raise console.CommandError(f"There is no folder {file.parent} for --rows to write into.")
    check_places(data, rows=file, parts=arguments.parts)
    if arguments.save and not auditing.NAME.fullmatch(arguments.dataset):
        raise console.CommandError(
            "--save needs a name of up to 100 letters, digits, dots, dashes and underscores."
        )
    errors = (datasets.DatasetError, parallel.EngineError, parquet_parts.PartsError)
    with console.long_work("The audit could not be made or saved", *errors) as progress:
        if file and (file.is_file() or not file.exists()):
            files.check(file.absolute().parent)
        if arguments.save:
            files.check(store.MODELS)
        dataset = datasets.load(arguments.dataset, data)
        with parallel.start(arguments.jobs, arguments.dask) as engine:
            report, rows = auditing.examine(
                dataset, progress, engine=engine, folder=arguments.parts, again=arguments.again
            )
        if file:
            auditing.write_rows(rows, file)
        if arguments.save:
            auditing.save(report)
    print(json.dumps(report) if arguments.json else audit_text.text(report))
    return 0 if report["sound"] else 1
