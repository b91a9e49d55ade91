"""What the command line understands: its commands and their options."""

import argparse
from pathlib import Path

from coughlab import __version__


def parser():
    """The parser of the command line.

    Returns
    -------
    argparse.ArgumentParser
        What it parses has ``command``, the name of the command, beside its options.
    """
    whole = argparse.ArgumentParser(
        prog="coughlab",
        description="Cough sounds: what models say of them. For research; no answer is a diagnosis.",
    )
    whole.add_argument("--version", action="version", version=f"coughlab {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser("predict", help="say what the models make of recordings")
    predict.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="recordings of up to 20 MB and 60 seconds; put -- before a name that begins with a dash",
    )
    predict.add_argument(
        "--json", action="store_true", help="one JSON object a line, with the keys of the API"
    )
    _add_question(predict)
    predict.set_defaults(command="predict")

    batch = commands.add_parser(
        "batch",
        help="answer every recording in a folder; goes on where it was stopped",
        description="Answers all recordings in a folder and its subfolders, one JSON line each, with the keys of the API. Run"
        " again, it answers what is new or has changed. Exit status: 0 if all were answered, 1 if some could not be, 2 if it"
        " could not start.",
    )
    batch.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the recordings")
    batch.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FILE.jsonl",
        help="where the answers go, and earlier ones are",
    )
    batch.add_argument(
        "--csv", type=Path, metavar="FILE.csv", help="write all answers as a table too, a line a recording"
    )
    _add_question(batch)
    batch.add_argument("--again", action="store_true", help="answer all of them anew")
    batch.set_defaults(command="batch")

    serve = commands.add_parser(
        "serve",
        help="answer programs: the JSON API without the pages",
        description="Serves /api/v1/predict, /api/v1/models and /api/v1/health without the pages, by a worker process on each"
        " core: it starts sooner than the app and takes less memory.",
    )
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1, this machine)"
    )
    serve.add_argument("--port", type=_port, default=8502, help="port to listen at (default: 8502)")
    serve.add_argument(
        "--secrets",
        type=Path,
        default=Path(".streamlit/secrets.toml"),
        metavar="FILE.toml",
        help="where the keys are that programs need, where any is needed (default: .streamlit/secrets.toml)",
    )
    serve.set_defaults(command="serve")

    key = commands.add_parser(
        "key",
        help="make a key to the API",
        description="Prints a key for somebody, and the line with its hash for the secrets of the server. The key itself is kept"
        " nowhere.",
    )
    key.add_argument("name", metavar="HOLDER", help="who gets it, such as 'ward 3'")
    key.set_defaults(command="key")

    study = commands.add_parser("study", help="train and measure models").add_subparsers(
        required=True, metavar="ACTION"
    )
    run = study.add_parser(
        "run",
        help="train the models of a study and measure them; goes on where it was stopped",
        description="Trains what the study lacks and adds it. What is there already, and was trained with the same seed and"
        " number of epochs, is left as it is. With --jobs or --dask, recordings are measured and models are fitted on the splits"
        " by several processes; cnn1 and cnn2, and the models that answer, are trained in one.",
    )
    _add_study(run)
    run.add_argument(
        "--others",
        type=Path,
        metavar="DIR",
        help="folder with the other datasets, under their names, to test on (default: what COUGHLAB_DATA says)",
    )
    run.add_argument(
        "--models", type=_names, metavar="A,B", help="which models, as in knn,cnn2 (default: all of them)"
    )
    run.add_argument(
        "--protocols",
        type=_names,
        metavar="A,B",
        help="how to deal the rows, as in published,person-disjoint (default: all the study has)",
    )
    run.add_argument(
        "--splits", type=_positive, metavar="N", help="splits of each protocol (default: each model its own)"
    )
    run.add_argument(
        "--epochs", type=_positive, metavar="N", help="epochs of the neural networks (default: each its own)"
    )
    _add_engine(run)
    run.set_defaults(command="study run")

    search = commands.add_parser(
        "search",
        help="let Hyperopt search for the best classical model; goes on where it was stopped",
        description="Searches inside the training rows of the study's first split, and saves the trials in the study.",
    )
    _add_study(search)
    search.add_argument(
        "--trials",
        type=_positive,
        default=60,
        metavar="N",
        help="trials in all, earlier ones included (default: 60)",
    )
    search.set_defaults(command="search")

    features = commands.add_parser(
        "features",
        help="measure the 26 features of every recording of a dataset; goes on where it was stopped",
        description="Writes a table in parts, Parquet files that pandas.read_parquet reads as one. Run again, it makes what is"
        " missing, and what is of a recording that has changed. Exit status: 0 if all recordings were measured, 1 if some could"
        " not be, 2 if it could not start or go on.",
    )
    _add_dataset(features)
    features.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="where the table goes, and earlier parts are",
    )
    features.add_argument("--again", action="store_true", help="measure all of them anew")
    _add_engine(features)
    features.set_defaults(command="features")

    audit = commands.add_parser(
        "audit",
        help="say what is wrong with a dataset",
        description="Looks for lost files, copies, contradictory labels, people on both sides and shortcuts. A folder of your own"
        " has one subfolder of recordings for each class, as in covid/*.wav and healthy/*.wav, or a CSV file at its top with a"
        " column of file names and one of labels. Columns of people and sources are read as well if it has them. Exit status: 0"
        " if no finding is severe, 1 if one is, 2 if the dataset could not be audited.",
    )
    _add_dataset(audit)
    audit.add_argument("--json", action="store_true", help="the report as one JSON object")
    audit.add_argument(
        "--save", action="store_true", help="keep the report in models/audits/ for the app to show"
    )
    audit.add_argument(
        "--rows",
        type=Path,
        metavar="FILE.csv",
        help="write a line for each row of the dataset: its person, label, status and problem, and whose copy it is",
    )
    audit.add_argument(
        "--parts",
        type=Path,
        metavar="FOLDER",
        help="keep what is measured there, so that an audit that was stopped goes on where it was",
    )
    audit.add_argument("--again", action="store_true", help="measure anew what is in --parts")
    _add_engine(audit)
    audit.set_defaults(command="audit")

    detector = commands.add_parser("detector", help="train and measure the cough detector").add_subparsers(
        required=True, metavar="ACTION"
    )
    train = detector.add_parser(
        "train",
        help="rebuild models/detector from the four collections",
        description="Trains the detector, tests it on people and collections that it has not heard, and replaces models/detector"
        " when all is done. Took 36 minutes on two cores.",
    )
    train.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder that holds kaggle-trial/, covid19-cough/, coswara-sample/ and esc10/",
    )
    train.add_argument(
        "--studies", type=Path, metavar="DIR", help="folder to write detector/ in (default: models/)"
    )
    train.add_argument("--seed", type=_seed, default=0, help="seed of everything (default: 0)")
    train.add_argument("--scenes", type=_positive, metavar="N", help="scenes to train on (default: 16000)")
    train.add_argument("--epochs", type=_positive, metavar="N", help="passes over them (default: 11)")
    train.set_defaults(command="detector train")
    return whole


