"""The command line: ``coughlab predict``, ``batch``, ``serve``, ``study run``, ``search``, ``features``, ``audit``, ..."""

import json
import os
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from coughlab.cli import batch, commands
from coughlab.system import files, resources

#: How many freed bytes a command keeps.
_KEPT = 32 * 2**20
#: What a full disk has not cost.
_KEPT_TOO = "What was written before is kept; the same command goes on from there."
_BAR = "{desc:28} {percentage:3.0f} % {bar} {elapsed}, {remaining} left"


def main(argv=None):
    """Run the command and exit with its status."""
    _hear_every_ctrl_c()
    try:
        status = _run(argv)
        sys.stdout.flush()
        sys.exit(status)
    except KeyboardInterrupt:
        # Threads whose work is cut off complain of it.
        threading.excepthook = lambda _: None
        sys.exit(_complain("Stopped. What was finished is kept.", 130))
    except BrokenPipeError:
        # The reader of our output left; Python would complain once more when it closes the stream.
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        # What was not written Python would try once more, and complain again, when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_complain(f"What was found could not be written: {files.reason(error)}.", 2))


def _hear_every_ctrl_c():
    """Interrupt once more where Python drops an interrupt, as it does while an object is freed: in trainings 1 of 70 was."""

    def dropped(unraisable, told=sys.unraisablehook):
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.01)
        else:
            told(unraisable)

    sys.unraisablehook = dropped
    signal.signal(signal.SIGALRM, signal.default_int_handler)


def _run(argv):
    arguments = commands.parser().parse_args(argv)
    # One recording after another needs as much memory: fetching it anew each time takes a fifth of the time.
    resources.mallopt(mmap_threshold=_KEPT, trim_threshold=_KEPT)
    return _COMMANDS[arguments.command](arguments)


def _predict(arguments):
    from coughlab import audio
    from coughlab.serving.predictors import Predictor, load
    from coughlab.studies.store import StoreError

    status, prevalence = 0, arguments.prevalence
    names = {file: "".join(c if c.isprintable() else "?" for c in file) for file in arguments.files}
    width = max(len("file"), *map(len, names.values()))
    try:
        predictor = Predictor()
        with _silent_stderr():
            predictor.warm_up()
        if not arguments.json:
            models = "  ".join(f"{name:>6}" for name in predictor.names)
            print(
                f"Probability of {predictor.study.task.condition} by each model. For research: no answer is a diagnosis."
            )
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
            label = models[prediction.main_model].label if models else "no cough"
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
    from coughlab.evidence import verdict as beliefs

    if not prediction.events:
        yield f"I hear no cough in this recording. What I hear instead: {prediction.cough.heard.message}"
    if prediction.models:
        main = prediction.main_model
        evidence = prediction.evidence[main]
        yield f"{beliefs.HEADLINES[evidence['verdict']].upper()}: {evidence['message']}"
        yield beliefs.meaning(evidence, prediction.models[main].label, prediction.task)
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

    from coughlab import config
    from coughlab.serving import workers
    from coughlab.web import keys

    try:
        config.check()
        known = keys.from_secrets(keys.read(arguments.secrets), arguments.host)
    except (keys.SecretsError, config.SettingError) as error:
        return _complain(str(error), 2)
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
    # They load what they need while this process loads what it needs.
    pool = workers.Pool()
    from coughlab.web import api

    print(f"Answering at http://{arguments.host}:{arguments.port}/api/v1/predict", flush=True)
    api.serve(arguments.host, arguments.port, pool, known)
    return 0


def _key(arguments):
    from coughlab.web import keys

    key, hashed = keys.new()
    print(f"The key, which is shown this once; give it to {arguments.name}:\n\n    {key}\n")
    print(
        f'The line for [api_keys] in .streamlit/secrets.toml:\n\n    {json.dumps(arguments.name)} = "{hashed}"'
    )
    return 0


