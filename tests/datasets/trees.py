"""Tiny datasets in published layouts; the loaders do not read the recordings, so these are empty."""


def tree(folder, recordings, **lists):
    """Write empty recordings and lists below a folder.

    Parameters
    ----------
    folder : pathlib.Path
    recordings : iterable of str
        Their paths in the folder.
    **lists : str
        Contents of ``list.csv`` and so on: the name's ``__`` stands for ``/``, its last ``_`` for the dot.
    """
    for name in recordings:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name, content in lists.items():
        path = folder / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def rows(dataset, *columns):
    """Some columns of a dataset's table, as tuples."""
    return list(dataset.table[list(columns)].itertuples(index=False, name=None))


def skipped(dataset):
    """Reasons by recording; no recording may occur twice."""
    assert not dataset.skipped["recording"].duplicated().any()
    return dict(zip(dataset.skipped["recording"], dataset.skipped["reason"], strict=True))
