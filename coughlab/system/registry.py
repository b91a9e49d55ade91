"""Finds the modules of a package and their records, so that an addition needs only one file."""

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def order(self) -> int: ...


Record = TypeVar("Record", bound=_Named)


def modules(package: str) -> list[ModuleType]:
    """Every module in a package, by name."""
    path = import_module(package).__path__
    return [import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(path)]


def discover(package: str, kind: type[Record]) -> dict[str, Record]:
    """Every record of a type in the modules of a package, alone or in tuples, by ``name`` in the order of ``order``.

    Raises
    ------
    ValueError
        If two records have one name.
    """
    values = [value for module in modules(package) for value in vars(module).values()]
    values += [one for value in values if isinstance(value, tuple) for one in value]
    found: dict[str, Record] = {}
    for value in values:
        if isinstance(value, kind) and found.setdefault(value.name, value) is not value:
            raise ValueError(f"{package} has two of the name {value.name!r}. Give one of them another name.")
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))