def _batch(arguments):
    from coughlab.serving.predictors import Predictor
    from coughlab.studies.store import StoreError

    try:
        predictor = Predictor()
        with _silent_stderr():
            predictor.warm_up()
        with _progress_bar() as progress:
            return batch.run(arguments, predictor, progress, batch.say)
    except (batch.BatchError, StoreError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(f"The answers could not be written: {files.reason(error)}. {_KEPT_TOO}", 2)


def _study_run(arguments):
    from coughlab.studies import runner
    from coughlab.system import parallel

    def run(*told, **options):
        with parallel.start(arguments.jobs, arguments.dask) as at:
            return runner.run(*told, engine=at, **options)

    try:
        others = runner.find_others(arguments.study, arguments.others)
    except runner.StudyError as error:
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
    from coughlab.classifiers import search
    from coughlab.studies import runner

    trials, status = _on_study(arguments, runner.search_pipelines, n_trials=arguments.trials)
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
    from coughlab.detector.training import fitting

    try:
        with _progress_bar() as progress:
            folder = fitting.train(
                arguments.data,
                studies=arguments.studies,
                seed=arguments.seed,
                n_scenes=arguments.scenes or fitting.SCENES,
                epochs=arguments.epochs or fitting.EPOCHS,
                progress=progress,
            )
    except (DatasetError, fitting.TrainingError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(
            f"The detector could not be written: {files.reason(error)}. What was there before is kept.", 2
        )
    print(f"Written to {folder}")
    return 0


def _features(arguments):
    from coughlab import datasets
    from coughlab.datasets import feature_table
    from coughlab.system import parallel, parquet_parts

    if reason := _file_problem(arguments.data) or _place_problem(arguments.data, arguments.out, "--out"):
        return _complain(reason, 2)
    try:
        dataset = datasets.load(arguments.dataset, arguments.data)
        with parallel.start(arguments.jobs, arguments.dask) as at, _progress_bar() as progress:
            count = feature_table.run(
                dataset, arguments.out, engine=at, progress=progress, again=arguments.again
            )
    except (datasets.DatasetError, parallel.EngineError, parquet_parts.PartsError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(f"The features could not be written: {files.reason(error)}. {_KEPT_TOO}", 2)
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
    from coughlab import datasets
    from coughlab.audit import report as audit_text
    from coughlab.audit import run as auditing
    from coughlab.studies import store
    from coughlab.system import parallel, parquet_parts

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
        if file and (file.is_file() or not file.exists()):
            files.check(file.absolute().parent)
        if arguments.save:
            files.check(store.MODELS)
        dataset = datasets.load(arguments.dataset, data)
        with parallel.start(arguments.jobs, arguments.dask) as at, _progress_bar() as progress:
            report, rows = auditing.examine(dataset, progress, engine=at, **options)
        if file:
            auditing.write_rows(rows, file)
        if arguments.save:
            auditing.save(report)
    except (datasets.DatasetError, parallel.EngineError, parquet_parts.PartsError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(f"The audit could not be made or saved: {files.reason(error)}. {_KEPT_TOO}", 2)
    print(json.dumps(report) if arguments.json else audit_text.text(report))
    return 0 if report["sound"] else 1


def _on_study(arguments, work, **options):
    """Do long work on a study with a progress bar: its result and exit status."""
    from coughlab.classifiers.base import NotReadyError
    from coughlab.classifiers.search import SearchError
    from coughlab.datasets import DatasetError
    from coughlab.studies import store
    from coughlab.studies.ledger import DifferentDataError
    from coughlab.studies.runner import StudyError
    from coughlab.system.parallel import EngineError

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
        return None, _complain(f"The study could not be written: {files.reason(error)}. {_KEPT_TOO}", 2)
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


_COMMANDS = {
    "predict": _predict,
    "batch": _batch,
    "serve": _serve,
    "key": _key,
    "study run": _study_run,
    "search": _search,
    "features": _features,
    "audit": _audit,
    "detector train": _detector_train,
}
