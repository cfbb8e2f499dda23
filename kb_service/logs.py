"""The log on standard error: lines for people, JSON for programs, and in each the id of the request that it is of.

It is the standard library's logging, as the libraries log by it too; here is only how a record is written. Whatever is
logged stays within its line. Neither what was asked nor what incidents say stands there unless that is asked for
(``KB_LOG_TEXTS``): failures may quote it, so of most only the kind and the place are told.
"""

import json
import logging
import re
import sqlite3
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

from indexer.errors import KnowledgeBaseError

Form = Literal["text", "json"]
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is answered here and now; empty outside of any."""

# What begins a line of its own, moves a terminal's cursor, or turns the direction of writing
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# What these say is of files and of the system
_TELLING = (KnowledgeBaseError, OSError, sqlite3.Error)
_log = logging.getLogger("kb.service")


def configure(form: Form, *, texts: bool) -> None:
    """Log in this form from now on, whatever of this process it comes from; ``texts``: whatever failures say."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(texts=texts) if form == "json" else TextLines(texts=texts))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("kb").setLevel(logging.INFO if form == "json" else logging.WARNING)
    logging.captureWarnings(True)
    threading.excepthook = _ended


def _ended(what: threading.ExceptHookArgs) -> None:
    name = what.thread.name if what.thread else "unnamed"
    _log.critical("the thread '%s' has ended by a fault: restart the service", name, exc_info=what.exc_value)


class TextLines(logging.Formatter):
    """One line a record; under it, indented, where it failed."""

    def __init__(self, *, texts: bool) -> None:
        super().__init__()
        self._texts = texts

    def format(self, record: logging.LogRecord) -> str:
        asked = f" [request {REQUEST_ID.get()}]" if REQUEST_ID.get() else ""
        line = f"{_time(record)} {record.levelname} {record.name}: {safe(record.getMessage().rstrip())}{asked}"
        failed = _failure(record, texts=self._texts)
        return "\n  ".join((line, *map(safe, failed.splitlines())))


class JsonLines(logging.Formatter):
    """One JSON object a record; what is told of a request stands beside the message (``extra={"request": {…}}``)."""

    def __init__(self, *, texts: bool) -> None:
        super().__init__()
        self._texts = texts

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().rstrip(),
        }
        if REQUEST_ID.get():
            told["request_id"] = REQUEST_ID.get()
        told |= getattr(record, "request", {})
        if failed := _failure(record, texts=self._texts):
            told["traceback"] = failed
        # In ASCII: no sign gets out that a reader of lines or a terminal could take for its own
        return json.dumps(told, default=str)


def safe(text: str) -> str:
    """With what could pass for the end of the line, or for a command to the terminal, written out."""
    return _UNSAFE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def _time(record: logging.LogRecord) -> str:
    """As RFC 3339 has it, in UTC."""
    return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03d}Z"


def _failure(record: logging.LogRecord, *, texts: bool) -> str:
    """Where it failed, the first cause first, as Python tells it; empty where nothing did."""
    parts: list[str] = []
    error = record.exc_info[1] if record.exc_info else None
    while error is not None and len(parts) < 10:
        kind = type(error).__qualname__
        may_be_said = texts or isinstance(error, _TELLING)
        said = f"{kind}: {error}" if may_be_said else f"{kind} (KB_LOG_TEXTS=true: its message too)"
        where = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{where}{said}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nAfter that:\n\n".join(reversed(parts))