def _add_question(parser):
    parser.add_argument(
        "--prevalence",
        type=_prevalence,
        metavar="P",
        help="share of people with COVID among people like those recorded (default: 0.05, an example)",
    )
    parser.add_argument(
        "--force", action="store_true", help="ask the models even where there is no cough in a recording"
    )


def _add_dataset(parser):
    parser.add_argument(
        "dataset",
        metavar="DATASET",
        help="kaggle-trial, covid19-cough, coswara, virufy, coughvid, or any name for a folder of your own",
    )
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="folder of the dataset")


def _add_engine(parser):
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=_positive, default=1, metavar="N", help="processes that share the work (default: 1)"
    )
    where.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="scheduler of a Dask cluster that does the work, as in tcp://10.0.0.1:8786; its workers must see the recordings"
        " under the same path",
    )


def _add_study(parser):
    parser.add_argument("study", metavar="STUDY", help="kaggle-trial or covid19-cough")
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="folder of the dataset, as published"
    )
    parser.add_argument(
        "--studies", type=Path, metavar="DIR", help="folder of the studies (default: models/)"
    )
    parser.add_argument("--seed", type=_seed, default=0, help="seed of splits and fits (default: 0)")
    parser.add_argument("--again", action="store_true", help="do again what is there already")


def _names(text):
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("must name at least one")
    return names


def _prevalence(text):
    from coughlab.evidence import verdict

    try:
        return verdict.prevalence_of(text)
    except verdict.PrevalenceError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return int(text)


def _port(text):
    if not text.isdecimal() or not 1 <= int(text) < 2**16:
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 65535")
    return int(text)


def _seed(text):
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 2147483647")
    return int(text)
