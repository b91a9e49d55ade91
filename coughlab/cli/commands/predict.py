"""Say what the models make of recordings."""

import argparse
import json
from collections.abc import Iterator

from coughlab.cli import console
from coughlab.cli.arguments import add_question

ORDER = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    files = "recordings of up to 20 MB and 60 seconds; put -- before a name that begins with a dash"
    add("files", nargs="+", metavar="FILE", help=files)
    add("--json", action="store_true", help="one JSON object a line, with the keys of the API")
    add_question(parser)


def run(arguments: argparse.Namespace) -> int:
    from coughlab import audio
    from coughlab.serving.predictors import Predictor, load
    from coughlab.studies.store import StoreError

    status = 0
    width = max(len("file"), *map(len, arguments.files))
    with console.explained(StoreError):
        predictor = Predictor()
        with console.silent_stderr():
            predictor.warm_up()
        if not arguments.json:
            columns = "  ".join(f"{name:>6}" for name in predictor.names)
            condition = predictor.study.task.condition
            print(f"Probability of {condition} by each model. For research: no answer is a diagnosis.")
            print(f"{'file':{width}}  {'label':9}  {columns}  coughs")
        for file in arguments.files:
            try:
                prediction = predictor.predict(
                    load(file), prevalence=arguments.prevalence, force=arguments.force
                )
            except audio.AudioError as error:
                console.complain(f"{file}: {error}")
                status = 1
                continue
            if arguments.json:
                print(json.dumps({"file": file} | prediction.to_dict()), flush=True)
                continue
            models = prediction.models
            label = models[prediction.main_model].label if models else "no cough"
            answers = "  ".join(
                f"{models[name].probability:6.3f}" if models else f"{'-':>6}" for name in predictor.names
            )
            name = console.printable(file)
            print(f"{name:{width}}  {label:9}  {answers}  {len(prediction.events):6}", flush=True)
            for line in _details(prediction):
                print(f"{'':{width}}  {line}")
    return status


def _details(prediction) -> Iterator[str]:
    """The lines below the row of a recording."""
    from coughlab.evidence import verdict

    if not prediction.events:
        yield f"I hear no cough in this recording. What I hear instead: {prediction.cough.heard.message}"
    if prediction.models:
        main = prediction.main_model
        evidence = prediction.evidence[main]
        yield f"{verdict.HEADLINES[evidence['verdict']].upper()}: {evidence['message']}"
        yield verdict.meaning(evidence, prediction.models[main].label, prediction.task)
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
