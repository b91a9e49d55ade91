"""The settings: environment variables, all in one table and read only here.

``python -m coughlab.config`` prints the table that is in ``docs/operate.md``.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class SettingError(ValueError):
    """A setting has an invalid value; the message says which values are valid."""


@dataclass(frozen=True)
class Setting:
    """An environment variable: `read` converts the text to its value, or raises ValueError; `kind` describes the valid values."""

    name: str
    default: str
    read: Callable[[str], Any]
    kind: str
    meaning: str


def _choice(*choices: str) -> tuple[Callable[[str], str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return read, "one of " + ", ".join(choices)


def _integer(low: int, high: int) -> tuple[Callable[[str], int], str]:
    def read(text: str) -> int:
        if not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return read, f"a whole number from {low:,} to {high:,}"


def _origins(text: str) -> list[str]:
    origins = text.split()
    if not all(re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]+)?", origin) for origin in origins):
        raise ValueError
    return origins


# fmt: off
_TABLE: tuple[tuple[str, str, Callable[[str], Any], str, str], ...] = (
    ("COUGHLAB_API_KEYS", "auto", *_choice("auto", "off", "required"),
     "Whether the API wants a key: auto wants one unless the app listens at a loopback address only."),
    ("COUGHLAB_RATE", "600", *_integer(1, 1_000_000),
     "Requests a minute that each key may make, where its entry in the secrets has no `per_minute` of its own."),
    ("COUGHLAB_WORKERS", "0", *_integer(0, 1_024),
     "Processes that decode and answer recordings; 0 for one a core, as far as they fit the memory."),
    ("COUGHLAB_QUEUE", "32", *_integer(0, 10_000),
     "Requests that may wait for such a process; the next one is answered 503 at once."),
    ("COUGHLAB_WAIT_S", "10", *_integer(1, 600),
     "Seconds that a request waits at most before it is answered 503."),
    ("COUGHLAB_ANSWER_S", "20", *_integer(1, 600),
     "Seconds that one recording may take before the process that reads it is ended and replaced."),
    ("COUGHLAB_WORKER_MB", "1024", *_integer(128, 65_536),
     "Megabytes that decoding one recording may take beside what its process holds anyway."),
    ("COUGHLAB_UPLOADS_MB", "256", *_integer(32, 65_536),
     "Megabytes of uploads to the API that are held at once; what comes beside them is answered 503."),
    ("COUGHLAB_PAGES_MB", "1024", *_integer(100, 1_048_576),
     "Megabytes of uploads that all open pages hold at once; what comes beside them is answered 503."),
    ("COUGHLAB_STALL_S", "4", *_integer(1, 600),
     "Seconds without a byte after which an upload to the API is given up, with 408."),
    ("COUGHLAB_PAGES_STALL_S", "30", *_integer(1, 600),
     "Seconds without a byte after which an upload to a page is given up."),
    ("COUGHLAB_FRAME_ANCESTORS", "", _origins, "origins such as https://example.org, with spaces between them",
     "Sites that may show the app in a frame; none unless set."),
    ("COUGHLAB_LOG", "text", *_choice("text", "json"),
     "How a line of the log is written."),
    ("COUGHLAB_MODELS", "", str, "the path of a folder",
     "Where the studies are; the folder `models` of the app unless set."),
    ("COUGHLAB_READ_ONLY", "off", *_choice("off", "on"),
     "Whether the folder of the models is meant to be read-only, so that nothing can be trained: then health does not look "
     "at its disk."),
    ("COUGHLAB_DATA", "", str, "the path of a folder",
     "The folder that holds the datasets, each in a folder of its name, to hear their recordings in the app; none unless set."),
    ("COUGHLAB_ICE_SERVERS", "", str, "a JSON list of servers",
     "STUN and TURN servers that carry the sound of the page Live where the direct way is closed; a public STUN server "
     "unless set, and none on a local network."),
    ("COUGHLAB_VGG16", "", str, "the path of a file",
     "VGG16's ImageNet weights without its top, for training; Keras fetches them unless set."),
)
# fmt: on
#: All settings, by name.
SETTINGS = {row[0]: Setting(*row) for row in _TABLE}


def value(name: str) -> Any:
    """The value of the setting `name`, or its default; SettingError if the environment has an invalid value."""
    setting = SETTINGS[name]
    text = os.environ.get(name, "").strip() or setting.default
    try:
        return setting.read(text)
    except ValueError:
        raise SettingError(f"The setting {name} must be {setting.kind}, not {text!r}.") from None


def check() -> None:
    """Read every setting, so that an invalid one is a SettingError when the app starts, not on first use."""
    for name in SETTINGS:
        value(name)


def table() -> str:
    """The settings as a table in Markdown."""
    rows = (
        f"| `{setting.name}` | {f'`{setting.default}`' if setting.default else 'empty'} | {setting.kind} |"
        f" {setting.meaning} |"
        for setting in SETTINGS.values()
    )
    return "\n".join(["| setting | unless set | what it can be | what it does |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(table())
