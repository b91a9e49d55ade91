"""Files in folders."""


def bytes_of(folder):
    """The content of every file in a folder and below, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
