"""Loaders are discovered: every module in their package is a loader."""

import sys

import pytest

from coughlab import datasets
from coughlab.cli import main
from coughlab.datasets import loaders
from tests.datasets.trees import rows, tree

TEMPORARY = '''
"""A dataset whose list names a recording and a disease in each line."""
from coughlab.datasets.listing import Listed

NAME, TITLE, LICENCE, CITE, ORDER = "temporary", "Temporary", "CC0 1.0", "Nobody (2026)", 6

def recognises(folder):
    return (folder / "temporary.txt").exists()

def load(folder):
    listed = [line.split() for line in (folder / "temporary.txt").read_text().splitlines()]
    return Listed([(name, name, label, "here", folder / name) for name, label in listed], [("b.wav", "It is no cough.")])
'''


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    """A loader that exists for one test."""
    (tmp_path / "loaders").mkdir()
    (tmp_path / "loaders" / "temporary.py").write_text(TEMPORARY)
    monkeypatch.setattr(loaders, "__path__", [*loaders.__path__, str(tmp_path / "loaders")])
    yield tree(tmp_path / "data", ["a.wav"], temporary_txt="a.wav ill\n")
    sys.modules.pop("coughlab.datasets.loaders.temporary", None)


@pytest.mark.parametrize("name", ["temporary", "any name"])
def test_a_loader_is_added_by_its_module_alone(temporary, name):
    dataset = datasets.load(name, temporary)
    assert rows(dataset, "recording", "label") == [("a.wav", "ill")]
    assert dataset.read_as == "As temporary is published." and len(dataset.skipped) == 1


def test_what_lists_the_datasets_lists_an_added_one(temporary, capsys):
    with pytest.raises(SystemExit):
        main._run(["audit", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert ", ".join(loader.NAME for loader in datasets.published()) + ", or any name" in printed
    assert "temporary" in printed


def test_every_loader_says_what_it_reads():
    known = loaders.found()
    assert tuple(known) == datasets.NAMES and datasets.NAMES[-1] == "folder"
    for loader in known.values():
        assert all(isinstance(text, str) for text in (loader.NAME, loader.TITLE, loader.LICENCE, loader.CITE))
        assert loader.NAME and loader.TITLE and loader.__doc__
    assert all(loader.CITE for loader in datasets.published())
