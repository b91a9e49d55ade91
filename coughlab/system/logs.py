"""CoughLab's log: lines of text or JSON, with the id of the request that they belong to.

They have neither sound nor names of files or people, nor addresses.
"""

import json
import logging
import sys
import time
from contextvars import ContextVar

from coughlab import config

#: The id of the current request.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def start() -> None:
    """Write CoughLab's log to standard error, in the format of the setting COUGHLAB_LOG."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if config.value("COUGHLAB_LOG") == "json" else _Text())
    log = logging.getLogger("coughlab")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)


def _facts(record: logging.LogRecord) -> dict[str, object]:
    """The fields of a line, in order."""
    facts = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
        "level": record.levelname.lower(),
        "message": record.getMessage(),
        "request": request_id.get(),
        **getattr(record, "facts", {}),
    }
    if record.exc_info:
        facts["error"] = logging.Formatter().formatException(record.exc_info)
    return {name: fact for name, fact in facts.items() if fact is not None}


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_facts(record))


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = _facts(record)
        head = " ".join(str(facts.pop(name)) for name in ("time", "level", "message"))
        error = facts.pop("error", None)
        line = " ".join([head, *(f"{name}={fact}" for name, fact in facts.items())])
        return f"{line}\n{error}" if error else line
