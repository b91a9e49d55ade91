"""Fixtures of the fault tests."""

import shutil

import pytest

from coughlab.studies.store import MODELS
from tests.faults import disks


@pytest.fixture
def models(tmp_path):
    """A copy of the committed models that a test may damage."""
    return shutil.copytree(MODELS, tmp_path / "models", ignore=shutil.ignore_patterns("large"))


@pytest.fixture
def disk(tmp_path):
    """A disk of 8 MB."""
    with disks.mounted(tmp_path / "disk") as made:
        yield made
