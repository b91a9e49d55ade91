"""The command line: ``coughlab predict``, ``batch``, ``serve``, ``study run``, ``search``, ``features``, ``audit``, ..."""

import argparse
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

from coughlab import __version__, batch_cli, machine

#: How many freed bytes a command keeps.
_KEPT = 32 * 2**20
_BAR = "{desc:28} {percentage:3.0f} % {bar} {elapsed}, {remaining} left"


def main(argv=None):
    """Run the command and exit with its status."""
    try:
        sys.exit(_run(argv))
    except KeyboardInterrupt:
        sys.exit(_complain("Stopped. What was finished is kept.", 130))
    except BrokenPipeError:
        # The reader of our output left; Python would complain once more when it closes the stream.
        sys.stderr.close()
        sys.exit(141)


def _run(argv):
    arguments = _parser().parse_args(argv)
    # One recording after another needs as much memory: fetching it anew each time takes a fifth of the time.
    machine.mallopt(mmap_threshold=_KEPT, trim_threshold=_KEPT)
    return arguments.command(arguments)


def _parser():
    parser = argparse.ArgumentParser(
        prog="coughlab",
        description="Cough sounds: what models say of them. For research; no answer is a diagnosis.",
    )
    parser.add_argument("--version", action="version", version=f"coughlab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

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
    predict.add_argument(
        "--prevalence",
        type=_prevalence,
        metavar="P",
        help="share of people with COVID among people like those recorded (default: 0.05, an example)",
    )
    predict.add_argument("--force", action="store_true", help="ask the models even where there is no cough")
    predict.set_defaults(command=_predict)
    batch_cli.add_to(commands, prevalence=_prevalence).set_defaults(command=_batch)

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
    serve.set_defaults(command=_serve)

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
    run.set_defaults(command=_study_run)

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
    search.set_defaults(command=_search)

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
    features.set_defaults(command=_features)

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
    audit.set_defaults(command=_audit)

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
    train.set_defaults(command=_detector_train)
    return parser


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
    from coughlab.evidence import answer

    try:
        return answer.prevalence_of(text)
    except answer.PrevalenceError as error:
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


def _predict(arguments):
    from coughlab import audio
    from coughlab.evidence import answer as beliefs
    from coughlab.serving import MAIN_MODEL, Predictor, load
    from coughlab.store import StoreError

    status, prevalence = 0, arguments.prevalence or beliefs.PREVALENCE
    names = {file: "".join(c if c.isprintable() else "?" for c in file) for file in arguments.files}
    width = max(len("file"), *map(len, names.values()))
    try:
        predictor = Predictor()
        with _silent_stderr():
            predictor.warm_up()
        if not arguments.json:
            models = "  ".join(f"{name:>6}" for name in predictor.names)
            print("Probability of COVID by each model. For research: no answer is a diagnosis.")
            print(f"{'file':{width}}  {'label':9}  {models}  coughs")
        for file in arguments.files:
            try:
                prediction = predictor.predict(load(file), prevalence=prevalence, force=arguments.force)
            except audio.AudioError as error:
                status = _complain(f"{file}: {error}", 1)
                continue
            if arguments.json:
                print(json.dumps({"file": file} | prediction.to_dict()), flush=True)
                continue
            models = prediction.models
            label = models[MAIN_MODEL].label if models else "no cough"
            answers = "  ".join(
                f"{models[name].probability:6.3f}" if models else f"{'-':>6}" for name in predictor.names
            )
            print(f"{names[file]:{width}}  {label:9}  {answers}  {len(prediction.events):6}", flush=True)
            for line in _explained(prediction):
                print(f"{'':{width}}  {line}")
    except StoreError as error:
        return _complain(str(error), 2)
    return status


def _explained(prediction):
    """What stands below the row of a recording."""
    from coughlab.evidence import answer as beliefs
    from coughlab.serving import MAIN_MODEL

    if not prediction.events:
        yield f"I hear no cough in this recording. What I hear instead: {prediction.cough.heard.message}"
    if prediction.models:
        evidence = prediction.evidence[MAIN_MODEL]
        yield f"{beliefs.HEADLINES[evidence['verdict']].upper()}: {evidence['message']}"
        yield beliefs.meaning(evidence, prediction.models[MAIN_MODEL].label)
        if prediction.novelty.code == "unusual":
            yield f"note: {prediction.novelty.message}"
    if prediction.each:
        alike = (
            f"{name} {prediction.votes(name)[answer.label]} of {len(prediction.each)}"
            for name, answer in prediction.models.items()
        )
        yield f"Each cough alone gets the label of the recording: {', '.join(alike)}"
    for remark in prediction.quality:
        yield f"note: {remark.message}"


def _serve(arguments):
    import socket

    from coughlab import api

    # Asked beforehand, because a server that cannot listen says so in a stack trace.
    try:
        family = socket.AF_INET6 if ":" in arguments.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((arguments.host, arguments.port))
    except OSError as error:
        return _complain(
            f"cannot listen at {arguments.host}, port {arguments.port}: {error.strerror or error}. Choose another --port or"
            " --host.",
            2,
        )
    print(f"Answering at http://{arguments.host}:{arguments.port}/api/v1/predict", flush=True)
    api.serve(arguments.host, arguments.port)
    return 0


def _batch(arguments):
    from coughlab.serving import Predictor
    from coughlab.store import StoreError

    try:
        predictor = Predictor()
        with _silent_stderr():
            predictor.warm_up()
        with _progress_bar() as progress:
            return batch_cli.run(arguments, predictor, progress, batch_cli.say)
    except (batch_cli.BatchError, StoreError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(f"The answers could not be written: {error}. Those written before are kept.", 2)


def _study_run(arguments):
    from coughlab import engine, study

    def run(*told, **options):
        with engine.start(arguments.jobs, arguments.dask) as at:
            return study.run(*told, engine=at, **options)

    try:
        others = study.find_others(arguments.study, arguments.others)
    except study.StudyError as error:
        return _complain(str(error), 2)
    if absent := [name for name, path in others.items() if path is None]:
        _complain(
            f"the models are not tested on {' and '.join(absent)}: there is no such folder in"
            f" {arguments.others or 'what COUGHLAB_DATA names'}.",
            0,
        )
    folder, status = _on_study(
        arguments,
        run,
        models=arguments.models,
        protocols=arguments.protocols,
        others=others,
        n_splits=arguments.splits,
        epochs=arguments.epochs,
    )
    if not status:
        print(f"Written to {folder}")
    return status


def _search(arguments):
    from coughlab import study
    from coughlab.classifiers import search

    trials, status = _on_study(arguments, study.search_pipelines, n_trials=arguments.trials)
    if not status:
        best = search.best(trials)
        print(
            f"Best of {len(trials)} trials: {search.describe(best)}. Accuracy {best['accuracy']:.1%}, sensitivity"
            f" {best['sensitivity']:.1%}, specificity {best['specificity']:.1%} by {search.FOLDS}-fold cross-validation inside"
            f" the {best['recordings']} training rows of the first split."
        )
    return status


def _detector_train(arguments):
    from coughlab.datasets import DatasetError
    from coughlab.detector import training

    try:
        with _progress_bar() as progress:
            folder = training.train(
                arguments.data,
                studies=arguments.studies,
                seed=arguments.seed,
                n_scenes=arguments.scenes or training.SCENES,
                epochs=arguments.epochs or training.EPOCHS,
                progress=progress,
            )
    except (DatasetError, training.TrainingError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(f"The detector could not be written: {error}. What was there before is kept.", 2)
    print(f"Written to {folder}")
    return 0


def _features(arguments):
    from coughlab import datasets, engine, extraction, parts

    if reason := _file_problem(arguments.data) or _place_problem(arguments.data, arguments.out, "--out"):
        return _complain(reason, 2)
    options = {"again": arguments.again}
    try:
        dataset = datasets.load(arguments.dataset, arguments.data)
        with engine.start(arguments.jobs, arguments.dask) as at, _progress_bar() as progress:
            count = extraction.run(dataset, arguments.out, engine=at, progress=progress, **options)
    except (datasets.DatasetError, engine.EngineError, parts.PartsError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(f"The features could not be written: {error}. The parts written before are kept.", 2)
    lost = {"missing": "missing", "undecodable": "cannot be used"}
    told = "".join(f" {count[status]:,} {words}." for status, words in lost.items() if count[status])
    print(f"{count['ok']:,} of {count.total():,} recordings measured.{told} The table is in {arguments.out}.")
    return 0 if count["ok"] == count.total() else 1


def _file_problem(data):
    """Why what should be a dataset's folder is a file; "" if it is none."""
    if not data.is_file():
        return ""
    if data.suffix.lower() == ".zip":
        return f"{data} is a file. Unpack it first, and give the folder."
    return f"{data} is a file. Give the folder of the dataset."


def _place_problem(data, path, option):
    """Why something cannot be written where it is to be; "" if it can, or nothing is to be written."""
    if path and path.resolve().is_relative_to(data.resolve()):
        return f"{option} must lie outside the dataset's folder, or it would be taken for a part of it."
    return ""


def _audit(arguments):
    from coughlab import audit_text, auditing, datasets, engine, parts

    data, file = arguments.data, arguments.rows
    # What would go wrong after a long audit is said before it.
    if reason := _file_problem(data):
        return _complain(reason, 2)
    if file and not file.absolute().parent.is_dir():
        return _complain(f"There is no folder {file.parent} for --rows to write into.", 2)
    for path, option in ((file, "--rows"), (arguments.parts, "--parts")):
        if reason := _place_problem(data, path, option):
            return _complain(reason, 2)
    if arguments.save and not auditing.NAME.fullmatch(arguments.dataset):
        return _complain("--save needs a name of up to 100 letters, digits, dots, dashes and underscores.", 2)
    options = {"folder": arguments.parts, "again": arguments.again}
    try:
        dataset = datasets.load(arguments.dataset, data)
        with engine.start(arguments.jobs, arguments.dask) as at, _progress_bar() as progress:
            report, rows = auditing.examine(dataset, progress, engine=at, **options)
        if file:
            auditing.write_rows(rows, file)
        if arguments.save:
            auditing.save(report)
    except (datasets.DatasetError, engine.EngineError, parts.PartsError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(f"The audit could not be made or saved: {error}.", 2)
    print(json.dumps(report) if arguments.json else audit_text.text(report))
    return 0 if report["sound"] else 1


def _on_study(arguments, work, **options):
    """Do long work on a study with a progress bar: its result and exit status."""
    from coughlab import store
    from coughlab.classifiers.base import NotReadyError
    from coughlab.classifiers.search import SearchError
    from coughlab.datasets import DatasetError
    from coughlab.engine import EngineError
    from coughlab.ledger import DifferentDataError
    from coughlab.study import StudyError

    try:
        # The bar is closed before anything is complained of, which then has a line of its own.
        with _progress_bar() as progress:
            result = work(
                arguments.study,
                arguments.data,
                folder=arguments.studies or store.MODELS,
                seed=arguments.seed,
                again=arguments.again,
                progress=progress,
                **options,
            )
    except (
        StudyError,
        DatasetError,
        DifferentDataError,
        EngineError,
        NotReadyError,
        SearchError,
        store.StoreError,
    ) as error:
        return None, _complain(str(error), 2)
    except OSError as error:
        return None, _complain(f"The study could not be written: {error}. What was there before is kept.", 2)
    return result, 0


@contextmanager
def _progress_bar():
    from tqdm import tqdm

    bar = None

    def progress(stage, done, total):
        nonlocal bar
        if bar is None or bar.desc != stage:
            if bar is not None:
                bar.close()
            bar = tqdm(total=total, desc=stage, bar_format=_BAR)
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()


@contextmanager
def _silent_stderr():
    """Keep LiteRT's greeting, which C++ writes, out of the stream where our complaints go."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _complain(message, status):
    print(f"coughlab: {message}", file=sys.stderr)
    return status
