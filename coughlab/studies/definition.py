"""The definition of a study: ``models/<study>/study.toml``, which a person can read and edit.

The manifest of the stored study has a copy, which shows the definition that was used.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_origin

from coughlab.classifiers import CLASSIFIERS
from coughlab.evaluation.protocols import WITHIN
from coughlab.task import Task

FILE = "study.toml"
#: The default study: the case study's.
DEFAULT = "kaggle-trial"
_KINDS = {
    str: (str, "a text"),
    float: ((int, float), "a number"),
    tuple: ((list, tuple), "a list"),
    dict: (dict, "a table"),
    Task: (dict, "a table"),
}


class DefinitionError(ValueError):
    """A study's definition is invalid; the message says what is wrong."""


@dataclass(frozen=True)
class Definition:
    """The definition of a study."""

    #: Name of the dataset, as `coughlab.datasets.load` takes it.
    dataset: str
    task: Task
    #: Its protocols: keys of `coughlab.evaluation.protocols.WITHIN`, the one that proves least first.
    protocols: tuple[str, ...]
    #: Names of the datasets that the saved models are tested on.
    external: tuple[str, ...] = ()
    #: The main classifier, whose label is the answer's label.
    main_model: str = "mlp"
    #: Classifiers that are left out.
    without: tuple[str, ...] = ()
    #: Passes over the training rows, and splits of each protocol, by classifier, if they differ from the classifier's defaults.
    epochs: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    #: The dataset's licence, and the required citation.
    licence: str = ""
    cite: str = ""
    #: What a reader of the scores has to know about the dataset, in Markdown.
    about: str = ""
    #: What others found of the condition, in Markdown, shown beside the scores.
    literature: str = ""

    @property
    def classifiers(self) -> list[str]:
        """Names of the classifiers that the study has."""
        return [name for name in CLASSIFIERS if name not in self.without]

    def to_dict(self) -> dict[str, Any]:
        """The definition for JSON."""
        return asdict(self)


def from_dict(values: Mapping[str, Any]) -> Definition:
    """A definition from the content of a TOML or JSON file; `DefinitionError` names the invalid key, protocol or classifier."""
    _check(values, Definition)
    _check(values["task"], Task, "task.")
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    definition = Definition(**{**values, **lists, "task": Task(**values["task"])})
    task = definition.task
    if task.positive == task.negative:
        raise DefinitionError(f"Both classes of the task are called {task.positive}.")
    if not 0 < task.prevalence < 1:
        raise DefinitionError(f"task.prevalence must be above 0 and below 1, not {task.prevalence}.")
    if not definition.protocols:
        raise DefinitionError("protocols must name one at least.")
    if any(type(n) is not int or n < 1 for n in (*definition.epochs.values(), *definition.splits.values())):
        raise DefinitionError("epochs and splits must be whole numbers, 1 at least.")
    classifiers = *definition.without, definition.main_model, *definition.epochs, *definition.splits
    for what, names, there in (
        ("protocol", definition.protocols, WITHIN),
        ("classifier", classifiers, CLASSIFIERS),
    ):
        if unknown := [name for name in names if name not in there]:
            raise DefinitionError(
                f"There is no {what} called {', '.join(unknown)}. Known: {', '.join(there)}."
            )
    if definition.main_model in definition.without:
        raise DefinitionError(f"The main model, {definition.main_model}, is left out.")
    return definition


def _check(values, record, within=""):
    """Raise if a key is not a field of a record, a field without a default is missing, or a value has the wrong type."""
    known = {one.name: one for one in fields(record)}
    if unknown := sorted(values.keys() - known):
        raise DefinitionError(
            f"{within}{', '.join(unknown)}: there is no such key. Known: {', '.join(known)}."
        )
    for key, one in known.items():
        if key not in values:
            if one.default is one.default_factory is MISSING:
                raise DefinitionError(f"{within}{key} is missing.")
            continue
        kind, called = _KINDS[get_origin(one.type) or one.type]
        if not isinstance(values[key], kind):
            raise DefinitionError(f"{within}{key} must be {called}, not {values[key]!r}.")


def read(path: Path) -> Definition:
    """The definition in a TOML file; `DefinitionError` if it cannot be read or is invalid."""
    try:
        return from_dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DefinitionError(f"{path} cannot be read: {error}.") from error
    except DefinitionError as error:
        raise DefinitionError(f"{path}: {error}") from error


def find(name: str, *folders: Path) -> Path | None:
    """The path of a study's definition: from the first of some folders of studies that has ``<name>/study.toml``."""
    return next((path for folder in folders if (path := Path(folder, name, FILE)).is_file()), None)


def names(*folders: Path) -> list[str]:
    """Names of all studies that are defined in some folders of studies, in alphabetical order."""
    return sorted({path.parent.name for folder in folders for path in Path(folder).glob(f"[!.]*/{FILE}")})
