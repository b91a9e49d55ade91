"""The commands are found in their folder: a new command is one file."""

import re
import subprocess
import sys

import pytest

from coughlab.cli import commands, main
from tests.conftest import ROOT

GREET = '''"""Greet somebody.

Writes a greeting, to show that a command can be added.
"""

ORDER = 35


def add_arguments(parser):
    parser.add_argument("name", metavar="WHOM", help="who is greeted")


def run(arguments):
    print(f"Good morning, {arguments.name}.")
    return 3
'''


def words():
    """The words of each command, from the modules in the package."""
    folder = ROOT / "coughlab" / "cli" / "commands"
    paths = (path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py"))
    return sorted(" ".join(path.parts) for path in paths if path.name != "__init__")


def coughlab(capsys, *arguments):
    """Exit status and output of the command, run in this process."""
    with pytest.raises(SystemExit) as left:
        main.main([*arguments])
    return left.value.code, capsys.readouterr().out


@pytest.fixture(params=["", "study"])
def added(request, tmp_path, monkeypatch):
    """A temporary folder with a module that is added to the commands or to a group of commands."""
    package = commands if not request.param else sys.modules[f"{commands.__name__}.{request.param}"]
    (tmp_path / "say_hello.py").write_text(GREET)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    yield request.param.split()
    sys.modules.pop(f"{package.__name__}.say_hello")
    del package.say_hello


def test_a_command_is_added_by_one_file(added, capsys):
    status, listed = coughlab(capsys, *added, "--help")
    assert status == 0 and "greet somebody\n" in listed
    if not added:
        # Its ORDER gives its position.
        assert listed.index("    serve ") < listed.index("    say-hello") < listed.index("    key ")
    status, own = coughlab(capsys, *added, "say-hello", "--help")
    assert status == 0 and own.startswith(f"usage: {' '.join(['coughlab', *added, 'say-hello'])} [-h] WHOM\n")
    assert "Writes a greeting, to show that a command can be added.\n" in own and "who is greeted" in own
    assert coughlab(capsys, *added, "say-hello", "ward 3") == (3, "Good morning, ward 3.\n")


def test_without_the_file_there_is_no_such_command(capsys):
    assert coughlab(capsys, "say-hello", "ward 3")[0] == 2


@pytest.mark.parametrize("command", words())
def test_every_command_has_its_help(command, capsys):
    status, text = coughlab(capsys, *command.split(), "--help")
    assert status == 0 and text.startswith(f"usage: coughlab {command} ")


def test_the_readme_names_only_commands_that_exist():
    named = re.findall(
        r"^coughlab ([a-z ]+?)(?= *(?:[^a-z ]|$))", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert len(named) > 5
    for words_of in named:
        assert any(f"{words_of} ".startswith(f"{command} ") for command in words()), words_of


def test_help_and_wrong_arguments_load_nothing_that_takes_long():
    program = """
import sys
from coughlab.cli import main
heavy = {"numpy", "pandas", "scipy", "tqdm", "tensorflow", "sklearn", "streamlit", "starlette", "asyncio"}
for arguments in ["--help"], ["predict"], ["serve", "--help"], ["features", "--help"], ["study", "--help"]:
    try:
        main.main(arguments)
    except SystemExit:
        pass
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
