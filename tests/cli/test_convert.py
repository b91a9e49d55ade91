"""A study that an earlier version saved is converted; a study that cannot be converted stays unchanged."""

import pytest

from coughlab.cli import main
from coughlab.studies import store
from coughlab.studies.store import MODELS, StoredStudy
from coughlab.studies.writer import replacing
from tests.files import bytes_of

COMMITTED = StoredStudy(MODELS / "kaggle-trial")


def earlier(folder, changed=lambda name, table: table):
    """The committed study as an earlier version saved it: without the definition and the column ``positive``."""
    with replacing(folder / COMMITTED.name) as writer:
        for name in COMMITTED.hashes.keys() - {"study.toml"}:
            writer.write(name, COMMITTED.read(name))
        for name in (store.FEATURES, store.PREDICTIONS):
            table = COMMITTED.table(name).drop(columns="positive")
            writer.write_table(name, changed(name, table))
        manifest = COMMITTED.manifest.items()
        writer.manifest |= {key: value for key, value in manifest if key not in ("files", "definition")}
    return folder / COMMITTED.name


def convert(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main.main(["study", "convert", *map(str, arguments)])
    return left.value.code, *capsys.readouterr()


def test_a_study_of_an_earlier_version_becomes_the_committed_one(capsys, tmp_path):
    folder = earlier(tmp_path)
    with pytest.raises(store.StoreError, match="coughlab study convert kaggle-trial"):
        _ = StoredStudy(folder).definition
    message = f"{folder} was brought up to date.\n"
    assert convert(capsys, "kaggle-trial", "--studies", tmp_path) == (0, message, "")
    study = StoredStudy(folder)
    assert (study.definition, study.hashes) == (COMMITTED.definition, COMMITTED.hashes)
    before = bytes_of(folder)
    message = f"{folder} is up to date; nothing was changed.\n"
    assert convert(capsys, "kaggle-trial", "--studies", tmp_path) == (0, message, "")
    assert bytes_of(folder) == before


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda name, table: table.replace({"label": {"not_covid": "healthy"}}), "does not name: healthy."),
        (
            lambda name, table: table.assign(probability=0.5) if name == store.PREDICTIONS else table,
            "The scores of kaggle-trial are not those of its predictions.",
        ),
    ],
)
def test_a_study_that_does_not_fit_its_definition_is_left_as_it_was(changed, message, capsys, tmp_path):
    folder = earlier(tmp_path, changed)
    before = bytes_of(folder)
    status, out, complaint = convert(capsys, "kaggle-trial", "--studies", tmp_path)
    assert (status, out) == (2, "") and message in complaint and len(complaint.splitlines()) == 1
    assert bytes_of(folder) == before


@pytest.mark.parametrize("name", ["kaggle-trial", "nothing"])
def test_a_missing_study_is_reported_in_one_line(name, capsys, tmp_path):
    status, out, complaint = convert(capsys, name, "--studies", tmp_path)
    assert (status, out) == (2, "") and len(complaint.splitlines()) == 1
    assert complaint.startswith("coughlab: There is no study ")
