"""The API for notebooks: names are offered, loaded on first use, and have examples that run."""

import doctest
import subprocess
import sys

import pytest

import coughlab


def test_importing_coughlab_loads_nothing_heavy():
    code = "import sys, coughlab; print(sorted({'numpy', 'pandas', 'scipy', 'soundfile', 'av'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_all_offered_names_are_listed_and_exist():
    assert set(coughlab.__all__) == set(coughlab._OFFERED) <= set(dir(coughlab))
    assert all(callable(getattr(coughlab, name)) for name in coughlab.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = coughlab.nothing


@pytest.mark.parametrize("name", ["", *coughlab.__all__])
def test_the_examples_run(name):
    thing = getattr(coughlab, name) if name else coughlab
    finder = doctest.DocTestFinder(recurse=False)
    # The function by its name in a notebook, which may differ from the name in its module.
    found = finder.find(thing, name or "coughlab", globs={"coughlab": coughlab})
    assert sum(len(test.examples) for test in found) > 0, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for test in found:
        assert runner.run(test).failed == 0
