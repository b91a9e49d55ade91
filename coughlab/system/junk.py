"""Files and folders that systems and programs leave beside people's data: never a class, a recording or a list of recordings."""

import re

#: Their names in lower case, unless a dot hides them. In order: macOS and its file servers; Windows; Linux and Android; network
#: storage of Synology, QNAP and NetApp; programs.
NAMES = frozenset(
    {
        *("__macosx", "network trash folder", "temporary items", "thevolumesettingsfolder", "icon\r"),
        *("resource.frk", "finder.dat"),
        *("recycler", "recycled", "system volume information", "dfsrprivate", "config.msi", "msocache"),
        *("windowsimagebackup", "perflogs"),
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
        *("lost+found", "lost.dir"),
        *(
            "@eadir",
            "@tmp",
            "@sharebin",
            "@recycle",
            "@recently-snapshot",
            "@__thumb",
            "#recycle",
            "#snapshot",
        ),
        *("~snapshot", "__pycache__", "node_modules", "site-packages", "venv"),
        *("cvs", "sccs", "_darcs", "_svn", "_gsdata_"),
    }
)
#: Files that an office program or Syncthing holds open.
BEGINNINGS = ("~$", "~syncthing~")
#: Downloads and copies that are not complete, files that editors keep, and attributes that became files of their own on a system
#: without them.
ENDINGS = (
    *(".part", ".partial", ".filepart", ".crdownload", ".opdownload", ".download", ".aria2", ".!ut", ".!qb"),
    *(".tmp", ".swp", "~", ":zone.identifier", ":encryptable", "@synoeastream", "@synoresource"),
)
# Attributes and settings of macOS, what a check of a Windows disk has rescued, what Windows keeps for its repair and updates, and
# what FrontPage keeps; and names that lost the dot that hid them.
_OTHERS = re.compile(
    r"\._.*|\.ds_store|found\.\d{3}"
    r"|\$(?:recycle\.bin|sysreset|winreagent|getcurrent|extend|windows\.~\w+|inplace\.~\w+|upgrade\.~os|av_\w+)"
    r"|_vti_\w+|(?:ipynb_checkpoints|ds_store|pytest_cache|mypy_cache|ruff_cache)",
    re.DOTALL,
)


def is_junk(path: str) -> bool:
    """Whether something in a path with forward slashes is hidden, or was left there by a system or a program."""
    return path.rpartition("/")[2].startswith(".") or is_left_behind(path)


def is_left_behind(path: str) -> bool:
    """As `is_junk`, but without a single hidden file, because a person may have hidden it."""
    *folders, last = path.split("/")
    return any(folder.startswith(".") or _is_known(folder) for folder in folders) or _is_known(last)


def _is_known(name: str) -> bool:
    name = name.lower()
    listed = name in NAMES or name.startswith(BEGINNINGS) or name.endswith(ENDINGS)
    return listed or _OTHERS.fullmatch(name) is not None
