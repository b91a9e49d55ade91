"""What an audit looks for, one module with a `Check` each; to add one is to put its module here.

Severe is what can make a good score meaningless; a warning is what has to be said beside a score.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from coughlab.datasets import duplicates
from coughlab.system import registry

Findings = Iterator[dict]

SEVERITIES = ("severe", "warning", "note")
N_EXAMPLES = 5


def example(names: Sequence[str], size: int, between: str = " = ") -> str:
    """A group of recordings of which only some are named, in a line: "a = b and 3 more"."""
    return between.join(names) + (f" and {size - len(names):,} more" if size > len(names) else "")


@dataclass(frozen=True)
class Inputs:
    """What a check may look at."""

    #: As of `coughlab.datasets.survey.run`, with the columns of `coughlab.datasets.duplicates.find`.
    table: pd.DataFrame
    #: As of `usable`.
    usable: pd.DataFrame
    #: As of `coughlab.audit.checks.shortcut.tried`.
    probes: list[dict]
    #: ``recording`` and ``reason`` of what the loader left out.
    skipped: pd.DataFrame


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong with a dataset."""

    #: Its code in reports, which stays as it is.
    name: str
    #: Its name on a page, and one sentence on what it looks for.
    title: str
    looks_for: str
    #: Its place among findings of equal severity.
    order: int
    #: Gives what `finding` returns, once for each finding.
    find: Callable[[Inputs], Findings]
    severities: tuple[str, ...] = ("severe", "warning")
    #: Writes a group of examples, of a number of recordings, in a line.
    example: Callable[[Sequence[str], int], str] = example
    #: JSON schema of what its findings have beside the fields of all.
    fields: Mapping[str, dict] = field(default_factory=dict)


def found() -> dict[str, Check]:
    """Every check by its code, in their order."""
    return registry.discover(__name__, Check)


def findings(inputs: Inputs) -> list[dict]:
    """Everything that is wrong with a dataset, the severest first: what JSON can hold, see `coughlab.audit.schema`."""
    every = [{"kind": code} | one for code, check in found().items() for one in check.find(inputs)]
    return sorted(every, key=lambda one: SEVERITIES.index(one["severity"]))


def finding(
    severity: str,
    recordings: int,
    message: str,
    advice: str,
    *,
    groups: int = 0,
    examples: Sequence[Sequence[str]] = (),
    **fields: object,
) -> dict:
    """One finding: how many rows and groups of rows it concerns, what is wrong, and what to do about it.

    Of `examples`, groups of names of recordings, some are kept; `fields` are what the findings of a check have beside.
    """
    shown = examples[:N_EXAMPLES]
    return {
        "severity": severity,
        "recordings": int(recordings),
        "groups": int(groups),
        "message": message,
        "advice": advice,
        "examples": [list(map(str, names[:N_EXAMPLES])) for names in shown],
        "sizes": [len(names) for names in shown],
        "more": len(examples) - len(shown),
        **fields,
    }


def usable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that are left without copies and contradictions, people with the same audio merged."""
    table = table[table["status"] == "ok"]
    people = duplicates.people(table["person"], table["audio"])
    return table.assign(person=people)[duplicates.clean(table)]
