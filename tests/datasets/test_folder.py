"""The folder of the datasets on this machine."""

from coughlab import datasets


def test_the_folder_is_in_that_of_the_environment_variable(tmp_path, monkeypatch):
    (tmp_path / "kaggle-trial").mkdir()
    monkeypatch.setenv("COUGHLAB_DATA", str(tmp_path))
    assert datasets.folder("kaggle-trial") == tmp_path / "kaggle-trial"


def test_a_dataset_that_is_not_there_has_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COUGHLAB_DATA", str(tmp_path))
    assert datasets.folder("kaggle-trial") is None
    (tmp_path / "kaggle-trial").write_text("a file")
    assert datasets.folder("kaggle-trial") is None


def test_without_the_variable_there_is_no_folder(tmp_path, monkeypatch):
    # A folder with that name in the working directory is not used either.
    (tmp_path / "kaggle-trial").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUGHLAB_DATA", "")
    assert datasets.folder("kaggle-trial") is None
    monkeypatch.delenv("COUGHLAB_DATA")
    assert datasets.folder("kaggle-trial") is None
