"""What one look at an installation found: right, doubtful or wrong, and what to do about it."""

import shlex
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from kb_service.settings import Settings

Level = Literal["ok", "warning", "error"]
# So long a database is gone through for faults of its pages
CHECK_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Of one thing: ``said`` is what, where and why, ``remedy`` what to do; a command stands last, after "run: "."""

    name: str
    level: Level
    said: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What is looked at. ``options`` and ``cache`` are how a command must be told the same folders again."""

    settings: Settings
    options: Mapping[str, str] = field(default_factory=dict)
    cache: str = ""

    def kb(self, *command: str, content: bool = False) -> str:
        """A command of ours about the same data folder; with ``content`` it is told the content too."""
        named = [part for name in ("--content", "--data") if content or name == "--data" for part in self._option(name)]
        before = f"KB_CACHE={shlex.quote(self.cache)} " if self.cache else ""
        return before + shlex.join(["kb", *command, *named])

    def _option(self, name: str) -> tuple[str, ...]:
        return (name, self.options[name]) if name in self.options else ()


Look = Callable[[Case], Iterable[Diagnosis]]


def ends_in_time(connection: sqlite3.Connection, look: Callable[[], None], seconds: float = CHECK_SECONDS) -> bool:
    """Whether a look at a database came to its end, or was given up after so long."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
    try:
        look()
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return False
    finally:
        connection.set_progress_handler(None, 0)
    return True


def taken(connection: sqlite3.Connection) -> str:
    """The size of a database, with what is in its log yet."""
    (pages,), (each,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    return size(pages * each)


def size(count: float) -> str:
    """A number of bytes as people read it."""
    power = min(3, max(0, len(str(int(count))) - 1) // 3)
    shown = count / 1000**power
    return f"{shown:.{int(power > 1 and shown < 10)}f} {('bytes', 'KB', 'MB', 'GB')[power]}"
