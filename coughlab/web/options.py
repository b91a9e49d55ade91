"""Checks the options of a request: none is ignored, because a misspelt one would get the answer to another question.

An operation's description (see `coughlab.web.schema.operation`) is the declaration: its ``parameters`` can stand in the address,
the properties of its form in the form.
"""

import difflib
from collections.abc import Iterable, Mapping

from coughlab.studies.definition import DEFAULT as STUDY
from coughlab.text import listed, plain
from coughlab.web.schema import FORM, Schema

#: Options that programs expect in an API of models, and that none of ours has.
_ONE_STUDY = ("study", "studies", "dataset", "model", "models")

Pairs = Iterable[tuple[str, str]]


class OptionError(ValueError):
    """An option that is not valid: a code for programs, and a message that says which are."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read(operation: Mapping, query: Pairs, form: Pairs = ()) -> dict[str, str]:
    """The options in the address and in the other fields of the form, by name.

    OptionError if one is not in the description of the operation, or is given twice with different values.
    """
    found: dict[str, str] = {}
    address, fields = _declared(operation)
    for names, others, pairs in ((address, fields, query), (fields, address, form)):
        for name, text in pairs:
            if name not in names:
                raise OptionError("unknown_option", _unknown(name, names, others))
            if found.setdefault(name, text) != text:
                message = f"The option '{name}' is given more than once, with different values. Give it once."
                raise OptionError(f"bad_{name}", message)
    return found


def _declared(operation: Mapping) -> tuple[dict[str, str], dict[str, str]]:
    """The options for the address and those for the form: their descriptions by name."""
    address = {one["name"]: one.get("description", "") for one in operation.get("parameters", [])}
    content: Mapping[str, Mapping] = operation.get("requestBody", {}).get("content", {})
    fields: Mapping[str, Schema] = content.get(FORM, {}).get("schema", {}).get("properties", {})
    return address, {
        name: str(field.get("description", "")) for name, field in fields.items() if name != "file"
    }


def _unknown(name: str, names: Iterable[str], others: Iterable[str]) -> str:
    """The message about an unknown option; `others` are those that stand elsewhere in the request."""
    names = list(names)
    if name in others:
        return f"The option '{name}' is not taken from a form. Put it into the address, as in ?{name}=..."
    parts = [f"There is no option '{plain(name)}' at this address."]
    if near := difflib.get_close_matches(name.strip().lower(), names, 1):
        parts.append(f"Is '{near[0]}' meant?")
    if name.strip().lower() in _ONE_STUDY:
        parts.append(f"This server answers with the study {STUDY} only, and its models answer together.")
    parts.append(f"The options are: {listed(names)}." if names else "It takes no options.")
    return " ".join(parts)
