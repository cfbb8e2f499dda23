"""Whether the databases of a data folder are as they were left, since SQLite's pages carry no checksums.

Who is the last to use a folder writes down the SHA-256 of each database in it; who comes first compares, and takes the
note away while the folder is in use. Where there is none, as after a kill, only what a database says of itself is
known.
"""

import fcntl
import hashlib
import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from indexer.disk import about
from indexer.errors import KnowledgeBaseError

NAMES = ("desk.db", "index.db", "incidents.db")
NOTE = "at-rest"
_LOCK = "in-use.lock"
CHANGED = "its bytes have changed"
_REFUSED = "refused: "
_BUSY_SECONDS = 1.0
# To read more takes seconds that whoever starts a service does not have. Of a larger one that can be made anew only
# size and time are noted, and where they are others it is looked through while it is served
MOST_READ_BYTES = 256 * 1024 * 1024
_KEPT_NOWHERE_ELSE = "desk.db"

_Stamp = tuple[int, int, int]


class Use:
    """This process's use of a folder: from ``using`` until nothing holds it any more.

    ``damaged`` names the databases that are not as they were left, and says why; ``unclean`` are those of which nobody
    can tell. Whoever has mended or looked through one takes its name out. ``looked_at`` are those that this process
    has found whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.damaged: dict[str, str] = {}
        self.unclean: set[str] = set()
        self.looked_at: set[str] = set()
        self._known: dict[str, tuple[_Stamp, str]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            weakref.finalize(self, os.close, self._lock)
            self._enter()
        except OSError as error:
            said = f"{folder} cannot be used: {error.strerror}"
            raise KnowledgeBaseError(said, "Look at the disk and its permissions") from error

    @property
    def note(self) -> Path:
        return self._folder / NOTE

    def _enter(self) -> None:
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Whoever was last may be writing the note
                fcntl.flock(self._lock, fcntl.LOCK_SH)
                if not self.note.exists():
                    return
                fcntl.flock(self._lock, fcntl.LOCK_UN)
            else:
                self._compare()
                fcntl.flock(self._lock, fcntl.LOCK_SH)
                return

    def _compare(self) -> None:
        there = [name for name in NAMES if (self._folder / name).exists()]
        noted = self._noted()
        self.unclean = {name for name in there if name not in noted}
        for name in there:
            path = self._folder / name
            stamp = _stamp(path)
            said = noted.get(name, "")
            if said.startswith(_REFUSED):
                self.damaged[name] = said.removeprefix(_REFUSED)
            elif said and (_is_logged(path) or _seal_of(path) != said):
                if is_large(path):
                    self.unclean.add(name)
                else:
                    self.damaged[name] = CHANGED
            elif said:
                self._known[name] = stamp, said
        # What nothing can bring back must be refused the next time too
        if _KEPT_NOWHERE_ELSE not in self.damaged:
            self.note.unlink(missing_ok=True)
            _to_disk(self._folder)

    def _noted(self) -> dict[str, str]:
        """By name; nothing where there is no note, or one that is not as it was written itself."""
        try:
            said, check = self.note.read_text("utf-8").splitlines()
            noted: dict[str, str] = json.loads(said)
        except (FileNotFoundError, ValueError):
            return {}
        return noted if hashlib.sha256(said.encode()).hexdigest() == check else {}

    def refuse(self, name: str, why: str) -> None:
        """Have whoever comes next find a database damaged too: SQLite keeps nothing that tells of it."""
        with suppress(OSError):
            self._write({name: f"{_REFUSED}{why}"})

    def leave(self) -> None:
        """Write the note, if nobody else uses the folder. Nothing of it can be written from then on.

        Not of what was neither looked through nor mended: it is left to whoever comes next.
        """
        with suppress(OSError, sqlite3.Error):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self.note.exists():
                return
            noted = {}
            for name in NAMES:
                path = self._folder / name
                if path.exists() and name not in {*self.unclean, *self.damaged}:
                    _held.append(_settled(path))
                    stamp, known = self._known.get(name, (None, ""))
                    noted[name] = known if stamp == _stamp(path) else _seal_of(path)
            self._write(noted)

    def _write(self, noted: Mapping[str, str]) -> None:
        part, said = self.note.with_name(f"{NOTE}.part"), json.dumps(noted)
        with about(part), part.open("w", encoding="utf-8") as file:
            file.write(f"{said}\n{hashlib.sha256(said.encode()).hexdigest()}\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.note)
        _to_disk(self._folder)


_lock = threading.Lock()
_uses: weakref.WeakValueDictionary[Path, Use] = weakref.WeakValueDictionary()
# Those of a process that says when it ends
_to_be_left: list[Use] = []
_ends = threading.Event()
# Connections that keep all others from writing until this process has ended
_held: list[sqlite3.Connection] = []


def using(folder: Path) -> Use:
    """This process's use of a folder, which lasts as long as somebody holds it. Raises KnowledgeBaseError."""
    where = folder.resolve()
    with _lock:
        use = _uses.get(where)
        if use is None:
            use = _uses[where] = Use(where)
            if _ends.is_set():
                _to_be_left.append(use)
        return use


@contextmanager
def to_the_end() -> Iterator[None]:
    """All that a process does with folders: at the end of the block it leaves them, and ends."""
    _ends.set()
    try:
        yield
    finally:
        for use in _to_be_left:
            use.leave()


def _settled(path: Path) -> sqlite3.Connection:
    """A connection that lets nobody write; all that was written is in the file itself. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    if _is_logged(path):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute("BEGIN IMMEDIATE")
    if _is_logged(path):
        raise sqlite3.OperationalError("somebody still reads what is in the log")
    return connection


def _is_logged(path: Path) -> bool:
    """Whether there is a write-ahead log with anything in it."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def is_large(path: Path) -> bool:
    """Whether it takes long to read all of a file that can be made anew."""
    return path.name != _KEPT_NOWHERE_ELSE and path.exists() and path.stat().st_size > MOST_READ_BYTES


def _seal_of(path: Path) -> str:
    if is_large(path):
        return f"as of {_stamp(path)}"
    with about(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(folder: Path) -> None:
    """A file that came or went, for good."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
