"""The checks of an audit, one module with a `Check` each. To add a check, add its module here.

A severe finding can make a good score meaningless; a warning has to be reported together with a score.
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
    """One line on a group of recordings of which only some are named: "a = b and 3 more"."""
    return between.join(names) + (f" and {size - len(names):,} more" if size > len(names) else "")


@dataclass(frozen=True)
class Inputs:
    """The input of a check."""

    #: What `coughlab.datasets.survey.run` returns, with the columns of `coughlab.datasets.duplicates.find`.
    table: pd.DataFrame
    #: What `usable` returns.
    usable: pd.DataFrame
    #: What `coughlab.audit.checks.shortcut.tried` returns.
    probes: list[dict]
    #: ``recording`` and ``reason`` of each row or file that the loader left out.
    skipped: pd.DataFrame


@dataclass(frozen=True)
class Check:
    """One fault that a dataset can have."""

    #: Its code in reports; never changes.
    name: str
    #: Its title on a page, and one sentence on what it looks for.
    title: str
    looks_for: str
    #: Its place among findings of equal severity.
    order: int
    #: Yields what `finding` returns, once per finding.
    find: Callable[[Inputs], Findings]
    severities: tuple[str, ...] = ("severe", "warning")
    #: Writes a group of examples, which stands for a number of recordings, in one line.
    example: Callable[[Sequence[str], int], str] = example
    #: JSON schema of the additional fields of its findings.
    fields: Mapping[str, dict] = field(default_factory=dict)


def found() -> dict[str, Check]:
    """Every check by its code, in order."""
    return registry.discover(__name__, Check)


def findings(inputs: Inputs) -> list[dict]:
    """All findings in a dataset, the most severe first; JSON-serializable, see `coughlab.audit.schema`."""
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
    """One finding: number of rows and of groups of rows, what is wrong, and what to do.

    Only some of `examples`, which are groups of names of recordings, are kept. `fields` are the additional fields of the check.
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
    """The rows without copies and without contradictory labels; people with the same audio are merged."""
    table = table[table["status"] == "ok"]
    people = duplicates.people(table["person"], table["audio"])
    return table.assign(person=people)[duplicates.clean(table)]
