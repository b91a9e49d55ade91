"""Say what the models make of recordings."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from coughlab.cli import console
from coughlab.cli.arguments import add_question
from coughlab.text import listed

if TYPE_CHECKING:  # imported when the command runs: its help is faster without
    from coughlab.serving.predictors import Prediction, Predictor

ORDER = 10
#: Width of the column of names, at most.
WIDEST = 120
#: In place of a label where no model was asked.
NO_COUGH = "no cough"
#: The mark of a recording that the tests of the models say nothing about.
NO_BASIS = "no basis"


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
    with console.explained(StoreError):
        predictor = Predictor()
        with console.silent_stderr():
            predictor.warm_up()
        table = None if arguments.json else _Table(predictor, arguments.files)
        for file in arguments.files:
            try:
                prediction = predictor.predict(
                    load(file), prevalence=arguments.prevalence, force=arguments.force
                )
            except audio.AudioError as error:
                console.complain(f"{console.printable(file)}: {error}")
                status = 1
                continue
            if table:
                table.add(console.printable(file), prediction)
            else:
                print(json.dumps({"file": file} | prediction.to_dict()), flush=True)
        if table:
            table.explain()
    return status


class _Table:
    """A row for each file as soon as it is answered; at the end the sentences, each once with the files that it is about."""

    def __init__(self, predictor: Predictor, files: list[str]) -> None:
        self._names, task = predictor.names, predictor.study.task
        # A longer name shifts its own row only.
        self._width = min(max(len("file"), *map(len, files)), WIDEST)
        self._label = max(len(label) for label in ("label", NO_COUGH, *task.labels))
        self._files: set[str] = set()
        self._said: dict[tuple[str, str], list[str]] = {}
        self._usual: dict[
            str, set[str]
        ] = {}  # by label: the files whose answer the tests of the model say something about
        print(f"Probability of {task.condition} by each model. For research: no answer is a diagnosis.")
        self._print("file", "label", self._names, "coughs", "remarks")

    def _print(self, file, label, answers, coughs, remarks):
        columns = (f"{text:>{max(6, len(name))}}" for name, text in zip(self._names, answers, strict=True))
        row = [f"{file:{self._width}}", f"{label:{self._label}}", *columns, f"{coughs:>6}", remarks]
        print("  ".join(row).rstrip(), flush=True)

    def add(self, file: str, prediction: Prediction) -> None:
        """Print the row of a file."""
        models, remarks = prediction.models, list(_remarks(prediction))
        marks = [mark for mark in dict.fromkeys(mark for mark, _ in remarks) if mark]
        label, answers = NO_COUGH, ["-"] * len(self._names)
        if models:
            label = models[prediction.main_model].label
            answers = [f"{models[name].probability:.3f}" for name in self._names]
            if NO_BASIS not in marks:
                self._usual.setdefault(label, set()).add(file)
        self._print(file, label, answers, len(prediction.events), ", ".join(marks))
        self._files.add(file)
        for remark in remarks:
            files = self._said.setdefault(remark, [])
            files += [file] if file not in files else []

    def explain(self) -> None:
        """Print the sentences: first those on usual answers, in paragraphs, then those behind the marks, in lines."""
        said = sorted(self._said.items(), key=lambda one: bool(one[0][0]))
        for at, ((mark, text), files) in enumerate(said):
            if not mark or not said[at - 1][0][0] or not at:
                print()
            print(f"{self._whose(mark, files)}{text}")

    def _whose(self, mark, files):
        """The beginning of a sentence: what it is about, unless that is everything."""
        usual = set().union(*self._usual.values())
        if self._files <= set(files) or (not mark and usual <= set(files)):
            return ""
        labels = [label for label, own in self._usual.items() if not mark and own == usual & set(files)]
        return f"{labels[0] if labels else listed(files)}: "


def _remarks(prediction: Prediction) -> Iterator[tuple[str, str]]:
    """Remarks on a recording: a mark for its row, "" if it is usual, and a sentence."""
    from coughlab.evidence import verdict

    if prediction.models:
        main = prediction.main_model
        evidence = prediction.evidence[main]
        mark = NO_BASIS if evidence["verdict"] == "no_basis" else ""
        yield mark, f"{verdict.HEADLINES[evidence['verdict']].upper()}: {evidence['message']}"
        yield mark, verdict.meaning(evidence, prediction.models[main].label, prediction.task)
    if (novelty := prediction.novelty) and novelty.code == "unusual":
        yield "unusual", novelty.message
    if heard := prediction.cough.heard:
        yield heard.code, f"I hear no cough in this recording. What I hear instead: {heard.message}"
    if prediction.each:
        n = len(prediction.each)
        alike = {
            name: votes[one.label]
            for name, one in prediction.models.items()
            if (votes := prediction.votes(name))
        }
        if set(alike.values()) == {n}:
            yield "", "Each cough alone gets the label of the recording from every model."
        else:
            counts = ", ".join(f"{name} {count} of {n}" for name, count in alike.items())
            yield "coughs differ", f"Coughs that alone get the label of the recording: {counts}."
    for remark in prediction.quality:
        yield remark.code, remark.message
