"""The command line: ``coughlab predict`` and ``coughlab study run``."""

import argparse
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

from coughlab import __version__

_BAR = "{desc:28} {percentage:3.0f} % {bar} {elapsed}, {remaining} left"


def main(argv=None):
    """Run the command and exit with its status."""
    try:
        sys.exit(_run(argv))
    except KeyboardInterrupt:
        sys.exit(_complain("Stopped. What was there before is unchanged.", 130))
    except BrokenPipeError:
        # The reader of our output left; Python would complain once more when it closes the stream.
        sys.stderr.close()
        sys.exit(141)


def _run(argv):
    arguments = _parser().parse_args(argv)
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
    predict.set_defaults(command=_predict)

    study = commands.add_parser("study", help="train and measure models").add_subparsers(
        required=True, metavar="ACTION"
    )
    run = study.add_parser("run", help="train every model of a study and measure it")
    run.add_argument("study", metavar="STUDY", help="kaggle-trial")
    run.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="folder of the dataset, as published"
    )
    run.add_argument("--models", type=Path, metavar="DIR", help="folder of the studies (default: models/)")
    run.add_argument("--seed", type=_seed, default=0, help="seed of splits and fits (default: 0)")
    run.add_argument(
        "--splits", type=_positive, default=5, metavar="N", help="splits of each protocol (default: 5)"
    )
    run.add_argument(
        "--epochs", type=_positive, metavar="N", help="epochs of the neural networks (default: each its own)"
    )
    run.set_defaults(command=_study_run)
    return parser


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return int(text)


def _seed(text):
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 2147483647")
    return int(text)


def _predict(arguments):
    from coughlab import audio
    from coughlab.serving import Predictor
    from coughlab.store import StoreError

    status = 0
    names = {file: "".join(c if c.isprintable() else "?" for c in file) for file in arguments.files}
    width = max(len("file"), *map(len, names.values()))
    try:
        predictor = Predictor()
        with _silent_stderr():
            predictor.warm_up()
        if not arguments.json:
            models = "  ".join(f"{name:>6}" for name in predictor.study.models)
            print("Probability of COVID by each model. For research: no answer is a diagnosis.")
            print(f"{'file':{width}}  {'label':9}  {models}  coughs")
        for file in arguments.files:
            try:
                prediction = predictor.predict(audio.load(file))
            except audio.AudioError as error:
                status = _complain(f"{file}: {error}", 1)
                continue
            if arguments.json:
                print(json.dumps({"file": file} | prediction.to_dict()), flush=True)
                continue
            answers = "  ".join(f"{answer.probability:6.3f}" for answer in prediction.models.values())
            label = prediction.to_dict()["label"]
            print(f"{names[file]:{width}}  {label:9}  {answers}  {len(prediction.events):6}", flush=True)
            for remark in prediction.quality:
                print(f"{'':{width}}  note: {remark.message}")
    except StoreError as error:
        return _complain(str(error), 2)
    return status


def _study_run(arguments):
    from tqdm import tqdm

    from coughlab import store, study
    from coughlab.datasets import DatasetError

    bar = None

    def progress(stage, done, total):
        nonlocal bar
        if bar is None or bar.desc != stage:
            if bar is not None:
                bar.close()
            bar = tqdm(total=total, desc=stage, bar_format=_BAR)
        bar.update(done - bar.n)

    try:
        folder = study.run(
            arguments.study,
            arguments.data,
            models=arguments.models or store.MODELS,
            seed=arguments.seed,
            n_splits=arguments.splits,
            epochs=arguments.epochs,
            progress=progress,
        )
    except (study.StudyError, DatasetError, store.StoreError) as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(f"The study could not be written: {error}. What was there before is unchanged.", 2)
    finally:
        if bar is not None:
            bar.close()
    print(f"Written to {folder}")
    return 0


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
