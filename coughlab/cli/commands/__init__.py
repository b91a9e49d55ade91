"""The commands, found in this folder: a module is a command, a package is a group; the file's name is the name to type.

A command is a module with a docstring, ``ORDER`` (its position in the list of commands), ``add_arguments(parser)`` and
``run(arguments)``, which returns the exit status, or None for 0. The docstring's first line is the help sentence; the rest is
printed above the options. All these modules are imported at every start, so slow imports belong inside the functions. A group has
a docstring and ``ORDER``.
"""

import argparse
from types import ModuleType
from typing import Any

from coughlab.system import registry


class _Parser(argparse.ArgumentParser):
    """The parser of a command or a group; it reads the module's arguments only when it is used."""

    def __init__(self, module: ModuleType, **options):
        super().__init__(**options)
        self._module = module

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        if hasattr(self._module, "__path__"):
            add(self, self._module.__name__, "ACTION")
        else:
            self._module.add_arguments(self)
            self.set_defaults(run=self._module.run)
        return super().parse_known_args(args, namespace)


def add(parser: argparse.ArgumentParser, package: str = __name__, metavar: str = "COMMAND") -> None:
    """Add the commands of a package to a parser; the parsed arguments have ``run``, the function of the command."""
    commands = parser.add_subparsers(required=True, metavar=metavar, parser_class=_Parser)
    for module in sorted(registry.modules(package), key=lambda module: module.ORDER):
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        sentence, _, description = (module.__doc__ or "").partition("\n")
        sentence = sentence[:1].lower() + sentence[1:].removesuffix(".")
        commands.add_parser(name, module=module, help=sentence, description=description.strip() or None)
